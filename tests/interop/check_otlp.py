"""The published Protobuf classes of OTLP (opentelemetry-proto, PyPI) read what an OTLP/HTTP receiver is sent."""
import json
import subprocess
import tempfile
import uuid
from pathlib import Path

from order_flow_test import EXAMPLE, SHOP_KEY, STREAM, WEBHOOK_SECRET, Receiver, post_order
from otlp_receiver import OtlpReceiver
from parts import python, version
from weft_process import Weft, wait_until

QUICK = True


def decoded(interpreter, collector, signal):
    """All items of a signal that the receiver was sent, as the published classes read them."""
    found = []
    for request in collector.of(signal):
        answer = subprocess.run([str(interpreter), str(Path(__file__).with_name("published_otlp.py")), signal], input=request["body"],
                                capture_output=True, timeout=60, check=True)
        answer = json.loads(answer.stdout)
        assert not answer["has_unknown_fields"], f"{signal}: fields that opentelemetry-proto does not know"
        found += answer["items"]
    return found


def run():
    interpreter = python()
    collector, receiver = OtlpReceiver(), Receiver()
    trace = uuid.uuid4().hex
    with tempfile.TemporaryDirectory() as folder:
        weft = Weft(folder, estate=EXAMPLE / "estate",
                    settings=["egress.allow=127.0.0.0/8", f"telemetry.otlpEndpoint={collector.url}"],
                    environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": receiver.url}).start()
        try:
            assert post_order(weft, "key-1", traceparent=f"00-{trace}-00f067aa0ba902b7-01").status == 201
            wait_until(lambda: len(collector.spans_of(trace)) >= 3, what="the spans at the receiver")
        finally:
            weft.stop()
            receiver.close()
            collector.close()
    found = [span for span in decoded(interpreter, collector, "traces") if span["trace"] == trace]
    metrics = {metric["name"]: metric for metric in decoded(interpreter, collector, "metrics")}
    assert {metrics[f"weft_gateway_{name}"]["kind"] for name in ("requests_total", "request_seconds")} == {"sum", "histogram"}, metrics
    assert metrics["weft_http_connections_open"]["kind"] == "gauge" and len(metrics) > 40, metrics
    records = decoded(interpreter, collector, "logs")
    assert ("ready", 9, "weft.node") in {(record["body"], record["severity"], record["scope"]) for record in records}, records
    assert {item["service"] for item in (*metrics.values(), *records)} == {"weft"}
    by_name = {span["name"]: span for span in found}
    gateway, append, deliver = by_name["POST /orders"], by_name[f"append {STREAM}"], by_name["deliver crm"]
    assert (append["parent"], deliver["parent"]) == (gateway["span"], append["span"]), found
    assert {span["service"] for span in found} == {"weft"}
    ours = {(span.span_id, span.parent_id, span.name, span.start_ns, span.end_ns) for span in collector.spans_of(trace)}
    assert ours == {(s["span"], s["parent"], s["name"], s["start"], s["end"]) for s in found}
    return (f"opentelemetry-proto {version('opentelemetry-proto')}: gateway, append and delivery under one trace id; "
            f"{len(metrics)} metrics, {len(records)} log lines")
