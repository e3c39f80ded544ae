"""Others send their traces, metrics and logs by OTLP/HTTP; they are found beside Weft's own."""
import gzip
import http.client
import json
import socket
import subprocess
import time
import uuid

import pytest
from order_flow_test import EXAMPLE, SHOP_KEY, WEBHOOK_SECRET, post_order, receiver  # noqa: F401
from weft_process import OnFixedPorts, call, wait_until

SERVICE = {"attributes": [{"key": "service.name", "value": {"stringValue": "crm"}}]}


def send(node, signal, body, content_type="application/json", key=None, **headers):
    if key is None:
        key = node.token
    if key:
        headers["X-Api-Key"] = key
    return call("POST", f"{node.node['otlp']}/v1/{signal}", body if isinstance(body, bytes) else json.dumps(body).encode(),
                {"Content-Type": content_type, **headers})


def status_of_a_long_body(node):
    """The body is announced, not sent: its length alone is refused."""
    connection = http.client.HTTPConnection(node.node["otlp"].removeprefix("http://"), timeout=20)
    connection.putrequest("POST", "/v1/traces")
    for name, value in (("Content-Type", "application/json"), ("X-Api-Key", node.token), ("Content-Length", str(1 << 30))):
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def span_request(trace, **more):
    now = time.time_ns()
    span = {"traceId": trace, "spanId": "00f067aa0ba902b7", "name": "import order", "kind": 5, "startTimeUnixNano": str(now - 10**6),
            "endTimeUnixNano": str(now), "attributes": [{"key": "weft.business_key", "value": {"stringValue": "SO-00004711"}}], **more}
    return {"resourceSpans": [{"resource": SERVICE, "scopeSpans": [{"scope": {"name": "crm"}, "spans": [span]}]}]}


@pytest.fixture
def node(weft_factory):
    return weft_factory().start()


@pytest.mark.parametrize("packed", [False, True])
def test_a_foreign_span_is_found_by_id_service_and_business_key(node, packed):
    trace = uuid.uuid4().hex
    body = json.dumps(span_request(trace)).encode()
    answer = send(node, "traces", gzip.compress(body) if packed else body, **({"Content-Encoding": "gzip"} if packed else {}))
    assert (answer.status, answer.json(), answer.headers["Content-Type"]) == (200, {}, "application/json")

    shown = wait_until(lambda: json.loads(node.cli("trace", trace, "-o", "json", check=False).stdout or "{}").get("spans"),
                       what="the span")
    assert [(span["name"], span["service"], span["kind"]) for span in shown] == [("import order", "crm", "consumer")]
    for query in ("service=crm", "key=SO-00004711"):
        assert [t["traceId"] for t in node.admin("GET", f"/traces?{query}").json()["items"]] == [trace]


def test_foreign_log_records_are_searched_like_lines(node):
    trace = uuid.uuid4().hex
    record = {"timeUnixNano": str(time.time_ns()), "severityNumber": 17, "body": {"stringValue": "no stock left"}, "traceId": trace,
              "attributes": [{"key": "weft.business_key", "value": {"stringValue": "SO-00004711"}}]}
    answer = send(node, "logs", {"resourceLogs": [{"resource": SERVICE, "scopeLogs": [{"logRecords": [record]}]}]})
    assert (answer.status, answer.json()) == (200, {})

    for words in (["--module", "crm"], ["--trace", trace], ["--key", "SO-00004711"], ["--level", "error", "--text", "stock"]):
        lines = [json.loads(line) for line in node.cli("logs", *words, "-o", "json").stdout.splitlines()]
        assert [(line["message"], line["level"], line["trace_id"]) for line in lines] == [("no stock left", "error", trace)]


def test_foreign_metrics_are_exposed(node):
    def metrics(temporality):
        point = {"asInt": "3", "attributes": [{"key": "queue", "value": {"stringValue": "orders"}}]}
        return {"resourceMetrics": [{"resource": SERVICE, "scopeMetrics": [{"metrics": [
            {"name": "crm.jobs", "description": "Jobs", "sum": {"aggregationTemporality": temporality, "isMonotonic": True,
                                                               "dataPoints": [point]}}]}]}]}

    assert send(node, "metrics", metrics(2)).json() == {}
    partial = send(node, "metrics", metrics(1)).json()["partialSuccess"]

    assert partial["rejectedDataPoints"] == "1" and "cumulative" in partial["errorMessage"]
    assert 'crm_jobs_total{queue="orders",service="crm"} 3\n' in call("GET", node.node["ops"] + "/metrics").body.decode()


