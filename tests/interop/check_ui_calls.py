"""The admin calls that the pages of a Kafka UI make, by the Java clients that many UIs are built on. A UI itself is in
check_redpanda_console.py."""
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
