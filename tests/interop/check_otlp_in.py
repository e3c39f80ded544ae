"""An application with the OpenTelemetry SDK (PyPI) sends traces, metrics and logs by its own OTLP/HTTP exporters."""
import json
import subprocess
import tempfile
from pathlib import Path

from parts import environment, fetch, version_in
from weft_process import Weft, call, wait_until

PACKAGES = ["opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"]
QUICK = True


def run():
    interpreter = environment()
    fetch([str(interpreter), "-m", "pip", "install", "--quiet", *PACKAGES], "pip install opentelemetry-sdk")
    with tempfile.TemporaryDirectory() as folder:
        node = Weft(folder).start()
        try:
            sent = subprocess.run([str(interpreter), str(Path(__file__).with_name("instrumented_app.py")), node.node["otlp"],
                                   node.token], capture_output=True, text=True, timeout=60)
            assert sent.returncode == 0, sent.stdout + sent.stderr
            trace = json.loads(sent.stdout)["trace"]

            def spans():
                shown = node.cli("trace", trace, "-o", "json", check=False)
                return json.loads(shown.stdout)["spans"] if shown.returncode == 0 else []

            found = {span["name"]: span for span in wait_until(spans, what="the spans of the application")}
            assert found["reserve stock"]["parentSpanId"] == found["import order"]["spanId"], found
            assert found["reserve stock"]["failed"] and found["import order"]["service"] == "crm", found
            assert found["import order"]["attributes"]["weft.business_key"] == "SO-00004711"
            lines = [json.loads(line) for line in node.cli("logs", "--key", "SO-00004711", "-o", "json").stdout.splitlines()]
            assert [(line["message"], line["level"], line["trace_id"]) for line in lines] == [("no stock left", "error", trace)], lines
            metrics = call("GET", node.node["ops"] + "/metrics").body.decode()
            assert 'crm_orders_total{channel="web",service="crm"} 3\n' in metrics
            assert 'crm_import_duration_seconds_count{service="crm"} 1\n' in metrics
            checked = subprocess.run(["promtool", "check", "metrics"], input=metrics.encode(), capture_output=True, timeout=30)
            assert b"error while linting" not in checked.stderr and b"parse" not in checked.stderr, checked.stderr
        finally:
            node.stop()
    return f"opentelemetry-sdk {version_in(interpreter, 'opentelemetry-sdk')}: spans, log records and metrics by Protobuf and gzip"
