"""Topics that Kafka clients make: admitted by a Namespace, changes of the estate, and compacted where they say so."""
import pytest
from weft_process import wait_until

confluent_kafka = pytest.importorskip("confluent_kafka")

from confluent_kafka import KafkaException, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic  # noqa: E402

ESTATE = """
apiVersion: weft/v1
kind: Namespace
metadata: {name: apps, owner: app-team}
spec: {prefix: apps-, opaque: true, partitionsMax: 4, retention: 1d, retentionMax: 2d}
---
apiVersion: weft/v1
kind: Namespace
metadata: {name: lazy, owner: app-team}
spec: {prefix: apps-lazy-, opaque: true, partitions: 3, autoCreate: true}
---
apiVersion: weft/v1
kind: Stream
metadata: {name: shop.order.placed.v1, owner: shop-team}
spec: {opaque: true}
"""


@pytest.fixture
def weft(tmp_path, weft_factory):
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yaml").write_text(ESTATE)
    return weft_factory(estate=folder, settings=[
        "kafka.anonymous=true", "kafka.rebalanceDelay=0s", "log.walFileBytes=1MiB", "log.walAgeMax=1s"]).start()


@pytest.fixture
def admin(weft):
    return AdminClient({"bootstrap.servers": weft.kafka})


def done(futures):
    return [future.result(20) for future in futures.values()]


def refused(futures):
    with pytest.raises(KafkaException) as error:
        done(futures)
    return error.value.args[0]


def topic_config(admin, name):
    [configs] = done(admin.describe_configs([ConfigResource("topic", name)]))
    return {key: entry.value for key, entry in configs.items()}


def test_a_topic_is_made_changed_and_deleted_and_the_estate_knows(weft, admin):
    done(admin.create_topics([NewTopic("apps-clicks", 2, 1, config={
        "retention.ms": "3600000", "segment.bytes": "1048576", "compression.type": "producer"})]))
    assert len(admin.list_topics("apps-clicks", 20).topics["apps-clicks"].partitions) == 2
    assert topic_config(admin, "apps-clicks")["retention.ms"] == "3600000"

    done(admin.create_partitions([NewPartitions("apps-clicks", 4)]))
    assert len(admin.list_topics("apps-clicks", 20).topics["apps-clicks"].partitions) == 4
    done(admin.alter_configs([ConfigResource("topic", "apps-clicks", set_config={"retention.ms": "7200000"})]))
    assert topic_config(admin, "apps-clicks")["retention.ms"] == "7200000"

    [resource] = [each for each in weft.admin("GET", "/resources").json()["items"] if each["name"] == "apps-clicks"]
    assert resource["owner"] == "app-team" and resource["managedBy"] == "kafka"
    done(admin.delete_topics(["apps-clicks"]))
    assert "apps-clicks" not in admin.list_topics(timeout=20).topics
    # Made again it is empty.
    done(admin.create_topics([NewTopic("apps-clicks", 1, 1)]))
    assert topic_config(admin, "apps-clicks")["retention.ms"] == "86400000"


def test_what_no_namespace_admits_is_refused_with_the_reason(admin):
    error = refused(admin.create_topics([NewTopic("other", 1, 1)]))
    assert error.name() == "POLICY_VIOLATION" and "no Namespace admits" in error.str()
    error = refused(admin.create_topics([NewTopic("apps-wide", 5, 1)]))
    assert error.name() == "POLICY_VIOLATION" and "allows 4 partitions" in error.str()
    error = refused(admin.create_topics([NewTopic("apps-old", 1, 1, config={"retention.ms": "-1"})]))
    assert error.name() == "POLICY_VIOLATION" and "no longer than 2d" in error.str()
    error = refused(admin.create_topics([NewTopic("apps-copies", 1, 3)]))
    assert error.name() == "INVALID_REPLICATION_FACTOR"
    for config, value in {"compression.type": "gzip", "cleanup.policy": "never", "no.such": "1"}.items():
        error = refused(admin.create_topics([NewTopic("apps-odd", 1, 1, config={config: value})]))
        assert error.name() == "INVALID_CONFIG" and config in error.str(), error
    # What a folder declares is changed there.
    error = refused(admin.delete_topics(["shop.order.placed.v1"]))
    assert error.name() == "POLICY_VIOLATION"  # this client's version of DeleteTopics has no text


def test_a_topic_is_made_by_asking_for_it_where_its_namespace_says_so(weft):
    producer = Producer({"bootstrap.servers": weft.kafka, "allow.auto.create.topics": True})
    producer.produce("apps-lazy-events", b"first")
    assert producer.flush(20) == 0
    assert len(producer.list_topics("apps-lazy-events", 20).topics["apps-lazy-events"].partitions) == 3


def records_of(weft, topic):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": weft.kafka, "group.id": "look", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found = []
    while True:
        message = consumer.poll(20)
        assert message is not None
        if message.error():
            break
        found.append((message.offset(), message.key(), message.value()))
    consumer.close()
    return found


def test_a_compacted_topic_keeps_the_latest_record_of_each_key(weft, admin):
    done(admin.create_topics([NewTopic("apps-table", 1, 1, config={"cleanup.policy": "compact"})]))
    assert topic_config(admin, "apps-table")["cleanup.policy"] == "compact"
    producer = Producer({"bootstrap.servers": weft.kafka})
    for turn in range(200):
        for key in range(20):
            producer.produce("apps-table", key=f"key-{key}", value=f"{turn}" + "x" * 100)
        producer.poll(0)
    producer.produce("apps-table", key="key-0", value=None)
    assert producer.flush(30) == 0
    before = records_of(weft, "apps-table")
    wait_until(lambda: len(records_of(weft, "apps-table")) < len(before) // 2, seconds=40, what="compaction")
    after = records_of(weft, "apps-table")
    latest = {key: value for _, key, value in before}
    assert {key: value for _, key, value in after} == latest
    assert set(after) <= set(before), "what is left is at its offset"
    assert latest[b"key-0"] is None and latest[b"key-7"].startswith(b"199x")
    weft.kill()
    weft.start()
    assert records_of(weft, "apps-table")[-1] == before[-1]
