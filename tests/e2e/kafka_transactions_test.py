"""Exactly once through transactions: Debian's librdkafka against the real binary, also under kill -9."""
import time
import uuid

import pytest
from conftest import free_port
from weft_process import OnFixedPorts

confluent_kafka = pytest.importorskip("confluent_kafka")

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition  # noqa: E402
from librdkafka import recovery  # noqa: E402

SOURCE = "payments.order.placed.v1"
TARGET = "payments.invoice.made.v1"
PARTITIONS = 3


def stream_document(name):
    return (f"apiVersion: weft/v1\nkind: Stream\nmetadata: {{name: {name}, owner: tests}}\n"
            f"spec: {{opaque: true, partitions: {PARTITIONS}}}\n")


@pytest.fixture
def weft(tmp_path):
    """A node that clients find again after a restart."""
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "streams.yaml").write_text("---\n".join([stream_document(SOURCE), stream_document(TARGET)]))
    ports = [f"ports.{name}=0" for name in ("admin", "gateway", "ops", "otlp")]
    node = OnFixedPorts(tmp_path, estate=folder, settings=[
        *ports, f"ports.kafka={free_port()}", "kafka.anonymous=true", "kafka.rebalanceDelay=0s"])
    yield node.start()
    node.stop()


def transactional(weft, name, **more):
    producer = Producer({"bootstrap.servers": weft.kafka, "transactional.id": name, "linger.ms": 0,
                         "transaction.timeout.ms": 20_000, **recovery(), **more})
    producer.init_transactions(20)
    return producer


def reader(weft, isolation, group=None, topic=TARGET):
    consumer = Consumer({"bootstrap.servers": weft.kafka, "group.id": group or str(uuid.uuid4()),
                         "isolation.level": isolation, "auto.offset.reset": "earliest",
                         "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.subscribe([topic])
    return consumer


def read_all(weft, isolation, topic=TARGET):
    """Values of all partitions up to their ends."""
    consumer = reader(weft, isolation, topic=topic)
    values, ended = [], set()
    for _ in until(60):
        if len(ended) == PARTITIONS:
            break
        message = consumer.poll(20)
        assert message is not None, "nothing came within 20 s"
        if message.error() is None:
            values.append(message.value().decode())
        elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
            ended.add(message.partition())
        else:
            raise KafkaException(message.error())
    consumer.close()
    return values


def send(producer, topic, values):
    for value in values:
        producer.produce(topic, value=value, partition=hash(value) % PARTITIONS)
    assert producer.flush(20) == 0


def test_committed_and_aborted_transactions_are_told_apart(weft):
    producer = transactional(weft, "simple")
    producer.begin_transaction()
    send(producer, TARGET, [f"lost {i}" for i in range(30)])
    producer.abort_transaction(20)
    producer.begin_transaction()
    send(producer, TARGET, [f"kept {i}" for i in range(30)])
    producer.commit_transaction(20)

    kept = {f"kept {i}" for i in range(30)}
    assert sorted(read_all(weft, "read_committed")) == sorted(kept)
    assert len(read_all(weft, "read_uncommitted")) == 60


def test_a_second_producer_fences_the_first(weft):
    first = transactional(weft, "fenced")
    first.begin_transaction()
    send(first, TARGET, ["zombie"])
    second = transactional(weft, "fenced")
    second.begin_transaction()
    send(second, TARGET, ["successor"])
    second.commit_transaction(20)
    with pytest.raises(KafkaException) as refused:
        first.commit_transaction(20)
    assert refused.value.args[0].fatal()
    assert read_all(weft, "read_committed") == ["successor"]


class Invoicing:
    """Reads orders, writes an invoice for each, and commits both or neither."""

    def __init__(self, weft, abort_every=0):
        self.weft = weft
        self.abort_every = abort_every
        self.rounds = 0
        self.consumer = reader(weft, "read_committed", group="invoicing", topic=SOURCE)
        self.producer = transactional(weft, "invoicing", **{"message.timeout.ms": 15_000})

    def back_to_committed(self):
        assignment = self.consumer.assignment()
        for place in self.consumer.committed(assignment, timeout=20):
            offset = place.offset if place.offset >= 0 else confluent_kafka.OFFSET_BEGINNING
            self.consumer.seek(TopicPartition(place.topic, place.partition, offset))

    def round(self):
        """False when there was nothing to do."""
        message = self.consumer.poll(5)
        batch = [] if message is None else [message, *self.consumer.consume(19, timeout=0.2)]
        batch = [each for each in batch if each.error() is None]
        if not batch:
            return False
        self.rounds += 1
        self.producer.begin_transaction()
        send(self.producer, TARGET, [f"invoice of {each.value().decode()}" for each in batch])
        self.producer.send_offsets_to_transaction(self.consumer.position(self.consumer.assignment()),
                                                  self.consumer.consumer_group_metadata(), 20)
        if self.abort_every and self.rounds % self.abort_every == 0:
            self.producer.abort_transaction(20)
            self.back_to_committed()
        else:
            self.producer.commit_transaction(20)
        return True

    def close(self):
        self.consumer.close()


def until(seconds):
    """For a loop whose end is on the other side: an item each round, and a failure when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        assert time.monotonic() < deadline, f"not done within {seconds} s"
        yield


def all_invoiced(weft, orders):
    return len(read_all(weft, "read_committed")) >= len(orders)


def test_each_order_is_invoiced_exactly_once_although_transactions_abort(weft):
    orders = [f"order {i}" for i in range(200)]
    send(Producer({"bootstrap.servers": weft.kafka}), SOURCE, orders)
    work = Invoicing(weft, abort_every=3)
    for _ in until(120):
        if not work.round() and all_invoiced(weft, orders):
            break
    work.close()
    assert sorted(read_all(weft, "read_committed")) == sorted(f"invoice of {order}" for order in orders)
    assert len(read_all(weft, "read_uncommitted")) > len(orders)


def test_each_order_is_invoiced_exactly_once_although_the_node_is_killed(weft):
    orders = [f"order {i}" for i in range(200)]
    send(Producer({"bootstrap.servers": weft.kafka}), SOURCE, orders)
    work = Invoicing(weft)
    kills = 0
    for _ in until(180):
        try:
            if work.rounds % 3 == 2 and kills < 3:
                # Between the records and their commit.
                message = work.consumer.poll(5)
                if message is not None and message.error() is None:
                    work.producer.begin_transaction()
                    send(work.producer, TARGET, [f"invoice of {message.value().decode()}"])
                weft.kill()
                kills += 1
                weft.start()
                work.producer.abort_transaction(20)
                work.back_to_committed()
                work.rounds += 1
            elif not work.round() and all_invoiced(weft, orders):
                break
        except KafkaException as error:
            assert not error.args[0].fatal(), error
            work.producer.abort_transaction(20)
            work.back_to_committed()
    work.close()
    assert kills == 3
    assert sorted(read_all(weft, "read_committed")) == sorted(f"invoice of {order}" for order in orders)
