"""The smuggling corpus through the real binary to a real nginx and a real HAProxy: what Weft's access log says was
forwarded is what their access logs have counted, request for request, and no answer ever belongs to another request."""
import json
import re
import shutil
import socket
import subprocess
from collections import Counter

import pytest
from conftest import free_port
from smuggling_corpus import CASES
from weft_process import wait_until

PATHS = {"/c/{case}": ("get", "head", "post"), "/smuggled/{case}": ("get",), "/probe/{case}": ("get",)}
NGINX = """
daemon off; worker_processes 1; pid FOLDER/nginx.pid; error_log FOLDER/nginx-error.log;
events { worker_connections 256; }
http {
  log_format line escape=json '{"method":"$request_method","path":"$uri","status":$status}';
  access_log FOLDER/nginx.log line;
  client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
  server { listen 127.0.0.1:PORT; location / { return 200 "$request_method $uri"; } }
}
"""
HAPROXY = """
global
  log stdout format raw local0
defaults
  mode http
  log global
  option dontlognull
  option http-keep-alive
  http-reuse always
  timeout client 3s
  timeout server 10s
  timeout connect 5s
  log-format '{"method":"%HM","path":"%[var(txn.path),json]","status":%ST,"server":"%s","ended":"%ts"}'
frontend in
  bind 127.0.0.1:PORT proto h1
  http-request set-var(txn.path) path
  default_backend out
backend out
  server origin 127.0.0.1:UPSTREAM
"""


def estate_text(upstream_port):
    def operation(path, method):
        return {"operationId": method + path.split("/")[1], "responses": {"200": {"description": "what came"}},
                "parameters": [{"name": "case", "in": "path", "required": True, "schema": {"type": "string"}}]}

    upstream = {"apiVersion": "weft/v1", "kind": "Upstream", "metadata": {"name": "origin", "owner": "tests"},
                "spec": {"targets": [f"http://127.0.0.1:{upstream_port}"], "timeout": "10s"}}
    api = {"apiVersion": "weft/v1", "kind": "Api", "metadata": {"name": "corpus", "owner": "tests"},
           "spec": {"version": "1.0.0", "authentication": "none", "validation": "none", "upstream": "origin",
                    "openapi": {"openapi": "3.1.0", "info": {"title": "Corpus", "version": "1.0.0"},
                                "paths": {path: {method: operation(path, method) for method in methods}
                                          for path, methods in PATHS.items()}}}}
    return json.dumps(upstream) + "\n---\n" + json.dumps(api)


