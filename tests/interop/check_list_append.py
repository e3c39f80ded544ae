"""Transactions of appends and polls for two minutes under kill -9 with the current librdkafka, judged from what clients saw."""
from list_append_process import told_by_clients
from parts import python

SECONDS = 120


def run():
    told = told_by_clients(str(python()), SECONDS)
    assert told["violations"] == [], told
    assert told["kills"] > 20 and told["committed"] > 1000 and told["unknown"] > 0, told
    return (f"librdkafka {told['librdkafka']}, seed {told['seed']}: {told['kills']} kills, {len(told['at'])} of the log's crash points, "
            f"{told['transactions']} transactions ({told['unknown']} of unknown outcome), {told['polled']} records polled, no rule broken; "
            f"{told['write cycles']} cycles of writes, which Kafka allows")
