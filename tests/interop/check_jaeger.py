"""A Jaeger built of published Go modules receives a trace by OTLP and finds it by its id."""
import tempfile
import uuid
from pathlib import Path

from order_flow_test import EXAMPLE, SHOP_KEY, STREAM, WEBHOOK_SECRET, Receiver, post_order
from parts import Served, free_ports, go_program, go_version
from weft_process import Weft, call, wait_until

PACKAGE = "github.com/jaegertracing/jaeger/cmd/jaeger"
CONFIG = """
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}
  telemetry: {{metrics: {{level: none}}}}
extensions:
  jaeger_storage: {{backends: {{memory: {{memory: {{max_traces: 1000}}}}}}}}
  jaeger_query:
    storage: {{traces: memory}}
    http: {{endpoint: "127.0.0.1:{query}"}}
    grpc: {{endpoint: "127.0.0.1:{grpc}"}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}
exporters:
  jaeger_storage_exporter: {{trace_storage: memory}}
"""


def trace_at(query, trace):
    """Its spans by name, as Jaeger's API gives them."""
    answer = call("GET", f"{query}/api/traces/{trace}")
    spans = answer.json()["data"][0]["spans"] if answer.status == 200 else []
    return {span["operationName"]: span for span in spans} if len(spans) >= 3 else None


def parent_of(span):
    return next((link["spanID"] for link in span["references"] if link["refType"] == "CHILD_OF"), None)


def run():
    jaeger = go_program("jaeger", PACKAGE)
    otlp, query, grpc = free_ports(3)
    trace = uuid.uuid4().hex
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "jaeger.yaml"
        config.write_text(CONFIG.format(otlp=otlp, query=query, grpc=grpc))
        address = f"http://127.0.0.1:{query}"
        receiver = Receiver()
        with Served([jaeger, "--config", config], folder) as server:
            wait_until(lambda: server.answers(f"{address}/api/services"), seconds=60, what="Jaeger")
            weft = Weft(folder, estate=EXAMPLE / "estate",
                        settings=["egress.allow=127.0.0.0/8", f"telemetry.otlpEndpoint=http://127.0.0.1:{otlp}",
                                  "telemetry.otlpSignals=traces"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": receiver.url}).start()
            try:
                assert post_order(weft, "key-1", traceparent=f"00-{trace}-00f067aa0ba902b7-01").status == 201
                found = wait_until(lambda: trace_at(address, trace), seconds=60, what="the trace in Jaeger")
                services = call("GET", f"{address}/api/services").json()["data"]
                assert weft.metric("weft_telemetry_dropped_spans_total") == 0
            finally:
                weft.stop()
                receiver.close()
    gateway, append, deliver = found["POST /orders"], found[f"append {STREAM}"], found["deliver crm"]
    assert (parent_of(append), parent_of(deliver)) == (gateway["spanID"], append["spanID"]), found
    assert "weft" in services, services
    return f"Jaeger {go_version('jaeger', 'github.com/jaegertracing/jaeger')}: {len(found)} spans found by trace id"
