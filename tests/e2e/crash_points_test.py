"""kill -9 of the real `weft serve` at every named crash point, under load.

The names come from the binary itself. At each, clients post idempotent orders, the process kills itself there, is
started again on the same data, and the clients go on with the keys that had no answer. Then: every answered order is in
the log exactly once and nothing else is; every answer is repeated byte for byte; every order was delivered, under one
webhook-id; the audit trail is whole.
"""
import http.client
import http.server
import json
import random
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.parse
import uuid

import pytest
from weft_process import BINARY, ROOT, wait_until

CLIENTS = 6
STREAM = "shop.order.placed.v1"
ESTATE = """
apiVersion: weft/v1
kind: Stream
metadata: {name: shop.order.placed.v1, owner: shop}
spec: {opaque: true, partitions: 3}
---
apiVersion: weft/v1
kind: Api
metadata: {name: shop, owner: shop}
spec:
  version: 1.0.0
  openapi: ${file:shop.openapi.yaml}
  authentication: none
  operations:
    placeOrder:
      idempotency: required
      publish: {stream: shop.order.placed.v1, key: /order, subject: /order}
---
apiVersion: weft/v1
kind: Subscription
metadata: {name: crm, owner: sales}
spec:
  stream: shop.order.placed.v1
  from: earliest
  endpoint: {url: "${env:CRM_URL}", timeout: 5s}
  signing: {secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}
  retry: {initialDelay: 100ms, attemptsMax: 50}
"""
OPENAPI = """
openapi: 3.1.0
info: {title: Shop, version: 1.0.0}
paths:
  /orders:
    post:
      operationId: placeOrder
      parameters:
        - {name: Idempotency-Key, in: header, required: true, schema: {type: string, minLength: 1}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [order], properties: {order: {type: string}}}
      responses: {'201': {description: The order is stored.}}
"""
MORE = ESTATE + """---
apiVersion: weft/v1
kind: Stream
metadata: {name: shop.order.shipped.v1, owner: shop}
spec: {opaque: true}
"""

# At which arrival: late enough that the load is on, since a start passes most of them too.
ARRIVALS = {
    "log.before-write": 40, "log.after-write-before-sync": 40, "log.after-sync-before-ack": 40, "log.after-ack": 40,
    "gateway.before-append": 60, "gateway.before-answer": 60,
    "delivery.before-send": 25, "delivery.after-answer": 25, "delivery.before-record": 15, "delivery.after-record": 15,
    "log.after-roll": 2, "log.during-placement": 4, "log.after-segment-sync": 2, "log.before-manifest": 2,
    "log.after-manifest": 2, "log.after-wal-recycled": 2,
    "archive.after-copy": 3, "archive.after-note": 3,
}
AT_START = {"log.during-recovery", "log.after-recovery-header", "upgrade.after-way-back"}
AT_END = {"log.during-close"}
# Only a log without an old file to make its spare from makes a new one.
ON_NEW_DATA = {"log.after-spare-created"}
# The orders' stream compacts; each order has a key of its own, so none may go.
ON_COMPACTION = {"log.after-compaction"}


def all_points(environment):
    """The names, as the binary lists them when it is asked for one that does not exist."""
    result = subprocess.run([str(BINARY), "serve", "--data", "/nonexistent"], text=True, capture_output=True, timeout=20,
                            env={**environment, "WEFT_CRASH_AT": "?"})
    assert result.returncode == 1
    return result.stderr.split("there are:\n")[1].split()


