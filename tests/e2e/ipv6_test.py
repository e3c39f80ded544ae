"""A whole node on IPv6: every listener, the clients that people use, upstreams, webhooks and the egress allow-list."""
import base64
import http.server
import json
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from weft_process import call, wait_until

TOPIC = "v6.note.sent.v1"


class Server6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


class Peer:
    """An upstream and a receiver of webhooks on ::1; keeps what it was sent."""

    def __init__(self):
        peer = self
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                peer.requests.append((self.command, self.path, dict(self.headers), body))
                text = json.dumps({"path": self.path}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = Server6(("::1", 0), Handler)
        self.url = f"http://[::1]:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def sent_to(self, path):
        return [request for request in self.requests if request[1] == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def peer():
    one = Peer()
    yield one
    one.close()


def documents(peer):
    responses = {"200": {"description": "done"}}
    note = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
    body = {"required": True, "content": {"application/json": {"schema": note}}}
    contract = {"openapi": "3.1.0", "info": {"title": "Notes", "version": "1.0.0"},
                "paths": {"/notes": {"post": {"operationId": "send", "requestBody": body, "responses": {"201": {"description": "kept"}}}},
                          "/forwarded": {"get": {"operationId": "forward", "responses": responses}}}}

    def document(kind, name, spec):
        return {"apiVersion": "weft/v1", "kind": kind, "metadata": {"name": name, "owner": "tests"}, "spec": spec}

    return [document("Stream", TOPIC, {"opaque": True, "partitions": 1}),
            document("Upstream", "peer", {"targets": [peer.url]}),
            document("Api", "notes", {"version": "1.0.0", "openapi": contract, "authentication": "none", "upstream": "peer",
                                      "operations": {"send": {"idempotency": "none", "publish": {"stream": TOPIC}}}}),
            document("Subscription", "peer", {"stream": TOPIC, "from": "earliest", "endpoint": {"url": f"{peer.url}/hook"},
                                              "signing": {"secrets": ["whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]}})]


@pytest.fixture
def start(weft_factory, peer, tmp_path):
    folder = tmp_path / "estate"
    folder.mkdir()
    for number, document in enumerate(documents(peer)):
        (folder / f"{number}.json").write_text(json.dumps(document))

    def make(*settings, address="::1"):
        return weft_factory(estate=folder, settings=[f"listen.address={address}", "kafka.anonymous=true", *settings]).start()

    return make


def curl(*words):
    return subprocess.run(["curl", "-sS", "-g", "--max-time", "20", *words], text=True, capture_output=True, check=True).stdout


def kcat(*words):
    return subprocess.run(["kcat", *words], text=True, capture_output=True, check=True, timeout=60).stdout


def listening_on_ipv4(pid):
    own = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own]


def test_a_node_on_ipv6_alone_does_the_main_job(start, peer):
    node = start("egress.allow=::1/128")

    published = curl("-d", '{"text": "hello"}', "-H", "Content-Type: application/json", node.gateway + "/notes")
    forwarded = curl(node.gateway + "/forwarded")
    told = kcat("-b", node.kafka, "-L", "-J")
    read = kcat("-b", node.kafka, "-C", "-t", TOPIC, "-o", "beginning", "-e", "-q")
    subprocess.run(["kcat", "-b", node.kafka, "-P", "-t", TOPIC], input="from kcat", text=True, check=True, timeout=60)
    hub = curl("-o", "/dev/null", "-w", "%{http_code} %{remote_ip}", node.node["admin"] + "/")
    hooks = wait_until(lambda: len(peer.sent_to("/hook")) >= 2 and peer.sent_to("/hook"), what="both deliveries")

    assert listening_on_ipv4(node.process.pid) == []
    assert "eventId" in json.loads(published)
    assert json.loads(forwarded) == {"path": "/forwarded"}
    assert peer.sent_to("/forwarded")[0][2]["Host"] == peer.url.removeprefix("http://")
    assert peer.sent_to("/forwarded")[0][2]["X-Forwarded-For"] == "::1"
    assert json.loads(told)["brokers"][0]["name"] == "::1:" + node.kafka.rsplit(":", 1)[1]
    assert read == '{"text": "hello"}\n'
    assert hub.startswith("200 ::1")
    assert curl(node.node["ops"] + "/readyz") == "ready\n"
    events = [json.loads(hook[3]) for hook in hooks]
    assert {"text": "hello"} in [event.get("data") for event in events]
    assert base64.b64encode(b"from kcat").decode() in [event.get("data_base64") for event in events]
    assert TOPIC in node.cli("stream", "list").stdout


def test_an_ipv6_range_that_does_not_hold_the_address_stops_it(start, peer):
    node = start("egress.allow=fc00::/7,[::1]:1")
    curl("-d", '{"text": "hello"}', "-H", "Content-Type: application/json", node.gateway + "/notes")

    refused = call("GET", node.gateway + "/forwarded")
    failed = wait_until(lambda: [item for item in json.loads(node.cli("delivery", "list", "-o", "json").stdout)["items"]
                                 if item["attempts"]], what="a failed attempt")

    assert refused.status in (502, 503)
    assert "allow-list" in json.dumps(node.admin("GET", f"/deliveries/{failed[0]['id']}").json())
    assert peer.requests == []


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_a_listener_on_every_address_is_told_under_one_that_this_machine_reaches(start, peer, address):
    node = start(address=address)

    assert node.node["admin"].startswith("http://127.0.0.1:")
    assert TOPIC in node.cli("stream", "list").stdout
    assert call("GET", node.node["admin"] + "/").status == 200


def test_every_address_means_both_families(start, peer):
    node = start("egress.allow=[::1]", address="::")
    port = node.gateway.rsplit(":", 1)[1]
    kafka = node.kafka.rsplit(":", 1)[1]

    assert [json.loads(curl(f"http://{host}:{port}/forwarded"))["path"] for host in ("127.0.0.1", "[::1]")] == ["/forwarded"] * 2
    assert re.search(r"localhost:\d+", kcat("-b", f"127.0.0.1:{kafka}", "-L"))
    assert re.search(r"localhost:\d+", kcat("-b", f"[::1]:{kafka}", "-L"))


def test_kafka_clients_are_sent_to_the_ipv6_address_that_is_advertised(start, peer):
    node = start("egress.allow=::1", "kafka.advertisedHost=::1", address="::")
    kafka = node.kafka.rsplit(":", 1)[1]
    curl("-d", '{"text": "hello"}', "-H", "Content-Type: application/json", node.gateway + "/notes")

    read = kcat("-b", f"127.0.0.1:{kafka}", "-C", "-t", TOPIC, "-o", "beginning", "-e", "-q")

    assert read == '{"text": "hello"}\n'
