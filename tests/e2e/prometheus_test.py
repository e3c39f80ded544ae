"""A real Prometheus scrapes a real node; promtool checks what the node says in both formats."""
import json
import shutil
import subprocess
import urllib.parse
import uuid

import pytest
from conftest import free_port
from order_flow_test import EXAMPLE, SHOP_KEY, WEBHOOK_SECRET, post_order, receiver  # noqa: F401
from weft_process import call, wait_until

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
CALLER = "00f067aa0ba902b7"


@pytest.fixture
def node(weft_factory, receiver):  # noqa: F811
    return weft_factory(estate=EXAMPLE / "estate", settings=["egress.allow=127.0.0.0/8"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                     "CRM_URL": receiver.url}).start()


class Prometheus:
    """Debian's, on a free port, with its data in a folder of the test's."""

    def __init__(self, folder, target):
        (folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "weft", "static_configs": [{"targets": [target]}]}]}))
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = open(folder / "prometheus.log", "w")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address={self.url.removeprefix('http://')}", "--enable-feature=exemplar-storage"],
            stdout=self.log, stderr=self.log, cwd=folder)

    def get(self, path, **parameters):
        try:
            answer = call("GET", f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        except OSError:
            assert self.process.poll() is None, "prometheus ended"
            return None
        return answer.json()["data"] if answer.status == 200 else None

    def value(self, query):
        found = (self.get("query", query=query) or {"result": []})["result"]
        return float(found[0]["value"][1]) if found else None

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.fixture
def prometheus(node, tmp_path):
    assert shutil.which("prometheus"), "the package prometheus is missing: ./dev test installs it"
    made = Prometheus(tmp_path, node.node["ops"].removeprefix("http://"))
    yield made
    made.stop()


def post_traced(node):
    trace = uuid.uuid4().hex
    assert post_order(node, uuid.uuid4().hex, traceparent=f"00-{trace}-{CALLER}-01").status == 201
    return trace


def test_promtool_finds_nothing_to_say_about_the_metrics(node, receiver):  # noqa: F811
    post_traced(node)
    wait_until(receiver.accepted, what="the delivery")
    text = call("GET", node.node["ops"] + "/metrics").body

    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_the_format_is_the_one_that_is_asked_for(node):
    post_traced(node)

    plain = call("GET", node.node["ops"] + "/metrics")
    openly = call("GET", node.node["ops"] + "/metrics", headers={"Accept": OPEN_METRICS})

    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert openly.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert plain.headers["Vary"] == openly.headers["Vary"] == "Accept"
    assert openly.body.endswith(b"\n# EOF\n") and b"# EOF" not in plain.body
    assert b"# TYPE weft_gateway_requests counter\n" in openly.body
    assert b"# TYPE weft_gateway_requests_total counter\n" in plain.body


def test_prometheus_scrapes_values_and_exemplars(node, prometheus):
    trace = post_traced(node)
    orders = 'weft_gateway_requests_total{route="/orders",method="POST",status="2xx"}'

    wait_until(lambda: prometheus.value(orders) == 1, seconds=30, what="the request in Prometheus")

    targets = prometheus.get("targets")["activeTargets"]
    assert [(target["health"], target["lastError"]) for target in targets] == [("up", "")]
    # What was scraped is what the node says, histograms included.
    assert prometheus.value('weft_gateway_request_seconds_count{route="/orders",method="POST"}') == 1
    assert prometheus.value('histogram_quantile(0.99, weft_gateway_request_seconds_bucket{route="/orders",method="POST"})') > 0
    def exemplars():
        found = prometheus.get("query_exemplars", query="weft_gateway_request_seconds_bucket", start=0, end=1 << 34)
        return [each["labels"]["trace_id"] for series in found or [] for each in series["exemplars"]]

    wait_until(lambda: trace in exemplars(), seconds=30, what="the exemplar in Prometheus")
    shown = json.loads(node.cli("trace", trace, "-o", "json").stdout)
    assert "POST /orders" in {span["name"] for span in shown["spans"]}
