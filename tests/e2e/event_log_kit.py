"""Runs the conformance kit of the event log's back ends against a Kafka broker, and reads the matrix that it prints."""
import os
import re
import subprocess

from weft_process import BINARY

# What a node that stands in for a cluster needs to admit the topics of another.
NAMESPACE = """apiVersion: weft/v1
kind: Namespace
metadata: {name: cluster, owner: tests}
spec: {prefix: default., opaque: true}
"""
CASE = re.compile(r"^(\w+) +Embedded: (\S+) +Cluster: (\S+)", re.M)


def matrix_of(bootstrap, replicas=-1, seconds=300):
    """The states of the two back ends by case."""
    program = BINARY.with_name("weft_eventlog_tests")
    environment = {**os.environ, "WEFT_TEST_KAFKA": bootstrap, "WEFT_TEST_KAFKA_REPLICAS": str(replicas)}
    done = subprocess.run([str(program), "--gtest_filter=*EventLogConformance*"], text=True, capture_output=True, timeout=seconds,
                          env=environment)
    matrix = {name: (embedded, cluster) for name, embedded, cluster in CASE.findall(done.stdout)}
    assert matrix and (done.returncode == 0 or any("FAILED" in states for states in matrix.values())), done.stdout[-3000:] + done.stderr[-2000:]
    if any("FAILED" in states for states in matrix.values()):
        print(done.stdout[-8000:])
    return matrix
