"""An OTLP/HTTP receiver gets the trace that `weft trace` shows: gateway, append and delivery under one id."""
import json
import socket
import subprocess
import time
import uuid

import pytest
from order_flow_test import EXAMPLE, SHOP_KEY, STREAM, WEBHOOK_SECRET, impatient, post_order, receiver  # noqa: F401
from otlp_receiver import OtlpReceiver
from weft_process import BINARY, wait_until

CALLER = "00f067aa0ba902b7"


@pytest.fixture
def collector():
    made = OtlpReceiver()
    yield made
    made.close()


@pytest.fixture
def traced(weft_factory, receiver, collector):  # noqa: F811
    return weft_factory(estate=EXAMPLE / "estate",
                        settings=["egress.allow=127.0.0.0/8", f"telemetry.otlpEndpoint={collector.url}",
                                  "telemetry.otlpSignals=traces"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                     "CRM_URL": receiver.url}).start()


def post_traced(weft):
    trace = uuid.uuid4().hex
    answer = post_order(weft, uuid.uuid4().hex, traceparent=f"00-{trace}-{CALLER}-01")
    assert answer.status == 201
    return trace


def shown(weft, trace, count=3):
    def found():
        result = weft.cli("trace", trace, "-o", "json", check=False)
        spans = json.loads(result.stdout)["spans"] if result.returncode == 0 else []
        return spans if len(spans) >= count else None

    return wait_until(found, what="the spans in weft trace")


def test_the_receiver_gets_gateway_append_and_delivery_with_their_parents(traced, receiver, collector):  # noqa: F811
    trace = post_traced(traced)
    wait_until(receiver.accepted, what="the delivery")
    wait_until(lambda: len(collector.spans_of(trace)) >= 3, what="the spans at the receiver")

    got = {span.name: span for span in collector.spans_of(trace)}

    gateway, append, deliver = got["POST /orders"], got[f"append {STREAM}"], got["deliver crm"]
    assert len(got) == len(collector.spans_of(trace)) == 3
    assert gateway.parent_id == CALLER
    assert append.parent_id == gateway.span_id
    assert deliver.parent_id == append.span_id
    assert (gateway.kind, append.kind, deliver.kind) == ("server", "producer", "client")
    assert gateway.attributes["http.response.status_code"] in (201, "201")
    assert gateway.start_ns <= append.start_ns <= append.end_ns <= gateway.end_ns <= gateway.start_ns + 20 * 10**9
    assert append.start_ns <= deliver.start_ns <= deliver.end_ns
    assert not any(span.failed for span in got.values())
    assert {span.resource["service.name"] for span in got.values()} == {"weft"}
    # The subscriber continues the same trace from the delivery's span.
    assert receiver.accepted()[0]["headers"]["traceparent"] == f"00-{trace}-{deliver.span_id}-01"


def test_the_receiver_and_weft_trace_agree(traced, receiver, collector):  # noqa: F811
    trace = post_traced(traced)
    wait_until(receiver.accepted, what="the delivery")
    wait_until(lambda: len(collector.spans_of(trace)) >= 3, what="the spans at the receiver")

    assert ({(span["spanId"], span.get("parentSpanId"), span["name"]) for span in shown(traced, trace)}
            == {(span.span_id, span.parent_id, span.name) for span in collector.spans_of(trace)})
    requests = list(collector.requests)
    assert {request["path"] for request in requests} == {"/v1/traces"}
    assert {request["headers"]["Content-Type"] for request in requests} == {"application/x-protobuf"}


