"""Traces and log lines outlive the node; an order number finds all of its order; sampling keeps what went wrong."""
import http.client
import http.server
import json
import subprocess
import threading
import urllib.parse
import uuid

import pytest
from order_flow_test import EXAMPLE, SHOP_KEY, STREAM, WEBHOOK_SECRET, impatient, post_order, receiver  # noqa: F401
from weft_process import BINARY, call, wait_until

CALLER = "00f067aa0ba902b7"
ORDER = json.loads((EXAMPLE / "order.json").read_text())


@pytest.fixture
def start(weft_factory, receiver):  # noqa: F811
    def make(*settings):
        return weft_factory(estate=EXAMPLE / "estate", settings=["egress.allow=127.0.0.0/8", *settings],
                            environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                         "CRM_URL": receiver.url}).start()
    return make


def order(number):
    return json.dumps({**ORDER, "orderId": number}).encode()


def post_traced(weft, number, flags="01"):
    trace = uuid.uuid4().hex
    answer = post_order(weft, uuid.uuid4().hex, order(number), traceparent=f"00-{trace}-{CALLER}-{flags}")
    return trace, answer.status


def traces(weft, **query):
    answer = weft.admin("GET", "/traces?" + urllib.parse.urlencode(query))
    assert answer.status == 200, answer.body
    return answer.json()["items"]


def listed(weft, *words):
    return {item["traceId"] for item in json.loads(weft.cli("trace", "list", *words, "-o", "json").stdout)["items"]}


def shown_spans(weft, trace):
    result = weft.cli("trace", trace, "-o", "json", check=False)
    return {span["name"] for span in json.loads(result.stdout)["spans"]} if result.returncode == 0 else set()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_traces_and_logs_outlive_the_node(start, receiver, end):  # noqa: F811
    node = start()
    trace, status = post_traced(node, "SO-00004711")
    assert status == 201
    wait_until(receiver.accepted, what="the delivery")
    whole = {"POST /orders", f"append {STREAM}", "deliver crm"}
    wait_until(lambda: shown_spans(node, trace) == whole, what="the trace before")
    if end == "kill":
        # What was written before a kill stays; wait until it is.
        wait_until(lambda: node.metric("weft_telemetry_trace_disk_bytes") > 0, what="the trace on disk")
        files = list((node.data / "telemetry/traces").iterdir())
        wait_until(lambda: trace.encode() in b"".join(f.read_bytes() for f in files).hex().encode(), what="the trace on disk")
        wait_until(lambda: b'"ready"' in b"".join(f.read_bytes() for f in (node.data / "telemetry/logs").iterdir()),
                   what="the line on disk")
        node.kill()
    else:
        assert node.stop() == 0
    node.start()

    wait_until(lambda: len(shown_spans(node, trace)) >= (3 if end == "stop" else 1), what="the trace after the restart")
    assert trace in listed(node, "--route", "/orders", "--key", "SO-00004711")
    lines = node.admin("GET", "/logs?text=ready&module=node").json()["items"]
    assert len(lines) == 2 and {line["message"] for line in lines} == {"ready"}


def test_traces_are_found_by_key_route_error_time_and_duration(start):
    node = start()
    found, _ = post_traced(node, "SO-00004711")
    other, _ = post_traced(node, "SO-00004712")
    refused, status = post_traced(node, "not an order number")
    assert status == 400

    wait_until(lambda: {found, other, refused} <= {t["traceId"] for t in traces(node)}, what="the traces")
    assert [t["traceId"] for t in traces(node, key="SO-00004711")] == [found]
    assert traces(node, key="SO-00004711")[0]["businessKeys"] == ["SO-00004711"]
    assert traces(node, key="SO-0000471") == []
    assert {found, other, refused} == listed(node, "--route", "/orders")
    assert listed(node, "--route", "/none") == set()
    assert found in listed(node, "--since", "10m") and listed(node, "--since", "2199-01-01T00:00:00Z") == set()
    assert traces(node, until="10m") == [] and traces(node, minDurationMs=60_000) == []
    assert node.admin("GET", "/traces?since=yesterday").status == 400


def test_pages_of_traces_have_each_once(start):
    node = start()
    for number in range(7):
        post_traced(node, f"SO-0000000{number}")
    wait_until(lambda: len(traces(node, route="/orders")) == 7, what="the traces")

    seen, cursor = [], ""
    while True:
        page = node.admin("GET", f"/traces?route=/orders&limit=3&cursor={cursor}").json()
        seen += [item["traceId"] for item in page["items"]]
        cursor = page.get("nextCursor")
        if not cursor:
            break

    assert len(seen) == len(set(seen)) == 7


