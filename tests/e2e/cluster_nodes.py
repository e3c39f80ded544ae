"""Weft nodes whose streams are in a Kafka cluster and whose estate is in one database: what they do together."""
import base64
import json
import shutil
import threading
from collections import Counter

from webhook_receiver import Receiver
from weft_process import call, wait_until

STREAM = "orders.order.created.v1"
SUBSCRIPTIONS = 8
SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
ESTATE = f"""apiVersion: weft/v1
kind: Stream
metadata: {{name: {STREAM}, owner: tests}}
spec: {{opaque: true, partitions: 6}}
"""
SUBSCRIPTION = """---
apiVersion: weft/v1
kind: Subscription
metadata: {{name: s{number}, owner: tests}}
spec:
  stream: orders.order.created.v1
  from: earliest
  endpoint: {{url: "{url}/s{number}"}}
  signing: {{secrets: ["${{env:WEBHOOK_SECRET}}"]}}
  retry: {{initialDelay: 100ms, maxDelay: 1s}}
"""


class Nodes:
    """`make` makes a node of a name that is not started: weft_factory's way."""

    def __init__(self, make, brokers, postgres_url, settings=()):
        self.receiver = Receiver(path="/hooks")
        common = ["streams.backend=kafka", f"streams.brokers={brokers}", "state.backend=postgres", "state.followInterval=100ms",
                  "streams.sessionTimeout=6s", "egress.allow=127.0.0.0/8", *settings]
        environment = {"WEFT_STATE__POSTGRES__URL": postgres_url, "WEBHOOK_SECRET": SECRET}
        self.a, self.b = (make(name, settings=[*common, f"nodes.name={name}"], environment=environment) for name in "ab")
        self.a.start()
        self.b.data.mkdir(mode=0o700)
        shutil.copy(self.a.data / "identity.key", self.b.data / "identity.key")
        self.b.start()
        documents = ESTATE + "".join(SUBSCRIPTION.format(number=i, url=self.receiver.url) for i in range(SUBSCRIPTIONS))
        applied = self.a.admin("POST", "/apply", documents, "application/yaml")
        assert applied.status == 200, applied.body
        for node in (self.a, self.b):
            wait_until(lambda at=node: len(at.admin("GET", "/nodes").json()["items"]) == 2, what="two nodes that know each other")
            wait_until(lambda at=node: len(self.subscriptions(at)) == SUBSCRIPTIONS, what="the estate at both nodes")

    @staticmethod
    def subscriptions(node):
        name = next(setting for setting in node.settings if setting.startswith("nodes.name=")).removeprefix("nodes.name=")
        return {one["name"]: one["status"] for one in node.admin("GET", f"/subscriptions?nodes={name}").json()["items"]}

    def carried_out_by(self, node):
        return {name for name, status in self.subscriptions(node).items() if status != "elsewhere"}

    def wait_for_shared_work(self):
        """Until each subscription is carried out by one node, and each node carries some out."""

        def is_shared():
            a, b = self.carried_out_by(self.a), self.carried_out_by(self.b)
            return a and b and not a & b and len(a | b) == SUBSCRIPTIONS

        wait_until(is_shared, seconds=60, what="shared work")

    def received(self, name):
        """How often each event came to a subscription."""
        ids = Counter()
        for request in self.receiver.accepted():
            if request["path"].endswith("/" + name):
                ids[json.loads(request["body"])["id"]] += 1
        return ids

    def missing(self, acknowledged):
        return {name: len(lost) for name in (f"s{i}" for i in range(SUBSCRIPTIONS))
                if (lost := set(acknowledged) - set(self.received(name)))}

    def close(self):
        self.receiver.close()


class Publisher:
    """Publishes to a node, one event after the other, until it is told to end; keeps the ids of what was acknowledged."""

    def __init__(self, node, name):
        self.node = node
        self.name = name
        self.token = node.token
        self.acknowledged = []
        self.refused = Counter()
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        number = 0
        while not self.is_over.is_set():
            event = f"{self.name}-{number}"
            number += 1
            headers = {"Authorization": f"Bearer {self.token}", "ce-specversion": "1.0", "ce-id": event, "ce-source": "/tests",
                       "ce-type": "created", "Content-Type": "application/json"}
            try:
                status = call("POST", f"{self.node.gateway}/events/{STREAM}", '{"a": 1}', headers, timeout=60).status
            except OSError:
                status = "no answer"
            if status in (200, 201, 202, 204):
                self.acknowledged.append(event)
            else:
                self.refused[status] += 1
                self.is_over.wait(0.05)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
