"""MirrorMaker 2 copies a topic of a real Apache Kafka, with its configuration, into a node."""
import subprocess
import tempfile
from pathlib import Path

from kafka_java import LATEST, free_ports, java, node, process
from weft_process import wait_until

RECORDS = 2000
BROKER = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
offsets.topic.replication.factor=1
"""
MIRROR = """clusters=src,weft
src.bootstrap.servers={kafka}
weft.bootstrap.servers={weft}
src->weft.enabled=true
weft->src.enabled=false
src->weft.topics=orders.*
replication.factor=1
checkpoints.topic.replication.factor=1
heartbeats.topic.replication.factor=1
offset-syncs.topic.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
config.storage.replication.factor=1
refresh.topics.interval.seconds=2
"""


def kcat(*words, text=None):
    result = subprocess.run(["kcat", "-m", "10", *words], input=text, text=True, capture_output=True, timeout=60)
    return result.stdout if result.returncode == 0 else ""


def run():
    with node() as weft, tempfile.TemporaryDirectory() as broker_folder, tempfile.TemporaryDirectory() as folder:
        port, controller = free_ports(2)
        kafka = f"127.0.0.1:{port}"
        settings = Path(broker_folder) / "server.properties"
        settings.write_text(BROKER.format(port=port, controller=controller, folder=broker_folder))
        java(LATEST, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", settings)
        with process(LATEST, "kafka.Kafka", settings, folder=broker_folder):
            wait_until(lambda: kcat("-b", kafka, "-L"), seconds=60, what="Kafka")
            java(LATEST, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", kafka, "--create", "--topic", "orders",
                 "--partitions", "2", "--config", "retention.ms=3600000")
            values = [f"order {number}" for number in range(RECORDS)]
            kcat("-b", kafka, "-P", "-t", "orders", text="\n".join(values))
            (Path(folder) / "mm2.properties").write_text(MIRROR.format(kafka=kafka, weft=weft.kafka))

            def mirrored():
                return kcat("-b", weft.kafka, "-C", "-t", "src.orders", "-e", "-q").splitlines()

            with process(LATEST, "org.apache.kafka.connect.mirror.MirrorMaker", "mm2.properties", folder=folder):
                wait_until(lambda: len(mirrored()) >= RECORDS, seconds=120, what="the mirrored records")
            assert sorted(mirrored()) == sorted(values)
            topics = {each["name"]: each for each in weft.admin("GET", "/streams").json()["items"]}
            assert topics["src.orders"]["partitions"] == 2, topics["src.orders"]
    return f"MirrorMaker 2 of Kafka {LATEST}: {RECORDS} records of a real Kafka, each once, with the topic's partitions"
