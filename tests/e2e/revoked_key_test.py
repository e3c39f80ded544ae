"""A key that is revoked ends what it had opened before: a Kafka connection, a browser session, a tail."""
import http.client
import json
import time
import urllib.request

import pytest
from weft_process import call

confluent_kafka = pytest.importorskip("confluent_kafka")

TOPIC = "revoked.test.sent.v1"
ESTATE = f"""
apiVersion: weft/v1
kind: Stream
metadata: {{name: {TOPIC}, owner: tests}}
spec: {{opaque: true, partitions: 1}}
---
apiVersion: weft/v1
kind: Client
metadata: {{name: shop, owner: tests}}
spec: {{grants: [{{action: stream.write, resource: "revoked.*"}}, {{action: admin.read, resource: "*"}}]}}
"""


@pytest.fixture
def weft(weft_factory):
    node = weft_factory().start()
    applied = node.admin("POST", "/apply", ESTATE, "application/yaml")
    assert applied.status == 200, applied.body
    return node


def create_key(weft):
    made = weft.admin("POST", "/clients/shop/keys", "{}")
    assert made.status == 201, made.body
    return made.json()


def revoke(weft, key):
    assert weft.admin("DELETE", f"/clients/shop/keys/{key['id']}").status == 204


def produce(producer, value):
    """The error of the delivery, if any."""
    errors = []
    producer.produce(TOPIC, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(30) == 0
    return errors[0]


def test_a_kafka_connection_ends_with_its_key(weft):
    key = create_key(weft)
    refusals = []
    producer = confluent_kafka.Producer({
        "bootstrap.servers": weft.kafka, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
        "sasl.username": "shop", "sasl.password": key["key"], "message.timeout.ms": 4000,
        "error_cb": lambda error: refusals.append(error.code())})
    assert produce(producer, "before") is None

    revoke(weft, key)
    time.sleep(1.1)  # as long as a connection remembers its key

    assert produce(producer, "after") is not None
    assert confluent_kafka.KafkaError._AUTHENTICATION in refusals
    records = weft.admin("GET", f"/streams/{TOPIC}/records").json()
    assert records["end"] == 1


def test_a_browser_session_ends_with_its_key(weft):
    key = create_key(weft)
    api = weft.node["admin"] + "/api/v1"
    signed_in = call("POST", api + "/session", json.dumps({"token": key["key"]}), {"Content-Type": "application/json"})
    cookie = {"Cookie": signed_in.headers["Set-Cookie"].split(";")[0]}
    assert call("GET", api + "/streams", headers=cookie).status == 200

    revoke(weft, key)

    assert call("GET", api + "/streams", headers=cookie).status == 401


def test_a_tail_ends_with_its_key(weft):
    key = create_key(weft)
    url = f"{weft.node['admin']}/api/v1/streams/{TOPIC}/tail"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key['key']}"})
    with urllib.request.urlopen(request, timeout=20) as tail:
        assert tail.readline() == b": connected\n"

        revoke(weft, key)
        written = weft.admin("POST", f"/streams/{TOPIC}/records", json.dumps({"valueText": "after"}))

        assert written.status == 201, written.body
        with pytest.raises(http.client.IncompleteRead) as cut:
            tail.read()
        assert b"after" not in cut.value.partial