def test_what_cannot_be_taken_is_refused_as_the_specification_says(node):
    good = span_request(uuid.uuid4().hex)

    for answer, status in ((send(node, "traces", good, key=""), 401), (send(node, "traces", good, key="wrong"), 401),
                           (send(node, "traces", b"{"), 400), (send(node, "traces", b"[]"), 400),
                           (send(node, "traces", b"no gzip", **{"Content-Encoding": "gzip"}), 400),
                           (send(node, "traces", good, **{"Content-Encoding": "br"}), 415),
                           (send(node, "profiles", good), 404)):
        assert answer.status == status
        assert set(answer.json()) == {"code", "message"}, answer.body
    assert send(node, "traces", b"text", "text/plain").status == 415
    protobuf = send(node, "traces", b"\x0a\xff", "application/x-protobuf")
    assert (protobuf.status, protobuf.headers["Content-Type"]) == (400, "application/x-protobuf")
    assert protobuf.body.startswith(b"\x08\x03\x12")  # google.rpc.Status: code 3, then its message
    assert status_of_a_long_body(node) == 413
    assert send(node, "traces", span_request("0" * 32)).json()["partialSuccess"]["rejectedSpans"] == "1"
    assert node.admin("GET", "/traces?service=crm").json()["items"] == []


def test_one_node_takes_what_another_exports(weft_factory, receiver):  # noqa: F811
    taking = weft_factory("taking", settings=["telemetry.otlpAnonymous=true"]).start()
    sending = weft_factory("sending", estate=EXAMPLE / "estate",
                           settings=["egress.allow=127.0.0.0/8", f"telemetry.otlpEndpoint={taking.node['otlp']}"],
                           environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                        "CRM_URL": receiver.url}).start()
    trace = uuid.uuid4().hex
    assert post_order(sending, "key-1", traceparent=f"00-{trace}-00f067aa0ba902b7-01").status == 201

    def spans(node):
        result = node.cli("trace", trace, "-o", "json", check=False)
        found = json.loads(result.stdout)["spans"] if result.returncode == 0 else []
        return {(span["spanId"], span["parentSpanId"], span["name"], span["start"], span["end"]) for span in found}

    wait_until(lambda: len(spans(taking)) == 3, what="the spans at the other node")
    assert spans(taking) == spans(sending)


def test_the_receiver_can_be_off(weft_factory):
    assert "otlp" not in weft_factory(settings=["telemetry.otlpReceiver=false"]).start().node


@pytest.fixture
def beside_a_collector(tmp_path):
    """A node whose port for OTLP somebody else holds, and that port."""
    held = [socket.socket() for _ in range(5)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held[1:]:
        each.close()
    held[0].listen()
    names = ("otlp", "admin", "gateway", "kafka", "ops")
    node = OnFixedPorts(tmp_path, settings=[f"ports.{name}={port}" for name, port in zip(names, ports)])
    yield node.start(), ports[0]
    node.stop()
    held[0].close()


def test_a_node_starts_beside_a_collector_that_has_the_port_and_says_so(beside_a_collector):
    node, port = beside_a_collector

    line = next(line for line in map(json.loads, node.log_text().splitlines()) if line["message"].startswith("no OTLP is taken"))
    assert line["level"] == "warn" and line["endpoint"] == f"127.0.0.1:{port}"
    assert "set ports.otlp to another, or telemetry.otlpReceiver to false" in line["message"]
    assert "otlp" not in node.node
    doctor = json.loads(node.cli("doctor", "-o", "json", "--set", f"ports.otlp={port}", check=False).stdout)
    finding = next(check for check in doctor["checks"] if check["name"] == "ports.otlp")
    assert (finding["status"], finding["observed"]) == ("warn", f"127.0.0.1:{port} is held by another process")


@pytest.mark.parametrize("setting, is_open", [("listen.address=0.0.0.0", False), ("listen.otlpAddress=0.0.0.0", True)])
def test_the_receiver_is_not_open_to_the_network_unless_it_is_told_to_be(weft_factory, setting, is_open):
    node = weft_factory(settings=[setting]).start()
    port = int(node.node["otlp"].rsplit(":", 1)[1])

    with socket.socket() as caller:
        # Another address of this machine, which stands for that of the network.
        assert (caller.connect_ex(("127.0.0.2", port)) == 0) == is_open


def test_a_node_does_not_send_its_telemetry_to_itself(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    node = OnFixedPorts(tmp_path, settings=["ports.admin=0", "ports.gateway=0", "ports.kafka=0", "ports.ops=0", f"ports.otlp={port}",
                                            f"telemetry.otlpEndpoint=http://localhost:{port}"])

    ended = subprocess.run(node.command(), capture_output=True, text=True, timeout=60, cwd=tmp_path)

    assert ended.returncode != 0
    assert "is this node's own receiver" in ended.stderr
