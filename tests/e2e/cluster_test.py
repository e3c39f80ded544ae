"""Two nodes on one Kafka cluster share the work, and the death of one loses nothing. The cluster is a third Weft here, which
speaks the protocol as well; `./dev interop` has the same with three real brokers."""
import json

import pytest
from cluster_nodes import STREAM, SUBSCRIPTIONS, Nodes, Publisher
from event_log_kit import NAMESPACE
from weft_process import OnFixedPorts, call, wait_until

from conftest import free_port


@pytest.fixture
def kafka(tmp_path):
    folder = tmp_path / "kafka"
    folder.mkdir()
    others = [f"ports.{name}=0" for name in ("admin", "gateway", "ops", "otlp")]
    (folder / "estate").mkdir()
    (folder / "estate/estate.yaml").write_text(NAMESPACE)
    node = OnFixedPorts(folder, estate=folder / "estate", settings=[*others, f"ports.kafka={free_port()}", "kafka.anonymous=true",
                                          "kafka.rebalanceDelay=0s"]).start()
    yield node
    if node.process.poll() is None:
        node.kill()


@pytest.fixture
def nodes(weft_factory, kafka, postgres):
    made = Nodes(weft_factory, kafka.kafka, postgres.url)
    yield made
    made.close()


def test_nodes_share_deliveries_and_the_death_of_one_loses_nothing(nodes):
    nodes.wait_for_shared_work()
    of_b = nodes.carried_out_by(nodes.b)
    with Publisher(nodes.a, "a") as from_a:
        with Publisher(nodes.b, "b") as from_b:
            wait_until(lambda: len(from_a.acknowledged) >= 50 and len(from_b.acknowledged) >= 50, seconds=60, what="events")
            assert nodes.b.kill() != 0
        wait_until(lambda: nodes.carried_out_by(nodes.a) >= of_b, seconds=60, what="the other's subscriptions")
        after = len(from_a.acknowledged)
        wait_until(lambda: len(from_a.acknowledged) >= after + 20, seconds=60, what="more events")
    acknowledged = from_a.acknowledged + from_b.acknowledged

    wait_until(lambda: not nodes.missing(acknowledged), seconds=60, what="every event at every subscription")


def test_a_node_that_leaves_hands_its_work_over_without_a_repetition(nodes):
    nodes.wait_for_shared_work()
    with Publisher(nodes.a, "a") as publisher:
        wait_until(lambda: len(publisher.acknowledged) >= 50, seconds=60, what="events")
        assert nodes.b.stop() == 0
        wait_until(lambda: len(nodes.carried_out_by(nodes.a)) == SUBSCRIPTIONS, seconds=30, what="the other's subscriptions")
    wait_until(lambda: not nodes.missing(publisher.acknowledged), seconds=60, what="every event at every subscription")

    for i in range(SUBSCRIPTIONS):
        assert nodes.received(f"s{i}").most_common(1)[0][1] == 1


def test_lists_are_of_all_nodes_and_of_the_callers_tenant_alone(nodes):
    nodes.wait_for_shared_work()

    listed = nodes.a.admin("GET", "/subscriptions?ofTenant=another").json()

    assert {one["node"] for one in listed["items"]} == {"a", "b"}, listed
    assert {one["status"] for one in listed["items"]} == {"active"}, "the parameter is not the caller's to give"
    assert nodes.a.admin("GET", "/subscriptions/s0?nodes=all").json()["status"] == "active"


def test_answers_to_idempotent_requests_are_known_at_the_other_node(nodes):
    openapi = {"openapi": "3.1.0", "info": {"title": "Shop", "version": "1.0.0"}, "paths": {"/shop/orders": {"post": {
        "operationId": "createOrder", "responses": {"202": {"description": "Stored"}},
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}}}}
    documents = json.dumps({
        "apiVersion": "weft/v1", "kind": "Api", "metadata": {"name": "shop", "owner": "tests"},
        "spec": {"version": "1.0.0", "openapi": json.dumps(openapi), "authentication": "none", "operations": {
            "createOrder": {"idempotency": "required", "publish": {"stream": STREAM}}}}})
    applied = nodes.a.admin("POST", "/apply", documents, "application/yaml")
    assert applied.status == 200, applied.body

    def post(node):
        return call("POST", f"{node.gateway}/shop/orders", '{"id": 1}',
                    {"Idempotency-Key": "key-1", "Content-Type": "application/json"})

    first = wait_until(lambda: (answer := post(nodes.a)).status < 300 and answer, what="the API")
    wait_until(lambda: post(nodes.b).body == first.body, what="the same answer at the other node")


def test_what_a_cluster_cannot_do_is_refused_with_its_place(nodes):
    documents = """apiVersion: weft/v1
kind: Stream
metadata: {name: orders.order.paid.v1, owner: tests}
spec: {opaque: true, dedupe: 10m}
"""
    refused = nodes.a.admin("POST", "/apply", documents, "application/yaml")
    assert refused.status == 422, refused.body
    assert "/spec/dedupe" in refused.body.decode() and "streams.backend is kafka" in refused.body.decode()
    groups = nodes.a.admin("GET", "/groups")
    assert groups.status == 501 and "cluster" in groups.body.decode()
    backup = nodes.a.admin("POST", "/backups", json.dumps({"folder": "x"}))
    assert backup.status == 501, backup.body


def test_a_node_says_why_it_cannot_use_a_cluster(weft_factory):
    with pytest.raises(AssertionError, match="streams.brokers: name the cluster's brokers"):
        weft_factory("c", settings=["streams.backend=kafka"]).start()
    with pytest.raises(AssertionError, match=f"127.0.0.1:{(port := free_port())}"):
        weft_factory("d", settings=["streams.backend=kafka", f"streams.brokers=127.0.0.1:{port}"]).start()
    with pytest.raises(AssertionError, match="streams.backend: must be embedded or kafka"):
        weft_factory("e", settings=["streams.backend=rabbit"]).start()
