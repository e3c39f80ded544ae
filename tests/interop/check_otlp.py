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
    found = []
    for request in collector.requests:
        decoded = subprocess.run([str(interpreter), str(Path(__file__).with_name("published_otlp.py"))], input=request["body"],
                                 capture_output=True, timeout=60, check=True)
        answer = json.loads(decoded.stdout)
        assert not answer["has_unknown_fields"], "fields that opentelemetry-proto does not know"
        found += [span for span in answer["spans"] if span["trace"] == trace]
    by_name = {span["name"]: span for span in found}
    gateway, append, deliver = by_name["POST /orders"], by_name[f"append {STREAM}"], by_name["deliver crm"]
    assert (append["parent"], deliver["parent"]) == (gateway["span"], append["span"]), found
    assert {span["service"] for span in found} == {"weft"}
    ours = {(span.span_id, span.parent_id, span.name, span.start_ns, span.end_ns) for span in collector.spans_of(trace)}
    assert ours == {(s["span"], s["parent"], s["name"], s["start"], s["end"]) for s in found}
    return f"opentelemetry-proto {version('opentelemetry-proto')}: gateway, append and delivery under one trace id"
