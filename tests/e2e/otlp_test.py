"""An OTLP/HTTP receiver gets the trace that `weft trace` shows: gateway, append and delivery under one id."""
import json
import socket
import time
import uuid

import pytest
from order_flow_test import EXAMPLE, SHOP_KEY, STREAM, WEBHOOK_SECRET, post_order, receiver  # noqa: F401
from otlp_receiver import OtlpReceiver
from weft_process import wait_until

CALLER = "00f067aa0ba902b7"


@pytest.fixture
def collector():
    made = OtlpReceiver()
    yield made
    made.close()


@pytest.fixture
def traced(weft_factory, receiver, collector):  # noqa: F811
    return weft_factory(estate=EXAMPLE / "estate",
                        settings=["egress.allow=127.0.0.0/8", f"telemetry.otlpEndpoint={collector.url}"],
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
