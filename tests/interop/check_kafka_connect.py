"""Kafka Connect standalone with the file connectors: lines of a file go through a topic into another file."""
import tempfile
from pathlib import Path

from kafka_java import LATEST, free_ports, node, process
from weft_process import wait_until

LINES = [f"line {number}" for number in range(500)]
CONNECTORS = {
    "source": "connector.class=org.apache.kafka.connect.file.FileStreamSourceConnector\nfile=in.txt\ntopic=connect-lines\n",
    "sink": "connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector\nfile=out.txt\ntopics=connect-lines\n"}
WORKER = """bootstrap.servers={kafka}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename=offsets
offset.flush.interval.ms=500
listeners=http://127.0.0.1:{port}
"""


def run():
    with node() as weft, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.txt").write_text("".join(line + "\n" for line in LINES))
        (folder / "worker.properties").write_text(WORKER.format(kafka=weft.kafka, port=free_ports(1)[0]))
        for connector, text in CONNECTORS.items():
            (folder / f"{connector}.properties").write_text(f"name={connector}\ntasks.max=1\n{text}")
        out = folder / "out.txt"
        with process(LATEST, "org.apache.kafka.connect.cli.ConnectStandalone", "worker.properties", "source.properties",
                     "sink.properties", folder=folder):
            wait_until(lambda: out.exists() and len(out.read_text().splitlines()) >= len(LINES), seconds=90, what="the lines")
        assert out.read_text().splitlines() == LINES
    return f"Kafka Connect {LATEST} standalone: {len(LINES)} lines from file to topic to file, unchanged"
