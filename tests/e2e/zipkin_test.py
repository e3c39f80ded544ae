"""A Zipkin collector gets the kept traces as Zipkin v2 JSON (zipkin.io/zipkin-api, POST /api/v2/spans)."""
import json
import subprocess
import uuid

import pytest
from order_flow_test import EXAMPLE, SHOP_KEY, STREAM, WEBHOOK_SECRET, post_order, receiver  # noqa: F401
from otlp_receiver import OtlpReceiver
from weft_process import BINARY, wait_until

CALLER = "00f067aa0ba902b7"
FIELDS = {"traceId", "id", "parentId", "kind", "name", "timestamp", "duration", "localEndpoint", "remoteEndpoint", "tags"}


class ZipkinCollector(OtlpReceiver):
    """The same door: it keeps what is posted."""

    def spans(self, trace):
        found = [span for request in list(self.requests) for span in json.loads(request["body"])]
        return [span for span in found if span["traceId"] == trace]


@pytest.fixture
def zipkin():
    made = ZipkinCollector()
    yield made
    made.close()


@pytest.fixture
def collector():
    made = OtlpReceiver()
    yield made
    made.close()


def started(weft_factory, receiver, *settings, **environment):  # noqa: F811
    return weft_factory(estate=EXAMPLE / "estate", settings=["egress.allow=127.0.0.0/8", *settings],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                     "CRM_URL": receiver.url, **environment}).start()


def post_traced(weft):
    trace = uuid.uuid4().hex
    assert post_order(weft, uuid.uuid4().hex, traceparent=f"00-{trace}-{CALLER}-01").status == 201
    return trace


def spans_at(zipkin, trace, count=3):
    return wait_until(lambda: found if len(found := zipkin.spans(trace)) >= count else None, seconds=40, what="the spans at Zipkin")


def test_a_zipkin_collector_gets_the_trace_as_zipkin_v2_json(weft_factory, receiver, zipkin):  # noqa: F811
    weft = started(weft_factory, receiver, f"telemetry.zipkin.endpoint={zipkin.url}",
                   WEFT_TELEMETRY__ZIPKIN__HEADERS="authorization=Basic abc")
    trace = post_traced(weft)

    got = {span["name"]: span for span in spans_at(zipkin, trace)}

    gateway, append, deliver = got["POST /orders"], got[f"append {STREAM}"], got["deliver crm"]
    assert len(got) == len(zipkin.spans(trace)) == 3
    assert (gateway["parentId"], append["parentId"], deliver["parentId"]) == (CALLER, gateway["id"], append["id"])
    assert (gateway["kind"], append["kind"], deliver["kind"]) == ("SERVER", "PRODUCER", "CLIENT")
    assert gateway["tags"]["http.response.status_code"] == "201" and gateway["tags"]["http.route"] == "/orders"
    assert deliver["remoteEndpoint"]["serviceName"] == "127.0.0.1"
    services = [span["localEndpoint"]["serviceName"] for span in (gateway, append, deliver)]
    assert services == ["gateway", "eventlog", "delivery"]
    for span in got.values():
        assert set(span) <= FIELDS
        assert type(span["timestamp"]) is int and type(span["duration"]) is int and span["duration"] >= 1
        assert all(type(value) is str for value in span["tags"].values()) and "error" not in span["tags"]
    assert gateway["timestamp"] <= append["timestamp"] <= gateway["timestamp"] + gateway["duration"] + 1 < gateway["timestamp"] + 20 * 10**6
    shown = json.loads(weft.cli("trace", trace, "-o", "json").stdout)["spans"]
    assert {(span["spanId"], span["name"]) for span in shown} == {(span["id"], span["name"]) for span in got.values()}
    requests = list(zipkin.requests)
    assert {request["path"] for request in requests} == {"/api/v2/spans"}
    assert {request["headers"]["Content-Type"] for request in requests} == {"application/json"}
    assert {request["headers"]["authorization"] for request in requests} == {"Basic abc"}


def test_a_span_that_failed_has_the_tag_error(weft_factory, receiver, zipkin):  # noqa: F811
    weft = started(weft_factory, receiver, f"telemetry.zipkin.endpoint={zipkin.url}")
    receiver.statuses = [500]

    trace = post_traced(weft)

    failed = wait_until(lambda: [span for span in zipkin.spans(trace) if "error" in span["tags"]], seconds=40, what="the failed span")
    assert {(span["name"], span["tags"]["error"]) for span in failed} == {("deliver crm", "500")}


def test_otlp_and_zipkin_both_get_all_spans(weft_factory, receiver, zipkin, collector):  # noqa: F811
    weft = started(weft_factory, receiver, f"telemetry.zipkin.endpoint={zipkin.url}/api/v2/spans", f"telemetry.otlpEndpoint={collector.url}")
    trace = post_traced(weft)

    at_zipkin = spans_at(zipkin, trace)
    wait_until(lambda: len(collector.spans_of(trace)) >= 3, what="the spans at the OTLP receiver")

    assert {span["id"] for span in at_zipkin} == {span.span_id for span in collector.spans_of(trace)}


def test_spans_wait_for_a_collector_that_is_busy_and_a_stop_sends_the_rest(weft_factory, receiver, zipkin):  # noqa: F811
    weft = started(weft_factory, receiver, f"telemetry.zipkin.endpoint={zipkin.url}")
    zipkin.statuses = [503, 429]
    waited = post_traced(weft)
    spans_at(zipkin, waited)
    assert len(zipkin.refused) == 2
    assert weft.metric("weft_telemetry_dropped_zipkin_spans_total") == 0
    last = post_traced(weft)
    wait_until(lambda: len(receiver.accepted()) >= 2, what="the delivery")

    assert weft.stop() == 0

    assert {span["name"] for span in zipkin.spans(last)} == {"POST /orders", f"append {STREAM}", "deliver crm"}


@pytest.mark.parametrize("setting, hint", [("telemetry.zipkin.endpoint=zipkin:9411", "telemetry.zipkin.endpoint"),
                                           ("telemetry.zipkin.headers=secret-value", "telemetry.zipkin.headers: must be name=value,")])
def test_a_setting_that_cannot_be_is_told_at_the_start(tmp_path, setting, hint):
    ended = subprocess.run([str(BINARY), "serve", "--data", str(tmp_path / "data"), "--ports", "auto",
                            "--set", "telemetry.zipkin.endpoint=http://127.0.0.1:9411", "--set", setting],
                           capture_output=True, text=True, timeout=60)

    assert ended.returncode != 0
    assert hint in ended.stderr and "secret-value" not in ended.stderr