def test_the_receiver_gets_metrics_and_log_lines_beside_the_traces(weft_factory, receiver, collector, tmp_path):  # noqa: F811
    weft = weft_factory(estate=impatient(tmp_path),
                        settings=["egress.allow=127.0.0.0/8", f"telemetry.otlpEndpoint={collector.url}/in/",
                                  "telemetry.otlpEncoding=json", "telemetry.otlpMetricsInterval=1s"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": receiver.url,
                                     "WEFT_TELEMETRY__OTLP_HEADERS": "authorization=Bearer abc,x-tenant=shop"}).start()
    receiver.statuses = [500]
    trace = post_traced(weft)

    def records():
        found = [record | {"scope": scope["scope"]["name"]} for request in collector.requests if request["path"] == "/in/v1/logs"
                 for resource in json.loads(request["body"])["resourceLogs"] for scope in resource["scopeLogs"]
                 for record in scope["logRecords"]]
        return {record["body"]["stringValue"]: record for record in found}

    def metrics():
        sent = [json.loads(request["body"]) for request in collector.requests if request["path"] == "/in/v1/metrics"]
        found = {metric["name"]: metric for request in sent for metric in request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]}
        counted = found.get("weft_gateway_requests_total", {"sum": {"dataPoints": []}})["sum"]["dataPoints"]
        return found if sum(int(point["asInt"]) for point in counted) == 1 else None

    found = wait_until(metrics, what="the metrics at the receiver")
    assert found["weft_gateway_requests_total"]["sum"] | {"dataPoints": []} == {
        "dataPoints": [], "aggregationTemporality": 2, "isMonotonic": True}
    histogram = found["weft_gateway_request_seconds"]["histogram"]["dataPoints"]
    posted = next(point for point in histogram if point["count"] == "1")
    assert posted["exemplars"][0]["traceId"] == trace
    assert sum(map(int, posted["bucketCounts"])) == 1 and len(posted["bucketCounts"]) == len(posted["explicitBounds"]) + 1
    wait_until(lambda: "ready" in records(), what="the line of the start")
    told = wait_until(lambda: [record for record in records().values() if record.get("traceId") == trace], what="the delivery's line")
    assert {record["scope"] for record in told} == {"weft.delivery"}
    assert {record["severityText"] for record in told} <= {"warn", "error"}
    assert {request["headers"]["authorization"] for request in collector.requests} == {"Bearer abc"}
    assert {request["headers"]["x-tenant"] for request in collector.requests} == {"shop"}

    assert weft.stop() == 0
    wait_until(lambda: "draining" in records(), what="the line of the end")
    assert weft.log_text().count("telemetry was dropped") == 0


def test_an_outage_of_the_receiver_costs_lines_not_the_node_and_is_told_once(weft_factory, collector):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    weft = weft_factory(settings=["egress.allow=127.0.0.0/8", f"telemetry.otlpEndpoint={nobody}", "telemetry.otlpLogBytesMax=300",
                                  "telemetry.otlpMetricsInterval=1s"]).start()

    wait_until(lambda: weft.metric("weft_telemetry_dropped_log_records_total") > 0, what="the dropped lines")
    assert weft.metric("weft_telemetry_exported_log_records_total") == 0
    assert weft.stop() == 0
    assert weft.log_text().count("telemetry was dropped") <= 3  # at most one per signal


@pytest.mark.parametrize("setting, hint", [("telemetry.otlpEncoding=xml", "must be protobuf or json, not 'xml'"),
                                           ("telemetry.otlpSignals=traces,profiles", "must be of traces, metrics and logs, not 'profiles'"),
                                           ("telemetry.otlpHeaders=secret-value", "must be name=value,"),
                                           ("telemetry.otlpEndpoint=collector:4318", "telemetry.otlpEndpoint")])
def test_a_setting_that_cannot_be_is_told_at_the_start(tmp_path, setting, hint):
    ended = subprocess.run([str(BINARY), "serve", "--data", str(tmp_path / "data"), "--ports", "auto",
                            "--set", "telemetry.otlpEndpoint=http://127.0.0.1:4318", "--set", setting],
                           capture_output=True, text=True, timeout=60)

    assert ended.returncode != 0
    assert hint in ended.stderr and "secret-value" not in ended.stderr


def test_spans_wait_for_a_receiver_that_is_busy(traced, receiver, collector):  # noqa: F811
    collector.statuses = [503, 429]

    trace = post_traced(traced)

    wait_until(receiver.accepted, what="the delivery")
    wait_until(lambda: len(collector.spans_of(trace)) >= 3, seconds=40, what="the spans at the receiver")
    assert len(collector.refused) == 2
    assert traced.metric("weft_telemetry_dropped_spans_total") == 0


def test_a_stop_sends_the_spans_that_are_left(traced, receiver, collector):  # noqa: F811
    trace = post_traced(traced)
    wait_until(receiver.accepted, what="the delivery")
    shown(traced, trace)

    assert traced.stop() == 0

    assert {span.name for span in collector.spans_of(trace)} == {"POST /orders", f"append {STREAM}", "deliver crm"}


def test_a_receiver_that_never_answers_does_not_hold_up_the_end(weft_factory, receiver):  # noqa: F811
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        weft = weft_factory(estate=EXAMPLE / "estate",
                            settings=["egress.allow=127.0.0.0/8", f"telemetry.otlpEndpoint=http://127.0.0.1:{silent.getsockname()[1]}"],
                            environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                         "CRM_URL": receiver.url}).start()
        post_traced(weft)
        wait_until(receiver.accepted, what="the delivery")
        silent.accept()
        began = time.monotonic()

        assert weft.stop() == 0

        # A request may take 10 s; the flush has 2 s.
        assert time.monotonic() - began < 9
