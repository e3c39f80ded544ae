"""Apache Kafka's Java clients, unmodified: idempotence, transactions with offsets, fencing, the admin client."""
from kafka_java import SOURCE, TARGET, VERSIONS, node, story


def run():
    for version in VERSIONS:
        with node() as weft:
            printed = story(version, "ClientStory", weft.kafka, SOURCE, TARGET)
            assert printed.count("\nok ") + printed.startswith("ok ") == 9, printed
    return f"kafka-clients {' and '.join(VERSIONS)}, 9 steps each: groups, transactions, fencing, topics, transactions listed"
