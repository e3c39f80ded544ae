"""An OpenTelemetry Collector built of published Go modules stands between two nodes: it takes traces, metrics and log lines of one,
and hands traces and lines to the other; what it understood is read from what it sends on."""
import json
import tempfile
import uuid
from pathlib import Path

from order_flow_test import SHOP_KEY, STREAM, WEBHOOK_SECRET, Receiver, impatient, post_order
from otlp_receiver import OtlpReceiver
from parts import Served, free_ports, go_program, go_version
from weft_process import Weft, wait_until

CONFIG = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  otlphttp/check: {{endpoint: "{check}", encoding: json, compression: none}}
  otlphttp/weft: {{endpoint: "{weft}", headers: {{x-api-key: "{key}"}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlphttp/check, otlphttp/weft]}}
    metrics: {{receivers: [otlp], exporters: [otlphttp/check]}}
    logs: {{receivers: [otlp], exporters: [otlphttp/check, otlphttp/weft]}}
"""


def items(collector, signal, scopes, member):
    """All spans, metrics or log records that the Collector sent on, with their resources."""
    for request in collector.of(signal):
        for resource in json.loads(request["body"])[f"resource{signal_name(signal)}"]:
            for scope in resource[scopes]:
                yield from scope[member]


def signal_name(signal):
    return {"traces": "Spans", "metrics": "Metrics", "logs": "Logs"}[signal]


def node(folder, receiver, *settings):
    Path(folder).mkdir()
    return Weft(folder, estate=impatient(Path(folder)), settings=["egress.allow=127.0.0.0/8", *settings],
                environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": receiver.url}).start()


def run():
    collector = go_program("otelcol")
    check, receiver = OtlpReceiver(), Receiver()
    (port,) = free_ports(1)
    trace = uuid.uuid4().hex
    with tempfile.TemporaryDirectory() as folder:
        second = node(f"{folder}/second", receiver)
        config = Path(folder) / "otelcol.yaml"
        config.write_text(CONFIG.format(port=port, check=check.url, weft=second.node["otlp"], key=second.token))
        with Served([collector, "--config", f"file:{config}"], folder) as server:
            wait_until(lambda: server.answers(f"http://127.0.0.1:{port}/"), seconds=60, what="the Collector")
            first = node(f"{folder}/first", receiver, f"telemetry.otlpEndpoint=http://127.0.0.1:{port}", "telemetry.otlpMetricsInterval=1s")
            try:
                receiver.statuses = [500]
                assert post_order(first, "key-1", traceparent=f"00-{trace}-00f067aa0ba902b7-01").status == 201

                def spans():
                    found = [s for s in items(check, "traces", "scopeSpans", "spans") if s["traceId"] == trace]
                    return found if len(found) >= 3 else None

                def metric(name):
                    return next((m for m in items(check, "metrics", "scopeMetrics", "metrics") if m["name"] == name), None)

                def lines():
                    return [r for r in items(check, "logs", "scopeLogs", "logRecords") if r.get("traceId") == trace]

                assert {s["name"] for s in wait_until(spans, seconds=30, what="the spans")} == {
                    "POST /orders", f"append {STREAM}", "deliver crm"}
                requests = wait_until(lambda: metric("weft_gateway_requests_total"), seconds=30, what="the metrics")
                assert requests["sum"]["isMonotonic"] and requests["sum"]["aggregationTemporality"] == 2, requests
                histogram = metric("weft_gateway_request_seconds")["histogram"]["dataPoints"][0]
                assert len(histogram["explicitBounds"]) == 19 and len(histogram["bucketCounts"]) == 20, histogram
                told = wait_until(lines, seconds=30, what="the log line")
                assert told[0]["severityNumber"] in (13, 17) and told[0]["body"]["stringValue"], told

                def at_second():
                    shown = second.cli("trace", trace, "-o", "json", check=False)
                    return shown.returncode == 0 and len(json.loads(shown.stdout)["spans"]) == 3

                wait_until(at_second, seconds=30, what="the trace at the second node")
                wait_until(lambda: second.cli("logs", "--trace", trace, "-o", "json").stdout, seconds=30, what="the line at the second node")
                for name in ("spans", "data_points", "log_records"):
                    assert first.metric(f"weft_telemetry_dropped_{name}_total") == 0, name
                    assert first.metric(f"weft_telemetry_exported_{name}_total") > 0, name
            finally:
                first.stop()
                second.stop()
                receiver.close()
                check.close()
    return f"Collector {go_version('otelcol', 'go.opentelemetry.io/collector/otelcol')}: traces, metrics and log lines in; traces and lines on to a node"