def test_an_order_number_finds_traces_and_log_lines(weft_factory, receiver, tmp_path):  # noqa: F811
    node = weft_factory(estate=impatient(tmp_path), settings=["egress.allow=127.0.0.0/8"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                     "CRM_URL": receiver.url}).start()
    receiver.statuses = [500, 500]
    trace, _ = post_traced(node, "SO-00004711")
    other, _ = post_traced(node, "SO-00004712")

    def lines_of(number):
        return [json.loads(line) for line in node.cli("logs", "--key", number, "-o", "json").stdout.splitlines()]

    # The subscriber's refusals made dead letters of both; each line belongs to its order.
    first = wait_until(lambda: lines_of("SO-00004711"), what="the line of the first order")
    second = wait_until(lambda: lines_of("SO-00004712"), what="the line of the second order")
    assert [(line["module"], line["trace_id"]) for line in first] == [("delivery", trace)]
    assert [(line["module"], line["trace_id"]) for line in second] == [("delivery", other)]
    assert listed(node, "--key", "SO-00004711") == {trace}
    assert listed(node, "--key", "SO-00004711", "--error") == {trace}


def test_a_cloud_event_is_found_by_its_business_key(start):
    node = start()
    event = {"specversion": "1.0", "id": "e-1", "source": "/tests", "type": STREAM, "data": {**ORDER, "orderId": "SO-00009999"}}
    answer = call("POST", f"{node.gateway}/events/{STREAM}", json.dumps(event).encode(),
                  {"Authorization": f"Bearer {node.token}", "Content-Type": "application/cloudevents+json"})
    assert answer.status == 201, answer.body

    found = wait_until(lambda: traces(node, key="SO-00009999"), what="the trace of the event")
    assert [trace["name"] for trace in found] == [f"publish {STREAM}"]


def produced(node, number, *headers):
    """Sent by kcat, as any Kafka client would."""
    subprocess.run(["kcat", "-b", node.kafka, "-P", "-t", STREAM, "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN",
                    "-X", "sasl.username=admin", "-X", f"sasl.password={node.token}", *(word for h in headers for word in ("-H", h))],
                   input=json.dumps({**ORDER, "orderId": number}), text=True, check=True, timeout=60)


def test_an_order_number_finds_all_that_came_of_a_kafka_record_in_order_of_time(weft_factory, receiver, tmp_path):  # noqa: F811
    node = weft_factory(estate=impatient(tmp_path), settings=["egress.allow=127.0.0.0/8"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                     "CRM_URL": receiver.url}).start()
    receiver.statuses = [500, 500]
    produced(node, "SO-00004711")
    produced(node, "SO-00004712")

    def timeline():
        entries = json.loads(node.cli("timeline", "SO-00004711", "-o", "json").stdout)["items"]
        return entries if {"event", "delivery", "log"} <= {entry["kind"] for entry in entries} else None

    entries = wait_until(timeline, what="the record, its delivery and their lines")
    assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)
    assert len({entry["traceId"] for entry in entries}) == 1
    assert [entry["what"] for entry in entries if entry["kind"] == "event"] == [f"produce {STREAM}"]
    assert [entry["what"] for entry in entries if entry["kind"] == "delivery"] == ["deliver crm"]
    assert [entry["kind"] for entry in entries][:2] == ["event", "delivery"]
    shown = node.cli("timeline", "SO-00004711").stdout
    assert f"produce {STREAM}" in shown and "deliver crm" in shown
    assert node.cli("timeline", "SO-99999999", "-o", "json").stdout.split() == ['{"items":[]}']


def test_a_kafka_record_goes_on_with_the_trace_that_it_brings(start, receiver):  # noqa: F811
    node = start()
    trace = uuid.uuid4().hex

    produced(node, "SO-00004711", f"traceparent=00-{trace}-{CALLER}-01")

    wait_until(lambda: shown_spans(node, trace) == {f"produce {STREAM}", "deliver crm"}, what="the trace")
    assert listed(node, "--key", "SO-00004711") == {trace}


