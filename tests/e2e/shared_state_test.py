"""Two real nodes on one real PostgreSQL: they share the estate and its keys, and each serves on while it is gone."""
import concurrent.futures
import signal

import pytest
from shared_nodes import CLIENT, apply, create_key, generation, publish, start_two_nodes, stream
from weft_process import call, wait_until


@pytest.fixture
def nodes(postgres, weft_factory):
    return start_two_nodes(weft_factory, postgres.url)


def readiness(node):
    return call("GET", node.node["ops"] + "/readyz")


def says_away(node):
    answer = readiness(node)
    return answer.status == 200 and b"state database away" in answer.body


def test_a_change_on_one_node_becomes_active_on_the_other(nodes):
    a, b = nodes
    applied = apply(a, stream("first"), CLIENT)
    assert applied.status == 200, applied.body
    wait_until(lambda: generation(b) == generation(a), what="the generation on the other node")

    wait_until(lambda: publish(b, "first") < 300, what="the stream on the other node")

    key = create_key(b)
    wait_until(lambda: publish(a, "first", key["key"]) < 300, what="the key on the other node")
    revoked = b.admin("DELETE", f"/clients/shop/keys/{key.get('id') or key['info']['id']}")
    assert revoked.status < 300, revoked.body
    wait_until(lambda: publish(a, "first", key["key"]) == 401, what="the revocation on the other node")


def test_each_node_serves_on_while_the_database_is_gone_and_refuses_changes(nodes, postgres):
    a, b = nodes
    assert apply(a, stream("first"), CLIENT).status == 200
    wait_until(lambda: publish(b, "first") < 300, what="the stream on the other node")
    key = create_key(a)
    wait_until(lambda: publish(b, "first", key["key"]) < 300, what="the key on the other node")

    postgres.stop()

    for node in nodes:
        wait_until(lambda: says_away(node), what="the note of /readyz")
        assert publish(node, "first", key["key"]) < 300
        refused = apply(node, stream("second"))
        assert refused.status == 503, refused.body
        assert refused.json()["code"] == "UNAVAILABLE" and "state database" in refused.json()["message"]
        told = node.cli("doctor", check=False).stdout
        assert "state database" in told and "away since" in told

    # A node starts from what it kept on disk: generation and keys.
    b.stop()
    b.start()
    assert says_away(b)
    assert publish(b, "first", key["key"]) < 300
    assert apply(b, stream("second")).status == 503

    postgres.start()
    wait_until(lambda: apply(b, stream("second")).status == 200, what="an apply after the return")
    wait_until(lambda: publish(a, "second", key["key"]) < 300, what="the new stream on the first node")
    wait_until(lambda: readiness(a).body == b"ready\n" and readiness(b).body == b"ready\n", what="no notes")


def test_of_two_applies_to_the_same_generation_one_gets_the_conflict(nodes):
    a, b = nodes
    assert apply(a, stream("first")).status == 200
    wait_until(lambda: generation(b) == generation(a), what="the generation on the other node")
    now = generation(a)

    answers = [apply(node, stream(name), expected=now) for node, name in ((a, "from-a"), (b, "from-b"))]

    assert answers[0].status == 200, answers[0].body
    assert answers[1].status == 409, answers[1].body
    wait_until(lambda: generation(b) == now + 1, what="the winner's generation")


def test_a_node_that_was_paused_over_a_change_of_another_cannot_write_over_it(nodes):
    a, b = nodes
    assert apply(a, stream("first")).status == 200
    wait_until(lambda: generation(b) == generation(a), what="the generation on the other node")
    now = generation(a)

    a.process.send_signal(signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(1) as patient:
        late = patient.submit(apply, a, stream("late"), expected=now)
        try:
            assert apply(b, stream("timely"), expected=now).status == 200
        finally:
            a.process.send_signal(signal.SIGCONT)
        refused = late.result()

    assert refused.status == 409, refused.body
    wait_until(lambda: generation(a) == generation(b) == now + 1, what="the other's generation")
    assert "intact" in a.cli("audit", "verify").stdout
