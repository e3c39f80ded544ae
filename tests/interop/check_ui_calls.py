"""The admin calls that the pages of a Kafka UI make, by the Java clients that UIs are built on. Not a UI: none is published
in a registry that these checks use (Redpanda Console, Kowl, Kafdrop, AKHQ and kafka-ui were looked for)."""
from kafka_java import SOURCE, VERSIONS, node, story

PAGES = 6


def run():
    served = set()
    for version in VERSIONS:
        with node() as weft:
            printed = story(version, "UiAdminCalls", weft.kafka, SOURCE, weft.token)
        pages = [line.removeprefix("ok ") for line in printed.splitlines() if line.startswith("ok ")]
        assert len(pages) == PAGES, printed
        served.add(pages[-1])
    return f"kafka-clients {' and '.join(VERSIONS)}, {PAGES} pages each: brokers, topics, messages, consumers, changes; {'; '.join(served)}"
