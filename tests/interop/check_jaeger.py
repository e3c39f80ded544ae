"""A real Jaeger, built from its Go module, gets what Weft exports and finds the trace by its id."""
import json
import os
import subprocess
import tempfile
import uuid
from pathlib import Path

from conftest import free_port
from order_flow_test import EXAMPLE, SHOP_KEY, STREAM, WEBHOOK_SECRET, Receiver, post_order
from parts import FOLDER, fetch
from weft_process import Weft, call, wait_until

MODULE = "github.com/jaegertracing/jaeger"
VERSION = "v1.76.0"  # the last whose sources of Jaeger 2 are a module of this path
BUILD_SECONDS_MAX = 1800


def program():
    """Built once; this takes minutes and some gigabytes of Go's caches."""
    made = FOLDER / "go/bin/jaeger"
    if not made.exists():
        fetch(["go", "install", f"{MODULE}/cmd/jaeger@{VERSION}"], f"go install {MODULE}/cmd/jaeger@{VERSION}",
              seconds=BUILD_SECONDS_MAX, env={**os.environ, "GOBIN": str(made.parent)})
    return made


def configuration(otlp, query):
    return {"service": {"extensions": ["jaeger_storage", "jaeger_query"], "telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}}},
            "extensions": {"jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": 1000}}}},
                           "jaeger_query": {"storage": {"traces": "memory"}, "http": {"endpoint": f"127.0.0.1:{query}"},
                                            "grpc": {"endpoint": f"127.0.0.1:{free_port()}"}}},
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{otlp}"}}}},
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}}}


def run():
    binary = program()
    otlp, query = free_port(), free_port()
    trace = uuid.uuid4().hex
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "jaeger.json"
        file.write_text(json.dumps(configuration(otlp, query)))
        with open(Path(folder) / "jaeger.log", "w") as log:
            jaeger = subprocess.Popen([str(binary), "--config", str(file)], stdout=log, stderr=log, cwd=folder)
        weft = Weft(folder, estate=EXAMPLE / "estate",
                    settings=["egress.allow=127.0.0.0/8", f"telemetry.otlpEndpoint=http://127.0.0.1:{otlp}"],
                    environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": receiver.url})

        def found():
            assert jaeger.poll() is None, (Path(folder) / "jaeger.log").read_text()[-2000:]
            try:
                answer = call("GET", f"http://127.0.0.1:{query}/api/traces/{trace}")
            except OSError:
                return None
            spans = answer.json()["data"][0]["spans"] if answer.status == 200 else []
            return {span["operationName"]: span for span in spans} if len(spans) >= 3 else None

        try:
            weft.start()
            assert post_order(weft, "key-1", traceparent=f"00-{trace}-00f067aa0ba902b7-01").status == 201
            spans = wait_until(found, seconds=60, what="the trace in Jaeger")
        finally:
            if weft.process:
                weft.stop()
            receiver.close()
            jaeger.terminate()
            jaeger.wait(20)
    parents = {name: span["references"][0]["spanID"] for name, span in spans.items()}
    assert parents[f"append {STREAM}"] == spans["POST /orders"]["spanID"], parents
    assert parents["deliver crm"] == spans[f"append {STREAM}"]["spanID"], parents
    return f"Jaeger 2 ({MODULE} {VERSION}): gateway, append and delivery under one trace id"
