"""The command line tools of Apache Kafka against a node: topics, configs, groups, transactions."""
import re

from kafka_java import LATEST, SOURCE, java, node


def throttled_by_a_quota(weft, tool):
    """kafka-configs sets a quota for a client id; another tool's producer gets no faster than it."""
    properties = weft.folder / "admin.properties"
    properties.write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain."
        f'PlainLoginModule required username="admin" password="{weft.token}";\n')
    configs = "kafka.admin.ConfigCommand"
    entity = ["--command-config", properties, "--entity-type", "clients", "--entity-name", "slow"]

    def kilobytes_per_second():
        said = java(LATEST, "org.apache.kafka.tools.ProducerPerformance", "--topic", SOURCE, "--num-records", 600,
                    "--record-size", 1000, "--throughput", -1, "--producer-props", f"bootstrap.servers={weft.kafka}",
                    "client.id=slow", "batch.size=2000")
        return float(re.search(r"\(([0-9.]+) MB/sec\)", said.splitlines()[-1])[1]) * 1000

    tool(configs, "--alter", *entity, "--add-config", "producer_byte_rate=100000")
    assert "producer_byte_rate=100000" in tool(configs, "--describe", *entity)
    limited = kilobytes_per_second()
    assert 60 < limited < 150, limited
    tool(configs, "--alter", *entity, "--delete-config", "producer_byte_rate")
    assert kilobytes_per_second() > 2 * limited


def run():
    with node() as weft:
        def tool(name, *arguments, check=True):
            return java(LATEST, name, "--bootstrap-server", weft.kafka, *arguments, check=check)

        topics, configs = "org.apache.kafka.tools.TopicCommand", "kafka.admin.ConfigCommand"
        groups = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
        tool(topics, "--create", "--topic", "apps-table", "--partitions", 3, "--config", "cleanup.policy=compact")
        assert "no Namespace admits" in tool(topics, "--create", "--topic", "other", check=False)
        tool(topics, "--alter", "--topic", "apps-table", "--partitions", 5)
        described = tool(topics, "--describe", "--topic", "apps-table")
        assert "PartitionCount: 5" in described and "cleanup.policy=compact" in described, described
        tool(configs, "--alter", "--entity-type", "topics", "--entity-name", "apps-table", "--add-config", "retention.ms=60000")
        assert "retention.ms=60000" in tool(configs, "--describe", "--entity-type", "topics", "--entity-name", "apps-table")
        tool(groups, "--group", "readers", "--reset-offsets", "--to-earliest", "--topic", SOURCE, "--execute")
        assert SOURCE in tool(groups, "--describe", "--group", "readers")
        assert "readers" in tool(groups, "--list")
        tool(groups, "--delete", "--group", "readers")
        assert "readers" not in tool(groups, "--list")
        offsets = tool("org.apache.kafka.tools.GetOffsetShell", "--topic", SOURCE)
        assert f"{SOURCE}:0:0" in offsets, offsets
        sizes = tool("org.apache.kafka.tools.LogDirsCommand", "--describe", "--topic-list", SOURCE)
        assert f'"{SOURCE}-0"' in sizes, sizes
        throttled_by_a_quota(weft, tool)
        tool(topics, "--delete", "--topic", "apps-table")
        assert "apps-table" not in tool(topics, "--list")
    return (f"Kafka {LATEST}: kafka-topics, kafka-configs, kafka-consumer-groups, kafka-get-offsets, kafka-log-dirs, a quota that "
            "throttles")
