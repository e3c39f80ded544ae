"""At least once, and in order where that was asked for: consumers that die before they acknowledge, receivers that
fail, and a node that is killed meanwhile."""
import base64
import json
import random
import subprocess
import sys
import threading

import pytest
from webhook_receiver import Receiver
from weft_process import wait_until

confluent_kafka = pytest.importorskip("confluent_kafka")

STREAM = "orders.order.created.v1"
ORDERS = 10_000
SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
STREAM_DOCUMENT = f"""
apiVersion: weft/v1
kind: Stream
metadata: {{name: {STREAM}, owner: tests}}
spec: {{opaque: true, partitions: 4}}
"""
SUBSCRIPTION = """---
apiVersion: weft/v1
kind: Subscription
metadata: {name: crm, owner: tests}
spec:
  stream: orders.order.created.v1
  from: earliest
  endpoint: {url: "${env:CRM_URL}"}
  signing: {secrets: ["${env:CRM_WEBHOOK_SECRET}"]}
  ordering: key
  retry: {initialDelay: 20ms, maxDelay: 100ms}
"""
# Prints each order when it has dealt with it, and acknowledges only every hundredth time. After so many it hangs.
CONSUMER = """
import sys
from confluent_kafka import Consumer
consumer = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "orders", "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, "session.timeout.ms": 6000})
consumer.subscribe([sys.argv[2]])
done = 0
hangs_after = int(sys.argv[3])
while done < hangs_after:
    message = consumer.poll(1)
    if message is None or message.error():
        continue
    print(message.value().decode(), flush=True)
    done += 1
    if done % 100 == 0:
        consumer.commit(asynchronous=False)
sys.stdin.read()
"""


def produce(weft, keys_and_values):
    producer = confluent_kafka.Producer({"bootstrap.servers": weft.kafka, "enable.idempotence": True})
    for key, value in keys_and_values:
        producer.produce(STREAM, value, key)
        producer.poll(0)
    assert producer.flush(60) == 0


class Consumer:
    """In a process of its own, so that it can be killed as a consumer dies."""

    def __init__(self, weft, hangs_after=ORDERS):
        self.process = subprocess.Popen([sys.executable, "-c", CONSUMER, weft.kafka, STREAM, str(hangs_after)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.orders = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.orders.append(line.strip())

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(10)
        self.process.stdin.close()
        self.process.stdout.close()


def test_orders_of_a_consumer_that_dies_before_it_acknowledges_go_to_another_one(weft_factory, tmp_path):
    estate = tmp_path / "estate"
    estate.mkdir()
    (estate / "stream.yaml").write_text(STREAM_DOCUMENT)
    weft = weft_factory(estate=estate, settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]).start()
    orders = {f"order-{i}" for i in range(ORDERS)}

    first = Consumer(weft, hangs_after=1234)
    produce(weft, [(order, order) for order in orders])
    wait_until(lambda: len(first.orders) == 1234, 60, "the first consumer's work")
    first.kill()
    second = Consumer(weft)
    try:
        wait_until(lambda: len(set(first.orders) | set(second.orders)) == ORDERS, 90, "all orders dealt with")
        assert len(set(first.orders) & set(second.orders)) >= 34, "what was not acknowledged is delivered again"
        assert set(first.orders) | set(second.orders) == orders
    finally:
        second.kill()


def test_events_of_one_key_arrive_in_order_though_the_receiver_fails_and_the_node_is_killed(weft_factory, tmp_path):
    estate = tmp_path / "estate"
    estate.mkdir()
    (estate / "estate.yaml").write_text(STREAM_DOCUMENT + SUBSCRIPTION)
    chance = random.Random(7)
    lock = threading.Lock()

    def answer(_):
        with lock:
            return 503 if chance.random() < 0.2 else 204

    receiver = Receiver(answer=answer)
    weft = weft_factory(estate=estate, settings=["kafka.anonymous=true", "egress.allow=127.0.0.0/8"],
                        environment={"CRM_URL": receiver.url, "CRM_WEBHOOK_SECRET": SECRET}).start()
    events = [(f"order-{i % 50}", json.dumps({"order": i % 50, "step": i // 50})) for i in range(2000)]
    try:
        produce(weft, events)
        wait_until(lambda: len(receiver.accepted()) >= 600, 60, "some deliveries")
        weft.kill()
        weft.start()
        wait_until(lambda: len({r["headers"]["webhook-id"] for r in receiver.accepted()}) == len(events), 90,
                   "every event accepted")
    finally:
        receiver.close()

    steps = {}
    for request in receiver.accepted():
        data = json.loads(request["body"])["data"]
        seen = steps.setdefault(data["order"], [])
        # After the kill what was not recorded comes again, and what followed it too.
        if seen and data["step"] <= seen[-1]:
            del seen[seen.index(data["step"]):]
        assert data["step"] == len(seen), f"order {data['order']}: step {data['step']} after {seen[-3:]}"
        seen.append(data["step"])
    assert all(seen == list(range(40)) for seen in steps.values())
