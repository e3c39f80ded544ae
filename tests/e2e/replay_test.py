"""Stored records, once more for whoever reads another stream: of one key, of a range; what cannot be is refused."""
import json
import time

import pytest

confluent_kafka = pytest.importorskip("confluent_kafka")

from confluent_kafka import Consumer, Producer  # noqa: E402

ORDERS, REBUILD, STRICT = "shop.order.placed.v1", "shop.order.replayed.v1", "shop.order.checked.v1"
ESTATE = f"""
apiVersion: weft/v1
kind: Schema
metadata: {{name: order, owner: shop}}
spec: {{format: json-schema, definition: {{type: object, required: [id]}}}}
""" + "".join(f"""---
apiVersion: weft/v1
kind: Stream
metadata: {{name: {name}, owner: shop}}
spec: {{{contract}, partitions: {partitions}}}
""" for name, contract, partitions in ((ORDERS, "opaque: true", 3), (REBUILD, "opaque: true", 3), (STRICT, "schema: order", 2)))


@pytest.fixture
def weft(tmp_path, weft_factory):
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yaml").write_text(ESTATE)
    return weft_factory(estate=folder, settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]).start()


def send(weft, records, **config):
    producer = Producer({"bootstrap.servers": weft.kafka, **config})
    if config:
        producer.init_transactions(20)
        producer.begin_transaction()
    for key, value in records:
        producer.produce(ORDERS, value, key=key, headers={"ce_id": value})
    assert producer.flush(20) == 0
    return producer


def read(weft, topic, count):
    """What a new consumer finds in the topic, from its beginning to its end."""
    consumer = Consumer({"bootstrap.servers": weft.kafka, "group.id": "projection", "auto.offset.reset": "earliest",
                         "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.subscribe([topic])
    found, ends, deadline = [], set(), time.monotonic() + 30
    partitions = len(consumer.list_topics(topic, 20).topics[topic].partitions)
    while len(ends) < partitions:
        assert time.monotonic() < deadline, f"{len(found)} records, and the ends of {ends} alone"
        for each in consumer.consume(1000, 1):
            if each.error() is None:
                found.append(each)
            else:
                assert each.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, each.error()
                ends.add(each.partition())
    consumer.close()
    assert len(found) == count
    return found


def replay(weft, *words, check=True):
    return weft.cli("stream", "replay", ORDERS, *words, check=check)


def rows(weft, *words):
    return json.loads(replay(weft, *words, "-o", "json").stdout)["items"]


def test_a_consumer_that_lost_its_state_reads_one_key_again(weft):
    send(weft, [(f"K-{i % 7}", f"order {i}") for i in range(70)])
    send(weft, [("K-3", "taken back")], **{"transactional.id": "till"}).abort_transaction(20)

    preview = rows(weft, "--into", REBUILD, "--key", "K-3")
    assert sum(row["records"] for row in preview) == 10 and read(weft, REBUILD, 0) == []
    assert rows(weft, "--into", REBUILD, "--key", "K-3", "--execute") == preview
    found = read(weft, REBUILD, 10)
    assert [each.value().decode() for each in found] == [f"order {i}" for i in range(3, 70, 7)]
    originals = {each.value(): each for each in read(weft, ORDERS, 70)}
    for copy in found:
        original, headers = originals[copy.value()], dict(copy.headers())
        assert (copy.key(), copy.partition(), copy.timestamp()) == (b"K-3", original.partition(), original.timestamp())
        assert headers == {"ce_id": copy.value(), "weft-stream": ORDERS.encode(), "weft-partition": str(original.partition()).encode(),
                           "weft-offset": str(original.offset()).encode()}
    assert weft.admin("GET", "/audit").body.count(b'"stream.replay"') == 1, "not for the preview"


def test_a_range_of_all_partitions_is_replayed_in_order(weft):
    send(weft, [(f"K-{i % 50}", f"order {i}") for i in range(5000)])
    before = rows(weft, "--into", REBUILD)
    assert sum(row["records"] for row in before) == 5000 and [row["partition"] for row in before] == [0, 1, 2]

    assert rows(weft, "--into", REBUILD, "--offset", "10", "--until-offset", "1000", "--execute") == [
        {"partition": number, "from": 10, "until": 1000, "records": 990} for number in range(3)]
    copies = read(weft, REBUILD, 3 * 990)
    for number in range(3):
        offsets = [int(dict(each.headers())["weft-offset"]) for each in copies if each.partition() == number]
        assert offsets == list(range(10, 1000))
    later = rows(weft, "--into", REBUILD, "--time", "2099-01-01T00:00:00Z")
    assert [row["records"] for row in later] == [0, 0, 0]


def test_what_cannot_be_replayed_is_refused_with_the_reason(weft):
    send(weft, [("A", '{"id":1}'), ("A", '{"no":2}'), ("A", '{"id":3}')])
    broken = replay(weft, "--into", STRICT, "--key", "A", "--execute", check=False)
    assert broken.returncode != 0 and "at offset 1 of partition" in broken.stderr and "id" in broken.stderr
    assert read(weft, STRICT, 0) == []
    for words, why in (([], "--into"), (["--into", ORDERS], "name another stream"), (["--into", "no.such.stream"], "no stream"),
                       (["--into", REBUILD, "--partition", "3"], "below 3"),
                       (["--into", REBUILD, "--offset", "1", "--time", "2025-01-01T00:00:00Z"], "not both"),
                       (["--into", REBUILD, "--time", "yesterday"], "fromTime")):
        refused = replay(weft, *words, check=False)
        assert refused.returncode != 0 and why in refused.stderr, (words, refused.stderr)
