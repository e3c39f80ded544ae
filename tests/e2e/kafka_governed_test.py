"""Records that break a contract: refused or put aside, shown with their reasons, brought back; and groups: lag, alert, reset."""
import json
import time

import pytest
from weft_process import wait_until

confluent_kafka = pytest.importorskip("confluent_kafka")

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition  # noqa: E402

ORDERS = "shop.order.placed.v1"
EVENTS = "shop.stock.changed.v1"
CLICKS = "shop.link.clicked.v1"


def estate(required):
    return f"""
apiVersion: weft/v1
kind: Schema
metadata: {{name: order, owner: shop}}
spec: {{format: json-schema, definition: {{type: object, required: [{required}]}}}}
---
apiVersion: weft/v1
kind: Stream
metadata: {{name: {ORDERS}, owner: shop}}
spec: {{schema: order, onViolation: quarantine, partitions: 2}}
---
apiVersion: weft/v1
kind: Stream
metadata: {{name: {CLICKS}, owner: shop}}
spec: {{schema: order}}
---
apiVersion: weft/v1
kind: Stream
metadata: {{name: {EVENTS}, owner: shop}}
spec: {{opaque: true, dedupe: 10m, ttl: 10m}}
"""


@pytest.fixture
def weft(tmp_path, weft_factory):
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yaml").write_text(estate("id"))
    return weft_factory(estate=folder, settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s", "groups.lagAlert=1s"]).start()


def send(weft, topic, values, partition=0):
    failures = []
    producer = Producer({"bootstrap.servers": weft.kafka, "linger.ms": 50, "client.id": "till"})
    producer.list_topics(topic, 20)  # else the first may leave alone, as soon as the client has learned of the topic
    for value in values:
        producer.produce(topic, value, key="k", partition=partition,
                         on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(20) == 0
    return failures


def read_all(weft, topic, count):
    consumer = Consumer({"bootstrap.servers": weft.kafka, "group.id": f"reader of {topic}", "auto.offset.reset": "earliest",
                         "enable.auto.commit": False})
    consumer.subscribe([topic])
    found = []
    deadline = time.monotonic() + 20
    while len(found) < count and time.monotonic() < deadline:
        found += [each for each in consumer.consume(100, 0.5) if each.error() is None]
    consumer.close()
    return found


def table(weft, *words):
    return json.loads(weft.cli(*words, "-o", "json").stdout)


def test_a_broken_record_is_put_aside_and_brought_back_once_the_contract_takes_it(weft, tmp_path):
    assert send(weft, ORDERS, ['{"id":1}', '{"number":2}', '{"id":3}'], partition=1) == []
    assert [each.value() for each in read_all(weft, ORDERS, 2)] == [b'{"id":1}', b'{"id":3}']
    [aside] = read_all(weft, ORDERS + ".dlq", 1)
    headers = dict(aside.headers())
    assert aside.value() == b'{"number":2}' and b"id" in headers["weft-reason"]
    wait_until(lambda: table(weft, "stream", "rejects", ORDERS)["items"], what="the reject is told of")
    [reject] = table(weft, "stream", "rejects", ORDERS)["items"]
    assert reject["outcome"] == "quarantined" and reject["client"] == "till" and reject["broken"] == 1
    assert table(weft, "dlq", "list")["items"][0]["records"] == 1

    assert table(weft, "dlq", "redrive", ORDERS) == {"stored": 0, "kept": 1}
    (tmp_path / "estate/estate.yaml").write_text(estate(""))
    weft.cli("apply", str(tmp_path / "estate"))
    assert table(weft, "dlq", "redrive", ORDERS) == {"stored": 1, "kept": 0}
    back = read_all(weft, ORDERS, 3)[-1]
    assert back.value() == b'{"number":2}' and back.partition() == 1 and not back.headers()
    assert table(weft, "dlq", "list")["items"][0]["records"] == 0


def test_nobody_else_writes_into_a_quarantine(weft):
    [failure] = send(weft, ORDERS + ".dlq", ["mine"])
    assert failure.code() == confluent_kafka.KafkaError.POLICY_VIOLATION


def test_without_a_quarantine_the_batch_is_refused_and_told_of(weft):
    failures = send(weft, CLICKS, ['{"id":1}', '{"no":2}'])
    assert len(failures) == 2
    wait_until(lambda: table(weft, "stream", "rejects", CLICKS)["items"], what="the reject is told of")
    text = weft.cli("stream", "rejects", CLICKS).stdout
    assert "refused" in text and "till" in text and "id" in text


def commit(weft, group, offset, partition=0):
    consumer = Consumer({"bootstrap.servers": weft.kafka, "group.id": group})
    consumer.commit(offsets=[TopicPartition(ORDERS, partition, offset)], asynchronous=False)
    consumer.close()


def lag_metrics(weft, group):
    from weft_process import call
    lines = call("GET", weft.node["ops"] + "/metrics").body.decode().splitlines()
    return {line.split("{")[0]: float(line.rsplit(" ", 1)[1]) for line in lines if f'group="{group}"' in line and
            'partition="1"' not in line}


def test_the_lag_of_a_stalled_group_is_exported_and_raises_an_alert(weft):
    send(weft, ORDERS, ['{"id":1}'] * 7)
    commit(weft, "billing", 2)
    wait_until(lambda: lag_metrics(weft, "billing").get("weft_eventlog_group_lag_alert") == 1, 40, "the alert")
    metrics = lag_metrics(weft, "billing")
    assert metrics["weft_eventlog_group_lag_records"] == 5
    assert metrics["weft_eventlog_group_lag_seconds"] >= 1
    [item] = [each for each in weft.admin("GET", "/overview").json()["attention"] if "billing" in each["what"]]
    assert item["next"]["command"] == "weft group describe billing" and "no member" in item["why"]
    [group] = [each for each in table(weft, "group", "list")["items"] if each["group"] == "billing"]
    assert group["lag"] == 5 and group["alert"] and group["streams"] == [ORDERS]
    assert table(weft, "group", "describe", "billing")["history"][-1]["lag"] == 5

    commit(weft, "billing", 7)
    wait_until(lambda: lag_metrics(weft, "billing")["weft_eventlog_group_lag_alert"] == 0, 40, "the end of the alert")
    assert "a consumer group has caught up" in weft.log_text()


def test_a_group_is_reset_after_a_preview(weft):
    send(weft, ORDERS, ['{"id":1}'] * 7)
    commit(weft, "billing", 5)
    preview = table(weft, "group", "reset", "billing", "--shift", "-3")
    assert preview == {"group": "billing", "preview": True, "items": [
        {"stream": ORDERS, "partition": 0, "from": 5, "to": 2, "again": 3}]}
    assert "a preview" in weft.cli("group", "reset", "billing", "--earliest").stdout
    assert table(weft, "group", "describe", "billing")["group"]["offsets"][0]["offset"] == 5
    weft.cli("group", "reset", "billing", "--shift", "-3", "--execute")
    assert table(weft, "group", "describe", "billing")["group"]["offsets"][0]["offset"] == 2
    moved = table(weft, "group", "reset", "billing", "--time", "2001-01-01T00:00:00Z", "--stream", ORDERS, "--execute")
    assert [(each["partition"], each["to"]) for each in moved["items"]] == [(0, 0), (1, 0)]
    assert "group.reset" in json.dumps(weft.admin("GET", "/audit?limit=50").json())

    reader = Consumer({"bootstrap.servers": weft.kafka, "group.id": "billing", "auto.offset.reset": "latest"})
    reader.subscribe([ORDERS])
    wait_until(lambda: reader.poll(1), what="a record from the reset offset")
    refused = weft.cli("group", "reset", "billing", "--earliest", "--execute", check=False)
    assert refused.returncode == 1 and "stop its programs first" in refused.stderr
    reader.close()
    weft.cli("group", "delete", "billing")
    assert "no group" in weft.cli("group", "describe", "billing", check=False).stderr


def test_records_of_one_key_are_read(weft):
    producer = Producer({"bootstrap.servers": weft.kafka, "partitioner": "murmur2_random"})
    for i in range(30):
        producer.produce(ORDERS, f'{{"id":{i}}}', key=f"customer {i % 3}")
    assert producer.flush(20) == 0
    lines = weft.cli("stream", "consume", ORDERS, "--key", "customer 1", "-o", "json").stdout.splitlines()
    assert {json.loads(line)["key"] for line in lines} == {"customer 1"} and len(lines) == 10


def test_an_event_that_comes_twice_is_stored_once_also_after_a_restart(weft):
    def send_event(id):
        producer = Producer({"bootstrap.servers": weft.kafka})
        producer.produce(EVENTS, f"event {id}", headers={"ce_id": id, "ce_source": "/shop"})
        assert producer.flush(20) == 0

    for id in ("1", "2", "1"):
        send_event(id)
    weft.kill()
    weft.start()
    for id in ("2", "3"):
        send_event(id)
    assert [each.value() for each in read_all(weft, EVENTS, 3)] == [b"event 1", b"event 2", b"event 3"]
    assert table(weft, "stream", "describe", EVENTS)["stream"]["records"] == 5  # offsets; two of them are holes


def test_a_record_that_is_too_old_is_given_to_nobody(weft):
    producer = Producer({"bootstrap.servers": weft.kafka})
    now = int(time.time() * 1000)
    for name, age in (("old", 3_600_000), ("new", 0)):
        producer.produce(EVENTS, name, timestamp=now - age)
        assert producer.flush(20) == 0
    assert [each.value() for each in read_all(weft, EVENTS, 1)] == [b"new"]
    assert weft.metric("weft_eventlog_kafka_records_expired_total") == 1