class Peer:
    """A server of another make in a process of its own, and the access log that it keeps."""

    def __init__(self, folder, upstream_port=None):
        self.folder = folder
        folder.mkdir()
        self.port = free_port()
        self.log = folder / f"{self.program}.log"
        config = folder / "config"
        config.write_text(self.config.replace("FOLDER", str(folder)).replace("PORT", str(self.port))
                          .replace("UPSTREAM", str(upstream_port)))
        out = open(folder / "out.log", "wb")
        self.process = subprocess.Popen([shutil.which(self.program, path="/usr/sbin:/usr/bin"), *self.words(config)],
                                        stdout=open(self.log, "wb") if self.program == "haproxy" else out, stderr=out)
        wait_until(self._listens, what=f"{self.program} to listen")

    def _listens(self):
        assert self.process.poll() is None, (self.folder / "out.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def entries(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Nginx(Peer):
    program = "nginx"
    config = NGINX

    def words(self, config):
        return ["-p", str(self.folder), "-c", str(config)]


class HAProxy(Peer):
    program = "haproxy"
    config = HAPROXY

    def words(self, config):
        return ["-db", "-f", str(config)]


@pytest.fixture
def peers(tmp_path):
    started = []

    def start(kind, *args):
        started.append(kind(tmp_path / f"{kind.program}-{len(started)}", *args))
        return started[-1]

    yield start
    for peer in reversed(started):
        peer.stop()


@pytest.fixture
def gateway_to(weft_factory, tmp_path):
    def start(port):
        estate = tmp_path / "estate"
        estate.mkdir()
        (estate / "corpus.yaml").write_text(estate_text(port))
        # One loop: one pool of upstream connections, so that a connection that was left askew is the next one's.
        weft = weft_factory(estate=estate, settings=["threads.loops=1", "egress.allow=127.0.0.0/8",
                                                     f"gateway.accessLog={tmp_path}/access.log"])
        weft.access_log = tmp_path / "access.log"
        return weft.start()

    return start


def exchange(port, data, half_closes=False):
    """Sends bytes on one connection and returns all that comes back until its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        received = b""
        try:
            connection.sendall(data)
            if half_closes:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return received


def answers_in(received, methods=()):
    """Each answer: the body of a 200 (what the upstream echoed), else the status. Nothing may be left over."""
    answers = []
    methods = list(methods)
    while received:
        head, end, received = received.partition(b"\r\n\r\n")
        assert end and head.startswith(b"HTTP/1."), head[:200]
        status = int(head.split(b" ", 2)[1])
        if status == 100:
            continue
        method = methods.pop(0) if methods else "GET"
        length = re.search(rb"(?im)^content-length: *(\d+)\r?$", head)
        assert length, head
        size = 0 if method == "HEAD" else int(length[1])
        body, received = received[:size], received[size:]
        assert len(body) == size, "a cut answer"
        answers.append((body.decode() or method) if status == 200 else status)
    return answers


PROBES = "pq"
SENTINEL = "GET /probe/{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def run_case(port, number, case):
    """Sends a case and its sentinel; returns what was wanted and what came, each as the list of answers."""
    sentinel = b"" if case.half_closes else SENTINEL.format(f"s{number}").encode()
    received = exchange(port, case.text(number) + sentinel, case.half_closes)
    wanted = [answer.replace("{n}", str(number)) if isinstance(answer, str) else answer for answer in case.answers]
    wanted += [] if case.ends else [f"GET /probe/s{number}"]
    methods = [answer.split()[0] if isinstance(answer, str) else "GET" for answer in wanted]
    # Whatever happened, the next ones, who have the same upstream connections, get what is theirs.
    for who in PROBES:
        probe = exchange(port, SENTINEL.format(f"{who}{number}").encode())
        assert answers_in(probe) == [f"GET /probe/{who}{number}"], case.name
    return ["HEAD" if str(answer).startswith("HEAD ") else answer for answer in wanted], answers_in(received, methods)


def paths(entries):
    return Counter(entry["path"] for entry in entries)


def weft_entries(weft):
    return [json.loads(line) for line in weft.access_log.read_text().splitlines()]


def forwarded(entries):
    return [entry for entry in entries if entry.get("upstream")]


def end_and_compare(weft, upstream):
    """Both logs, once everything that was asked is in them; they must agree path for path."""
    refused = weft.metric("weft_http_refused_total")
    unrouted = weft.metric("weft_gateway_unrouted_total")
    requests = weft.metric("weft_gateway_requests_total")
    weft.stop()
    entries = weft_entries(weft)
    wait_until(lambda: len(upstream.entries()) >= len(forwarded(entries)), what="the upstream's log lines")
    upstream.stop()
    assert len(entries) == requests + unrouted
    assert paths(forwarded(entries)) == paths(upstream.entries())
    return entries, refused


@pytest.mark.parametrize("kind", [Nginx, HAProxy])
def test_an_upstream_counts_what_the_access_log_says_was_forwarded(peers, gateway_to, kind):
    origin = peers(Nginx)
    upstream = origin if kind is Nginx else peers(HAProxy, origin.port)
    weft = gateway_to(upstream.port)
    port = int(weft.gateway.rsplit(":", 1)[1])

    for number, case in enumerate(CASES):
        wanted, answers = run_case(port, number, case)
        assert answers == wanted, case.name

    entries, refused = end_and_compare(weft, upstream)
    wanted = Counter(path.format(n=number) for number, case in enumerate(CASES) for path in case.forwarded)
    wanted.update(f"/probe/s{number}" for number, case in enumerate(CASES) if not case.ends)
    wanted.update(f"/probe/{who}{number}" for number in range(len(CASES)) for who in PROBES)
    assert paths(forwarded(entries)) == wanted
    assert refused == sum(1 for case in CASES if case.ends and not case.forwarded)
    assert len(CASES) >= 60


def test_behind_haproxy_the_origin_counts_what_the_access_log_says_was_forwarded(peers, gateway_to):
    origin = peers(Nginx)
    weft = gateway_to(origin.port)
    front = peers(HAProxy, int(weft.gateway.rsplit(":", 1)[1]))

    for number, case in enumerate(CASES):
        _, answers = run_case(front.port, number, case)
        # What HAProxy refuses is its own choice; what it lets through is answered with what belongs to it.
        own = re.compile(rf"(GET|POST|HEAD) /(c|smuggled)/({number}|x)\b|GET /probe/s{number}$|HEAD$")
        assert all(own.match(answer) for answer in answers if isinstance(answer, str)), (case.name, answers)

    entries, refused = end_and_compare(weft, origin)
    front.stop()
    let_through = [entry for entry in front.entries() if entry["server"] == "origin"]
    assert len(let_through) == len(entries) + refused
    assert paths(entries) <= paths(let_through)
    assert 0 < refused < len(CASES)
