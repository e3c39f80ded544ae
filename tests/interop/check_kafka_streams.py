"""A word count of Kafka Streams with exactly_once_v2: repartition and changelog topics, transactions, offsets."""
import tempfile

from kafka_java import LATEST, java, node, story


def run():
    with node() as weft, tempfile.TemporaryDirectory() as state:
        for topic in ("apps-lines", "apps-counts"):
            java(LATEST, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", weft.kafka, "--create", "--topic", topic,
                 "--partitions", "2")
        story(LATEST, "WordCount", weft.kafka, state)
        topics = {each["name"]: each for each in weft.admin("GET", "/streams").json()["items"]}
        changelog = topics["apps-wordcount-counts-changelog"]
        assert changelog["cleanup"] == "compact", changelog
    return f"kafka-streams {LATEST}, exactly_once_v2: 2000 words counted once each, over a compacted changelog"
