"""A cluster of real Apache Kafka brokers (KRaft, each a controller as well) on loopback."""
import contextlib
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from kafka_java import LATEST, java, libraries
from parts import free_ports
from weft_process import wait_until

CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
SETTINGS = """process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=5
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=5
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
"""


class Cluster:
    def __init__(self, folder, brokers):
        self.folder = Path(folder)
        ports = free_ports(2 * brokers)
        self.ports, controllers = ports[:brokers], ports[brokers:]
        self.bootstrap = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        self.replicas = min(3, brokers)
        self.running = {}
        voters = ",".join(f"{i + 1}@127.0.0.1:{port}" for i, port in enumerate(controllers))
        for i, (port, controller) in enumerate(zip(self.ports, controllers)):
            (self.folder / f"{i}").mkdir()
            self.settings(i).write_text(SETTINGS.format(
                id=i + 1, voters=voters, port=port, controller=controller, folder=self.folder / f"{i}", replicas=self.replicas,
                in_sync=min(2, brokers)))
            java(LATEST, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self.settings(i))

    def settings(self, i):
        return self.folder / f"{i}/server.properties"

    def start(self, i):
        with open(self.folder / f"{i}/broker.log", "ab") as log:
            self.running[i] = subprocess.Popen(
                ["java", "-Xmx384m", "-cp", f"{libraries(LATEST)}/*", "kafka.Kafka", str(self.settings(i))], stdout=log, stderr=log,
                env=dict(os.environ))

    def kill(self, i):
        process = self.running.pop(i)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def wait_for_all(self):
        wait_until(lambda: len(re.findall(r"^ +broker \d+ at", self.list(), re.M)) == len(self.ports), seconds=120, what="the brokers")

    def list(self, *words):
        return subprocess.run(["kcat", "-m", "5", "-b", self.bootstrap, "-L", *words], text=True, capture_output=True, timeout=60).stdout

    def leader_of(self, topic, partition):
        """Which of the brokers leads it, from 0."""
        found = re.search(rf"partition {partition}, leader (\d+)", self.list("-t", topic))
        return int(found.group(1)) - 1

    def stop(self):
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def cluster(brokers=3):
    with tempfile.TemporaryDirectory() as folder:
        made = Cluster(folder, brokers)
        try:
            for i in range(brokers):
                made.start(i)
            made.wait_for_all()
            yield made
        finally:
            made.stop()
