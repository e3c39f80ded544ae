"""Two real nodes on PostgreSQL with a streaming standby: what they do when the primary dies, is silent, is full or restarts."""
import signal
import threading
import time

import pytest
from postgres_server import PostgresServer
from shared_nodes import CLIENT, apply, create_key, generation, publish, ready_lines, start_two_nodes, stream
from weft_process import wait_until


class Requests:
    """Keeps sending to every node until it is told to end; remembers each status that was not a success."""

    def __init__(self, nodes, key):
        self.sent = 0
        self.failed = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(node, key)) for node in nodes]

    def run(self, node, key):
        while not self.is_over.is_set():
            status = publish(node, "first", key)
            self.sent += 1
            if status >= 300:
                self.failed.append(status)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def servers():
    started = []

    def start(**options):
        server = PostgresServer(**options)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.remove()


@pytest.fixture
def start_nodes(weft_factory):
    return lambda url, *settings: start_two_nodes(weft_factory, url, *settings)


def prepare(nodes):
    """One stream and one key that both nodes know."""
    a, b = nodes
    applied = apply(a, stream("first"), CLIENT)
    assert applied.status == 200, applied.body
    wait_until(lambda: generation(b) == generation(a), what="the generation on the other node")
    key = create_key(a)["key"]
    wait_until(lambda: publish(a, "first", key) < 300 and publish(b, "first", key) < 300, what="the key on both nodes")
    return key


def stream_names(node):
    items = node.admin("GET", "/resources?kind=Stream").json()["items"]
    return {item["name"] for item in items}


def all_generations(node):
    return [entry["number"] for entry in node.admin("GET", "/generations").json()["items"]]


def test_nodes_serve_through_the_loss_of_the_primary_and_work_with_the_promoted_standby(servers, start_nodes, tmp_path):
    primary = servers()
    standby = servers(follow=primary)
    primary.wait_for_standby()
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    a, b = nodes = start_nodes(f"postgresql://weft@{hosts}/postgres")
    key = prepare(nodes)
    acknowledged = generation(a)
    keys = [key, *[create_key(node)["key"] for node in nodes]]

    with Requests(nodes, key) as requests:
        primary.stop(signal.SIGKILL)
        for node in nodes:
            wait_until(lambda: any("state database away" in line for line in ready_lines(node)), what="the note of /readyz")
        folder = tmp_path / "estate"
        folder.mkdir()
        (folder / "all.yaml").write_text("---\n".join([stream("first"), stream("second"), CLIENT]))
        during = a.cli("apply", str(folder), check=False)

        standby.promote()

        wait_until(lambda: a.cli("apply", str(folder), check=False).returncode == 0, 30, "an apply on the new primary")
        wait_until(lambda: generation(b) == generation(a), what="the generation on the other node")
        keys.append(create_key(b)["key"])
        wait_until(lambda: ready_lines(a) == ready_lines(b) == ["ready"], what="no notes")

    assert requests.sent > 50 and not requests.failed, (requests.sent, requests.failed)
    assert during.returncode == 1
    assert "state database" in during.stderr and "Traceback" not in during.stderr
    numbers = all_generations(a)
    assert generation(a) == acknowledged + 1, "one apply, one generation"
    assert sorted(numbers) == sorted(set(numbers)) and numbers == all_generations(b)
    for node in nodes:
        assert "intact" in node.cli("audit", "verify").stdout
        for known in keys:
            wait_until(lambda: publish(node, "first", known) < 300, what="every acknowledged key")
    assert standby.sql("SELECT count(*) FROM pg_is_in_recovery() AS r WHERE r") == "0"


