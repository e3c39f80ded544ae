"""Apache Kafka's own Java parts from Maven Central, and a node for them to work with."""
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from parts import FOLDER, fetch, free_ports
from weft_process import OnFixedPorts

SOURCES = Path(__file__).with_name("java")
LATEST = "4.1.1"
VERSIONS = ["3.9.1", LATEST]
ARTIFACTS = ["kafka_2.13", "kafka-tools", "kafka-streams", "connect-runtime", "connect-file", "connect-mirror"]
SOURCE, TARGET = "java.source.sent.v1", "java.target.sent.v1"
NAMESPACES = {"apps": "apps-", "connect": "connect-", "mirror": "mm2-", "mirrored": "src.", "heartbeats": "heartbeats"}

STREAMS = "---\n".join(
    f"apiVersion: weft/v1\nkind: Stream\nmetadata: {{name: {name}, owner: tests}}\nspec: {{opaque: true, partitions: 3}}\n"
    for name in (SOURCE, TARGET))
RULES = "".join(
    f"---\napiVersion: weft/v1\nkind: Namespace\nmetadata: {{name: {name}, owner: tests}}\n"
    f"spec: {{prefix: {prefix}, opaque: true, autoCreate: {'true' if name == 'connect' else 'false'}}}\n"
    for name, prefix in NAMESPACES.items())
CLIENTS = "---\napiVersion: weft/v1\nkind: Client\nmetadata: {name: shop, owner: tests}\nspec: {}\n"


def libraries(version):
    """The folder with Kafka's jars of that version and what they need."""
    folder = FOLDER / "kafka" / version
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        wanted = "".join(f"<dependency><groupId>org.apache.kafka</groupId><artifactId>{name}</artifactId>"
                         f"<version>{version}</version></dependency>" for name in ARTIFACTS)
        (folder / "pom.xml").write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>weft</groupId>'
            f"<artifactId>interop</artifactId><version>1</version><dependencies>{wanted}</dependencies></project>")
        fetch(["mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies", f"-DoutputDirectory={folder}/lib"],
              f"mvn dependency:copy-dependencies of Kafka {version}", seconds=900, cwd=folder)
        (folder / "complete").touch()
    return folder / "lib"


def words(version, *arguments):
    return ["java", "-Xmx512m", "-cp", f"{libraries(version)}/*", *map(str, arguments)]


def java(version, *arguments, seconds=150, check=True):
    result = subprocess.run(words(version, *arguments), text=True, capture_output=True, timeout=seconds)
    if check and result.returncode != 0:
        raise AssertionError(f"{arguments}: {result.stdout[-1500:]} {result.stderr[-1500:]}")
    return result.stdout


def story(version, name, *arguments):
    """Runs a program of tests/interop/java, which prints `done` at its end."""
    printed = java(version, SOURCES / f"{name}.java", *arguments)
    assert printed.rstrip().endswith("done"), printed[-2000:]
    return printed


@contextlib.contextmanager
def node():
    with tempfile.TemporaryDirectory() as folder:
        estate = Path(folder) / "estate"
        estate.mkdir()
        (estate / "estate.yaml").write_text(STREAMS + RULES + CLIENTS)
        port, = free_ports(1)
        others = [f"ports.{name}=0" for name in ("admin", "gateway", "ops", "otlp")]
        weft = OnFixedPorts(folder, estate=estate, settings=[
            *others, f"ports.kafka={port}", "kafka.anonymous=true", "kafka.rebalanceDelay=0s"]).start()
        try:
            yield weft
        finally:
            if sys.exc_info()[0] is not None:
                print(weft.log_text()[-2000:], file=sys.stderr)
            weft.stop()


@contextlib.contextmanager
def process(version, *arguments, folder):
    """A Java program that runs until the block ends."""
    log = Path(folder) / "java.log"
    with open(log, "wb") as out:
        running = subprocess.Popen(words(version, *arguments), stdout=out, stderr=out, cwd=folder, env=dict(os.environ))
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
