"""The cases that every back end of the event log passes, over three real Kafka brokers."""
from event_log_kit import matrix_of
from kafka_cluster import cluster
from kafka_java import LATEST


def run():
    with cluster() as kafka:
        matrix = matrix_of(kafka.bootstrap, replicas=kafka.replicas)
    failed = {name: states for name, states in matrix.items() if "FAILED" in states}
    assert not failed, failed
    unsupported = sum("unsupported" in states for states in matrix.values())
    return f"{len(matrix)} cases over three brokers of Kafka {LATEST}, {unsupported} of them unsupported by one of the back ends"