class Receiver:
    """Takes webhooks: which ids each order came under."""

    def __init__(self):
        self.ids = {}
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.ids.setdefault(body["data"]["order"], set()).add(self.headers["webhook-id"])
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A sender that is killed resets its connections."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Clients:
    """Threads that post orders, each under a key that they repeat until it is answered, whatever happens to the node."""

    def __init__(self, weft):
        self.weft = weft
        self.answers = {}  # order -> (body sent, answer)
        self.sent = set()
        self.problems = []
        self.up = threading.Event()
        self.last_round = threading.Event()
        self.up.set()
        self.threads = [threading.Thread(target=self._shop, args=(i,), daemon=True) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _shop(self, number):
        chance = random.Random(number)
        connection = None
        while not self.last_round.is_set():
            order = str(uuid.uuid4())
            self.sent.add(order)
            body = json.dumps({"order": order, "note": "n" * chance.choice([10, 300, 20_000, 40_000])})
            while order not in self.answers:
                try:
                    if connection is None:
                        connection = self._connect()
                    status, answer, _ = self.post(connection, order, body)
                except (OSError, http.client.HTTPException):
                    connection = None
                    self.up.wait(30)
                    time.sleep(0.005)  # the node is dying or not yet told of; the loop polls the other side
                    continue
                if status == 201:
                    self.answers[order] = (body, answer)
                elif status != 503:
                    self.problems.append(f"{status} {answer[:300]}")
                    return

    def _connect(self):
        url = urllib.parse.urlsplit(self.weft.gateway)
        return http.client.HTTPConnection(url.hostname, url.port, timeout=20)

    @staticmethod
    def post(connection, key, body):
        connection.request("POST", "/orders", body, {"Idempotency-Key": key, "Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read(), response.headers

    def node_is(self, up):
        self.up.set() if up else self.up.clear()

    def finish(self):
        self.last_round.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client got no answer within a minute of the restart"
        assert self.problems == []

    def expect_repetition(self):
        connection = self._connect()
        for order, (body, answer) in self.answers.items():
            status, repeated, headers = self.post(connection, order, body)
            assert (status, repeated) == (201, answer)
            assert headers["Idempotency-Replayed"] == "true"


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def node(weft_factory, receiver, tmp_path):
    """Makes nodes on copies of data that a first life left, with small files so that all background work happens."""
    estate = tmp_path / "estate"
    estate.mkdir()
    (estate / "shop.yaml").write_text(ESTATE)
    (estate / "shop.openapi.yaml").write_text(OPENAPI)
    settings = ["egress.allow=127.0.0.0/8", "kafka.anonymous=true", "log.walFileBytes=1MiB", "log.reserveBytes=1MiB"]
    common = {"settings": settings, "environment": {"CRM_URL": receiver.url}}
    first = weft_factory("first", estate=estate, **common)
    first.start()
    assert first.stop() == 0

    compacting = tmp_path / "compacting"
    shutil.copytree(estate, compacting)
    (compacting / "shop.yaml").write_text(ESTATE.replace("spec: {opaque: true, partitions", "spec: {cleanup: compact, opaque: true, partitions"))

    def make(name, new):
        estates = {name: compacting for name in ON_COMPACTION}
        weft = weft_factory(name, estate=estate if new else estates.get(name), **common)
        if name.startswith("archive."):
            weft.settings.append(f"backup.archive={tmp_path / 'archive'}")
        if not new:
            shutil.copytree(first.data, weft.data)
        return weft

    return make


def start_armed(weft, point):
    weft.environment["WEFT_CRASH_AT"] = point
    try:
        weft.start()
    finally:
        del weft.environment["WEFT_CRASH_AT"]


def expect_killed_at(weft, point):
    assert weft.process.wait(60) == -signal.SIGKILL, f"{point} was not reached"
    weft.log.close()


def crash_under_load(weft, point, tmp_path):
    """Ends with the process killed at the point; gives the clients, who wait for its return."""
    if point in AT_START:
        weft.start()
        clients = Clients(weft)
        wait_until(lambda: len(clients.answers) > 30, 60, "some orders")
        clients.node_is(up=False)
        weft.kill()
        if point.startswith("upgrade."):
            (weft.data / "FORMAT").write_text("weft data folder 1\n")
        with pytest.raises(AssertionError, match=f"weft ended with {-signal.SIGKILL}"):
            start_armed(weft, point)
        return clients
    start_armed(weft, f"{point}:{ARRIVALS.get(point, 1)}")
    clients = Clients(weft)
    if point in AT_END or point.startswith("estate."):
        wait_until(lambda: len(clients.answers) > 30, 60, "some orders")
    if point in AT_END:
        weft.process.terminate()
    if point.startswith("estate."):
        more = tmp_path / "more"
        more.mkdir(exist_ok=True)
        (more / "shop.yaml").write_text(MORE)
        (more / "shop.openapi.yaml").write_text(OPENAPI)
        applied = weft.cli("apply", str(more), check=False)
        assert applied.returncode == 1
    expect_killed_at(weft, point)
    clients.node_is(up=False)
    return clients


def stored_orders(weft):
    result = subprocess.run(["kcat", "-b", weft.kafka, "-C", "-t", STREAM, "-o", "beginning", "-e", "-q", "-f", "%k\\n"],
                            text=True, capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def expect_every_promise_kept(weft, clients, receiver):
    clients.expect_repetition()
    stored = stored_orders(weft)
    assert sorted(stored) == sorted(clients.answers), "the log holds each answered order once, and nothing else"
    wait_until(lambda: set(stored) <= set(receiver.ids), 60, "every order delivered")
    assert all(len(receiver.ids[order]) == 1 for order in stored), "one webhook-id for all attempts at an order"
    assert not re.search('"damaged_ranges":[1-9]', weft.log_text())
    weft.cli("audit", "verify")


def expect_the_change_whole_or_not_at_all(weft, point, tmp_path):
    """What was committed before the kill is there without another apply; what was not can be applied now."""
    is_there = "shop.order.shipped.v1" in weft.cli("stream", "list", "-o", "json").stdout
    assert is_there == (point != "estate.before-commit")
    weft.cli("apply", str(tmp_path / "more"))
    assert "shop.order.shipped.v1" in weft.cli("stream", "list", "-o", "json").stdout


def expect_an_archive_without_a_gap(archive):
    notes = [json.loads(note.read_text()) for note in sorted(archive.glob("*/wal/*.json"))]
    assert notes
    for before, after in zip(notes, notes[1:]):
        assert after["sequence"] == before["sequence"] + 1 and after["previousEnd"] == before["endPosition"]
    shutil.rmtree(archive)


def test_kill_minus_nine_at_every_crash_point_loses_and_doubles_nothing(node, receiver, tmp_path, capsys):
    points = all_points(dict(node("listing", new=True).environment))
    documented = (ROOT / "docs/simulation.md").read_text()
    assert [point for point in points if f"`{point}`" not in documented] == []
    assert len(points) >= 24 and set(ARRIVALS) | AT_START | AT_END | ON_NEW_DATA | ON_COMPACTION <= set(points)
    hit = []
    for point in points:
        weft = node(point, new=point in ON_NEW_DATA)

        clients = crash_under_load(weft, point, tmp_path)
        before = len(clients.answers)
        weft.start()
        clients.node_is(up=True)
        wait_until(lambda: clients.problems or len(clients.answers) > before + CLIENTS, 60, "orders after the restart")
        clients.finish()

        expect_every_promise_kept(weft, clients, receiver)
        if point.startswith("estate."):
            expect_the_change_whole_or_not_at_all(weft, point, tmp_path)
        if point.startswith("archive."):
            expect_an_archive_without_a_gap(tmp_path / "archive")
        assert weft.stop() == 0
        shutil.rmtree(weft.data)
        hit.append(point)
        with capsys.disabled():
            print(f"\nkilled at {point}: {before} orders answered before, {len(clients.answers)} in all, each stored once",
                  end="", flush=True)
    with capsys.disabled():
        print(f"\n{len(hit)} of {len(points)} crash points hit")
    assert hit == points


def test_a_crash_point_that_does_not_exist_is_refused_and_the_list_is_told(weft_factory):
    weft = weft_factory(environment={"WEFT_CRASH_AT": "log.before-breakfast"})

    with pytest.raises(AssertionError, match="weft ended with 1"):
        weft.start()

    assert "no crash point 'log.before-breakfast'; there are:\n" in weft.log_text()
    assert not weft.data.exists()
