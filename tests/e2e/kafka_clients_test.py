"""Foreign Kafka clients against the real binary: kcat, kafka-python and confluent-kafka as Debian packages them."""
import subprocess
import threading
import time

import pytest
from weft_process import wait_until

confluent_kafka = pytest.importorskip("confluent_kafka")
kafka = pytest.importorskip("kafka")

from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic  # noqa: E402

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
RECORDS = 500
STREAMS = {"kcat.test.sent.v1": 2, "python.test.sent.v1": 4, "confluent.test.sent.v1": 4, "cooperative.test.sent.v1": 4}
CONTRACTED = "checked.test.sent.v1"
SCHEMA = f"""
apiVersion: weft/v1
kind: Schema
metadata: {{name: checked-test, owner: tests}}
spec:
  format: json-schema
  definition: {{type: object, required: [id], properties: {{id: {{type: integer}}}}}}
---
apiVersion: weft/v1
kind: Stream
metadata: {{name: {CONTRACTED}, owner: tests}}
spec: {{schema: checked-test, partitions: 1}}
"""


def stream_document(name, partitions):
    return (f"apiVersion: weft/v1\nkind: Stream\nmetadata: {{name: {name}, owner: tests}}\n"
            f"spec: {{opaque: true, partitions: {partitions}}}\n")


@pytest.fixture
def estate(tmp_path):
    folder = tmp_path / "estate"
    folder.mkdir()
    documents = [stream_document(name, partitions) for name, partitions in STREAMS.items()]
    (folder / "streams.yaml").write_text("---\n".join([*documents, SCHEMA]))
    return folder


@pytest.fixture
def weft(estate, weft_factory):
    return weft_factory(estate=estate, settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]).start()