def test_logs_are_searched_and_followed(start):
    node = start()

    wait_until(lambda: "ready" in node.cli("logs", "--module", "node").stdout, what="the line")
    assert "ready" not in node.cli("logs", "--level", "error").stdout
    assert node.cli("logs", "--text", "READY", "--since", "10m", "--limit", "1").stdout.count("\n") == 1
    assert node.admin("GET", "/logs?level=loud").status == 400
    assert node.admin("GET", "/logs?after=nonsense").status == 400
    followed = subprocess.Popen([str(BINARY), "logs", "--follow", "--text", "authentication failed", "--data", str(node.data)],
                                stdout=subprocess.PIPE, text=True)
    try:
        subprocess.run(["kcat", "-b", node.kafka, "-L", "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanisms=PLAIN",
                        "-X", "sasl.username=nobody", "-X", "sasl.password=guessed", "-m", "2"], capture_output=True, timeout=30)
        assert "authentication failed" in followed.stdout.readline()
    finally:
        followed.terminate()
        followed.wait(10)
        followed.stdout.close()
    # What was sent to authenticate is not said.
    assert "guessed" not in node.cli("logs", "--text", "authentication failed").stdout


class Upstream:
    """Answers 500 to /fail/…, 200 to all else."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(500 if self.path.startswith("/fail") else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def estate(self):
        upstream = {"apiVersion": "weft/v1", "kind": "Upstream", "metadata": {"name": "origin", "owner": "tests"},
                    "spec": {"targets": [f"http://127.0.0.1:{self.server.server_port}"]}}
        document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {
            f"/{name}/{{number}}": {"get": {"operationId": name, "responses": {"200": {"description": "answer"}},
                                            "parameters": [{"name": "number", "in": "path", "required": True,
                                                            "schema": {"type": "string"}}]}} for name in ("work", "fail")}}
        api = {"apiVersion": "weft/v1", "kind": "Api", "metadata": {"name": "origin", "owner": "tests"},
               "spec": {"version": "1.0.0", "authentication": "none", "upstream": "origin", "openapi": document}}
        return json.dumps(upstream) + "\n---\n" + json.dumps(api)


def test_sampling_keeps_all_errors_and_little_else_and_metrics_stay_exact(weft_factory, tmp_path):
    upstream = Upstream()
    estate = tmp_path / "estate"
    estate.mkdir()
    (estate / "origin.yaml").write_text(upstream.estate())
    node = weft_factory(estate=estate, settings=["egress.allow=127.0.0.0/8", "telemetry.sampling.ratio=0.01",
                                                 "telemetry.sampling.wait=1s"]).start()
    host, port = node.gateway.removeprefix("http://").rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    counts = {"work": 2000, "fail": 40}
    for number in range(counts["work"]):
        for name in ["work"] + (["fail"] if number % 50 == 0 else []):
            connection.request("GET", f"/{name}/{number}")
            connection.getresponse().read()
    connection.close()

    def left_out():
        return node.metric("weft_telemetry_sampled_out_spans_total")

    wait_until(lambda: left_out() > 0.95 * counts["work"], seconds=20, what="most spans to be left out")

    # What waits for its decision is listed too. 20 are expected of those that did not fail; 60 is beyond what
    # chance gives once in a million runs.
    def decided():
        kept = traces(node, limit=500)
        is_all = left_out() + len(kept) == sum(counts.values())
        return kept if is_all and sum(not trace["failed"] for trace in kept) < 60 else None

    kept = wait_until(decided, what="all to be decided")
    assert sum(trace["failed"] for trace in kept) == counts["fail"]
    assert {f"/fail/{number}" for number in range(0, 2000, 50)} == {
        span["attributes"]["url.path"] for trace in traces(node, errorsOnly="true", limit=500)
        for span in node.admin("GET", f"/traces/{trace['traceId']}").json()["spans"]}
    assert node.metric("weft_gateway_requests_total") == sum(counts.values())
    assert node.metric("weft_gateway_request_seconds_count") == sum(counts.values())
    assert node.metric("weft_telemetry_lost_spans_total") == 0
    upstream.server.shutdown()
    upstream.server.server_close()


def test_the_caller_decides_about_its_trace_unless_it_fails(start):
    node = start("telemetry.sampling.ratio=0", "telemetry.sampling.wait=0s")
    asked, _ = post_traced(node, "SO-00004711", flags="01")
    unasked, _ = post_traced(node, "SO-00004712", flags="00")
    post_order(node, uuid.uuid4().hex, order("SO-00004713"))

    wait_until(lambda: node.metric("weft_telemetry_sampled_out_spans_total") >= 4, what="the spans left out")
    wait_until(lambda: asked in listed(node), what="the trace that was asked for")
    assert listed(node, "--route", "/orders") == {asked}
    assert shown_spans(node, unasked) == set()
