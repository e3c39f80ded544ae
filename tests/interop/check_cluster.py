"""Two nodes over three real Kafka brokers: a broker that leads is killed, then a node, while both publish; nothing acknowledged is lost."""
import tempfile
from pathlib import Path

from cluster_nodes import STREAM, Nodes, Publisher
from kafka_cluster import cluster
from kafka_java import LATEST
from postgres_server import PostgresServer
from weft_process import Weft, wait_until

EVENTS = 200


def story(kafka, nodes):
    nodes.wait_for_shared_work()
    with Publisher(nodes.a, "a") as from_a:
        with Publisher(nodes.b, "b") as from_b:
            wait_until(lambda: min(len(from_a.acknowledged), len(from_b.acknowledged)) >= EVENTS, seconds=120, what="events")
            leader = kafka.leader_of(f"default.{STREAM}", 0)
            kafka.kill(leader)
            before = len(from_a.acknowledged), len(from_b.acknowledged)
            wait_until(lambda: len(from_a.acknowledged) >= before[0] + EVENTS and len(from_b.acknowledged) >= before[1] + EVENTS,
                       seconds=120, what="events after the broker's death")
            of_b = nodes.carried_out_by(nodes.b)
            nodes.b.kill()
        wait_until(lambda: nodes.carried_out_by(nodes.a) >= of_b, seconds=120, what="the dead node's subscriptions")
        before = len(from_a.acknowledged)
        wait_until(lambda: len(from_a.acknowledged) >= before + EVENTS, seconds=120, what="events after the node's death")
        kafka.start(leader)
        kafka.wait_for_all()
    acknowledged = from_a.acknowledged + from_b.acknowledged
    wait_until(lambda: not nodes.missing(acknowledged), seconds=120, what="every acknowledged event at every subscription")
    again = sum(count - 1 for i in range(8) for count in nodes.received(f"s{i}").values())
    refused = dict(from_a.refused + from_b.refused)
    return (f"{len(acknowledged)} events acknowledged by two nodes over three brokers of Kafka {LATEST}, a leading broker and a node killed: each at all "
            f"8 subscriptions, {again} deliveries made again, publishes refused meanwhile: {refused or 'none'}")


def run():
    with tempfile.TemporaryDirectory() as folder, cluster() as kafka:
        postgres = PostgresServer().start()
        started = []

        def make(name, **options):
            (Path(folder) / name).mkdir()
            started.append(Weft(Path(folder) / name, **options))
            return started[-1]

        nodes = None
        try:
            nodes = Nodes(make, kafka.bootstrap, postgres.url)
            return story(kafka, nodes)
        except AssertionError as error:
            logs = "\n".join(node.log_text()[-3000:] for node in started)
            raise AssertionError(f"{error}\n{logs}") from error
        finally:
            for node in started:
                if node.process and node.process.poll() is None:
                    node.kill()
            if nodes:
                nodes.close()
            postgres.remove()