def kcat(weft, *words, text=None):
    result = subprocess.run(["kcat", "-b", weft.kafka, "-m", "10", *words], input=text, text=True,
                            capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_kcat_lists_produces_with_every_codec_and_reads_it_back(weft):
    topic = "kcat.test.sent.v1"
    listing = kcat(weft, "-L")
    assert all(f'"{name}" with {partitions} partition' in listing for name, partitions in STREAMS.items())
    assert "__weft" not in listing

    for codec in CODECS:
        lines = "".join(f"{codec} {i}\n" for i in range(RECORDS))
        kcat(weft, "-P", "-t", topic, "-z", codec, "-X", "enable.idempotence=true", text=lines)

    read = kcat(weft, "-C", "-t", topic, "-e", "-q").splitlines()
    assert sorted(read) == sorted(f"{codec} {i}" for codec in CODECS for i in range(RECORDS))
    ends = [int(kcat(weft, "-Q", "-t", f"{topic}:{partition}:-1").split()[-1]) for partition in range(2)]
    assert sum(ends) == len(CODECS) * RECORDS


def test_kcat_consumes_in_a_group_and_goes_on_where_it_committed(weft):
    topic = "kcat.test.sent.v1"
    kcat(weft, "-P", "-t", topic, text="one\ntwo\n")
    group = ["-G", "kcat-group", "-e", "-q", "-X", "auto.offset.reset=earliest", topic]
    assert sorted(kcat(weft, *group).split()) == ["one", "two"]
    kcat(weft, "-P", "-t", topic, text="three\n")
    assert kcat(weft, *group).split() == ["three"]


def python_member(weft, topic, group):
    return kafka.KafkaConsumer(topic, bootstrap_servers=weft.kafka, group_id=group, auto_offset_reset="earliest",
                               session_timeout_ms=10_000, heartbeat_interval_ms=300, enable_auto_commit=False)


def test_kafka_python_produces_and_consumes_in_a_group_that_rebalances(weft):
    topic = "python.test.sent.v1"
    codecs = [None, "gzip", *([codec for codec in ("snappy", "lz4", "zstd") if getattr(kafka.codec, f"has_{codec}")()])]
    for codec in codecs:
        producer = kafka.KafkaProducer(bootstrap_servers=weft.kafka, compression_type=codec, acks="all")
        sent = [producer.send(topic, key=str(i).encode(), value=f"{codec} {i}".encode(), headers=[("codec", b"x")])
                for i in range(RECORDS)]
        assert all(record.get(10).offset >= 0 for record in sent)
        producer.close()

    seen = set()
    first, second = python_member(weft, topic, "python"), python_member(weft, topic, "python")
    # A leader that joins before it has heard of the topic gives nobody a partition, and kafka-python 3.0 may miss
    # that the topic came meanwhile: both hear of it first.
    for member in (first, second):
        wait_until(lambda member=member: len(member.partitions_for_topic(topic) or ()) == 4, what="the topic's metadata")
    # Each member joins in its own poll, so both poll from threads of their own.
    stop_second = threading.Event()

    def drive(member, stop):
        while not stop.is_set():
            for records in member.poll(timeout_ms=200).values():
                seen.update((record.partition, record.offset) for record in records)
            member.commit()

    follower = threading.Thread(target=drive, args=(second, stop_second), daemon=True)
    follower.start()
    deadline = time.monotonic() + 60
    both = False
    while time.monotonic() < deadline and not (both and len(seen) >= RECORDS * len(codecs)):
        for records in first.poll(timeout_ms=200).values():
            seen.update((record.partition, record.offset) for record in records)
        both = both or (len(first.assignment()) == 2 and len(second.assignment()) == 2)
    assert both, "the partitions were never shared"
    stop_second.set()
    follower.join()
    second.close()
    while time.monotonic() < deadline and len(first.assignment()) < 4:
        first.poll(timeout_ms=200)
    assert len(first.assignment()) == 4
    assert len(seen) == RECORDS * len(codecs)
    first.close()


def confluent_member(weft, group, strategy):
    return confluent_kafka.Consumer({"bootstrap.servers": weft.kafka, "group.id": group, "session.timeout.ms": 6000,
                                     "auto.offset.reset": "earliest", "enable.auto.commit": False,
                                     "partition.assignment.strategy": strategy})


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_librdkafka_produces_and_consumes_in_a_group_that_rebalances(weft, strategy):
    topic = "confluent.test.sent.v1" if strategy == "range" else "cooperative.test.sent.v1"
    failures = []
    for codec in CODECS:
        producer = confluent_kafka.Producer({"bootstrap.servers": weft.kafka, "compression.type": codec,
                                             "enable.idempotence": True, "linger.ms": 5})
        for i in range(RECORDS):
            producer.produce(topic, key=str(i), value=f"{codec} {i}" * 10, headers={"codec": codec},
                             callback=lambda error, _: failures.append(error) if error else None)
        assert producer.flush(20) == 0
    assert failures == []

    members = [confluent_member(weft, strategy, strategy) for _ in range(2)]
    seen, shared = set(), False
    for member in members:
        member.subscribe([topic])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (shared and len(seen) >= RECORDS * len(CODECS)):
        for member in members:
            for message in member.consume(200, 0.1):
                assert message.error() is None, message.error()
                seen.add((message.partition(), message.offset()))
        shared = shared or all(len(member.assignment()) == 2 for member in members)
    assert shared, "the partitions were never shared"
    assert len(seen) == RECORDS * len(CODECS)
    members[1].close()
    while time.monotonic() < deadline and len(members[0].assignment()) < 4:
        members[0].consume(1, 0.2)
    assert len(members[0].assignment()) == 4
    ends = [confluent_kafka.TopicPartition(topic, i, members[0].get_watermark_offsets(
        confluent_kafka.TopicPartition(topic, i))[1]) for i in range(4)]
    members[0].commit(offsets=ends, asynchronous=False)
    assert [place.offset for place in members[0].committed(ends)] == [place.offset for place in ends]
    members[0].close()


def test_committed_offsets_and_records_survive_a_kill(weft):
    topic = "kcat.test.sent.v1"
    group = ["-G", "survivor", "-e", "-q", "-X", "auto.offset.reset=earliest", topic]
    kcat(weft, "-P", "-t", topic, text="one\ntwo\n")
    assert len(kcat(weft, *group).split()) == 2
    weft.kill()
    weft.start()
    kcat(weft, "-P", "-t", topic, text="three\n")
    assert kcat(weft, *group).split() == ["three"]


def test_a_record_that_breaks_the_contract_is_refused_to_the_producer(weft):
    outcomes = []
    producer = confluent_kafka.Producer({"bootstrap.servers": weft.kafka})
    for value in ('{"id": 1}', '{"id": "one"}'):
        producer.produce(CONTRACTED, value=value, callback=lambda error, _: outcomes.append(error and error.name()))
        producer.flush(10)
    assert outcomes == [None, "INVALID_RECORD"]
    assert kcat(weft, "-C", "-t", CONTRACTED, "-e", "-q").splitlines() == ['{"id": 1}']


def test_topics_are_described_and_cannot_be_made_behind_the_estate(weft):
    admin = AdminClient({"bootstrap.servers": weft.kafka})
    resource = ConfigResource("topic", CONTRACTED)
    configs = admin.describe_configs([resource])[resource].result(10)
    assert configs["cleanup.policy"].value == "delete" and configs["retention.ms"].value == "604800000"
    with pytest.raises(confluent_kafka.KafkaException) as refused:
        admin.create_topics([NewTopic("new.test.made.v1", 1, 1)])["new.test.made.v1"].result(10)
    assert refused.value.args[0].name() == "POLICY_VIOLATION"


def test_only_a_key_opens_the_listener_unless_anonymous_access_is_set(estate, weft_factory):
    weft = weft_factory(estate=estate, settings=["kafka.rebalanceDelay=0s"]).start()
    topic = "python.test.sent.v1"

    def listing(password):
        words = ["-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanisms=PLAIN", "-X", "sasl.username=me",
                 "-X", f"sasl.password={password}"]
        return subprocess.run(["kcat", "-b", weft.kafka, "-m", "5", "-L", *words], text=True, capture_output=True, timeout=60)

    assert topic in listing(weft.token).stdout
    refused = listing("weft_0000000000000000_wrong")
    assert refused.returncode != 0 and "SASL authentication error" in refused.stderr
    assert subprocess.run(["kcat", "-b", weft.kafka, "-m", "3", "-L"], capture_output=True, timeout=60).returncode != 0

    # kafka-python 2.0.2 sends its token bare, after version 0 of the handshake.
    producer = kafka.KafkaProducer(bootstrap_servers=weft.kafka, security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN",
                                   sasl_plain_username="me", sasl_plain_password=weft.token)
    assert producer.send(topic, b"with a key").get(10).offset == 0
    producer.close()


def test_a_reader_far_behind_is_sent_files_and_gets_the_same_bytes(estate, weft_factory):
    weft = weft_factory(name="files", estate=estate, settings=[
        "kafka.anonymous=true", "kafka.rebalanceDelay=0s", "log.walFileBytes=4MiB", "log.tailBytesMax=1MiB"]).start()
    topic, records = "kcat.test.sent.v1", 12_000
    producer = confluent_kafka.Producer({"bootstrap.servers": weft.kafka, "linger.ms": 50})
    for number in range(records):
        producer.produce(topic, f"{number} ".encode() + b"x" * 1000, partition=0)
        producer.poll(0)
        if number % 1000 == 0:
            producer.flush(30)
    assert producer.flush(30) == 0

    def read_from_files():
        """All records, once some of them were moved to segments and went out from there."""
        lines = kcat(weft, "-C", "-t", topic, "-p", "0", "-e", "-q").splitlines()
        assert [line.split(" ", 1)[0] for line in lines] == [str(number) for number in range(records)]
        assert all(line.endswith(" " + "x" * 1000) for line in lines)
        return weft.metric("weft_eventlog_kafka_file_bytes_total") > 1e6

    wait_until(read_from_files, seconds=60, what="records that were sent from a file")
