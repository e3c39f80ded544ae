"""The command line tools of Apache Kafka against a node: topics, configs, groups, transactions."""
from kafka_java import LATEST, SOURCE, java, node


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
        tool(topics, "--delete", "--topic", "apps-table")
        assert "apps-table" not in tool(topics, "--list")
    return f"Kafka {LATEST}: kafka-topics, kafka-configs, kafka-consumer-groups, kafka-get-offsets, kafka-log-dirs"