def test_a_promoted_standby_that_lacks_a_generation_is_told_and_does_not_take_the_nodes_back(servers, start_nodes):
    primary = servers()
    standby = servers(follow=primary)
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    a, b = nodes = start_nodes(f"postgresql://weft@{hosts}/postgres")
    key = prepare(nodes)
    wait_until(lambda: standby.sql("SELECT generation FROM estate_head") == str(generation(a)), what="the generation at the standby")
    standby.stop()
    assert apply(a, stream("first"), stream("second"), CLIENT).status == 200
    wait_until(lambda: generation(b) == generation(a), what="the generation on the other node")
    lost = generation(a)

    primary.stop(signal.SIGKILL)
    standby.start()
    standby.promote()

    for node in nodes:
        wait_until(lambda: any("generation 1, this node already serves 2" in line for line in ready_lines(node)), 30, "the note of /readyz")
        assert "is it an older copy?" in node.cli("doctor", check=False).stdout
        assert publish(node, "first", key) < 300 and generation(node) == lost
    documents = stream("first"), stream("third"), CLIENT
    refused = apply(a, *documents)
    assert refused.status == 409 and refused.json()["code"] == "GENERATION_CONFLICT", refused.body
    assert apply(a, *documents).status == 200

    # The number is that of the lost generation again; the other node does not take it for its own.
    assert generation(a) == lost
    wait_until(lambda: ready_lines(a) == ready_lines(b) == ["ready"], what="no notes")
    wait_until(lambda: stream_names(a) == stream_names(b) == {"shared.test.first.v1", "shared.test.third.v1"}, what="one estate on both")
    assert apply(b, stream("first"), stream("third"), stream("fourth"), CLIENT).json()["summary"]["create"] == 1
    for node in nodes:
        verified = node.cli("audit", "verify", check=False)
        assert verified.returncode == 1 and "DAMAGED at entry" in verified.stderr, "the trail lacks what this node saw in it"


def test_a_silent_database_is_taken_for_gone_and_followed_again_when_it_speaks(servers, start_nodes):
    postgres = servers()
    a, b = nodes = start_nodes(postgres.url, "state.postgres.replyTimeout=1s", "state.postgres.connectTimeout=2s")
    key = prepare(nodes)

    with Requests(nodes, key) as requests:
        postgres.pause()
        began = time.monotonic()
        refused = apply(a, stream("first"), stream("second"), CLIENT)
        waited = time.monotonic() - began
        for node in nodes:
            wait_until(lambda: any("state database away" in line for line in ready_lines(node)), what="the note of /readyz")
        postgres.go_on()
        wait_until(lambda: ready_lines(a) == ready_lines(b) == ["ready"], what="no notes")
        wait_until(lambda: apply(b, stream("first"), stream("second"), CLIENT).status == 200, what="an apply after it")

    assert not requests.failed, requests.failed
    assert refused.status == 503, refused.body
    assert "nothing of the change was applied" in refused.json()["message"] or "unknown whether" in refused.json()["message"]
    assert waited < 15, "one reply timeout and one connect timeout, not the client's patience"
    wait_until(lambda: generation(a) == generation(b), what="one generation")


def test_a_node_that_finds_the_connection_table_full_says_so_and_waits(servers, start_nodes):
    postgres = servers(settings=["max_connections=12", "superuser_reserved_connections=1"])
    a, b = nodes = start_nodes(postgres.url)
    key = prepare(nodes)
    a.stop()
    b.stop()

    with postgres.all_connections_taken(12):
        b.start()
        wait_until(lambda: any("too many clients" in line for line in ready_lines(b)), what="the note of /readyz")
        assert publish(b, "first", key) < 300
        refused = apply(b, stream("first"), stream("second"), CLIENT)
        assert refused.status == 503 and "too many clients" in refused.json()["message"], refused.body
        assert "too many clients" in b.cli("doctor", check=False).stdout

    wait_until(lambda: ready_lines(b) == ["ready"], what="no notes")
    wait_until(lambda: apply(b, stream("first"), stream("second"), CLIENT).status == 200, what="an apply when there is room")


def test_a_restart_of_the_database_is_no_more_than_a_pause_for_changes(servers, start_nodes):
    postgres = servers()
    a, b = nodes = start_nodes(postgres.url)
    key = prepare(nodes)
    before = generation(a)

    with Requests(nodes, key) as requests:
        postgres.stop()
        postgres.start()
        wait_until(lambda: apply(a, stream("first"), stream("second"), CLIENT).status == 200, what="an apply after the restart")
        wait_until(lambda: generation(b) == before + 1, what="the generation on the other node")

    assert not requests.failed, requests.failed
    assert "intact" in b.cli("audit", "verify").stdout
