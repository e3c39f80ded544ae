"""The command line tools of Apache Kafka against a node: topics, configs, groups, transactions, quotas, ACLs, users."""
import contextlib
import re
import subprocess
import tempfile
from pathlib import Path

from kafka_java import LATEST, SOURCE, SOURCES, java, node, words


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


@contextlib.contextmanager
def log_ins(weft):
    """Files that log a tool in: as the administrator, and as the client "shop" with the password of a user."""
    module = "org.apache.kafka.common.security"
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, mechanism, login, password in (
                ("admin", "PLAIN", "plain.Plain", weft.token), ("shop", "SCRAM-SHA-512", "scram.Scram", "pencil")):
            file = Path(folder) / f"{name}.properties"
            file.write_text(f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\nsasl.jaas.config={module}."
                            f'{login}LoginModule required username="{name}" password="{password}";\n')
            files.append(file)
        yield files


def acls_and_users(weft, tool):
    acls, configs, topics = "org.apache.kafka.tools.AclCommand", "kafka.admin.ConfigCommand", "org.apache.kafka.tools.TopicCommand"
    with log_ins(weft) as (admin, shop):
        def as_admin(name, *arguments, check=True):
            return tool(name, "--command-config", admin, *arguments, check=check)

        as_admin(configs, "--alter", "--entity-type", "users", "--entity-name", "shop", "--add-config",
                 "SCRAM-SHA-256=[iterations=8192,password=pencil],SCRAM-SHA-512=[password=pencil]")
        described = as_admin(configs, "--describe", "--entity-type", "users", "--entity-name", "shop")
        assert "SCRAM-SHA-256=iterations=8192" in described and "SCRAM-SHA-512=iterations=4096" in described, described
        assert SOURCE not in tool(topics, "--command-config", shop, "--list"), "nothing is granted"

        as_admin(acls, "--add", "--allow-principal", "User:shop", "--consumer", "--topic", SOURCE, "--group", "team-readers")
        as_admin(acls, "--add", "--allow-principal", "User:shop", "--producer", "--topic", "java.", "--resource-pattern-type",
                 "prefixed", "--transactional-id", "team-writer")
        listed = as_admin(acls, "--list")
        for part in (f"name={SOURCE}, patternType=LITERAL", "name=java., patternType=PREFIXED", "name=team-readers",
                     "resourceType=TRANSACTIONAL_ID, name=team-writer", "operation=CREATE, permissionType=ALLOW"):
            assert part in listed, (part, listed)
        assert SOURCE in tool(topics, "--command-config", shop, "--list")
        refused = as_admin(acls, "--add", "--allow-principal", "User:shop", "--operation", "ClusterAction", "--cluster", check=False)
        assert "brokers do not log in as clients" in refused, refused
        as_admin(acls, "--add", "--deny-principal", "User:shop", "--operation", "Describe", "--topic", SOURCE)
        assert SOURCE not in tool(topics, "--command-config", shop, "--list"), "a denial wins"
        as_admin(acls, "--remove", "--force", "--deny-principal", "User:shop", "--operation", "Describe", "--topic", SOURCE)
        assert SOURCE in tool(topics, "--command-config", shop, "--list")

        as_admin(configs, "--alter", "--entity-type", "users", "--entity-name", "shop", "--delete-config", "SCRAM-SHA-512")
        assert "the password is wrong" in tool(topics, "--command-config", shop, "--list", check=False)


def transaction_of_a_producer_that_waits(weft, tool):
    """kafka-transactions finds it and aborts it; readers go on, and its producer cannot commit."""
    transactions = "org.apache.kafka.tools.TransactionsCommand"
    program = words(LATEST, SOURCES / "OpenTransaction.java", weft.kafka, SOURCE, "tools-open")
    with subprocess.Popen(program, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as producer:
        try:
            offset = producer.stdout.readline().strip()
            assert offset.isdigit(), offset
            assert re.search(r"tools-open\s+\d+\s+\d+\s+Ongoing", tool(transactions, "list"))
            assert f"{SOURCE}-0" in tool(transactions, "describe", "--transactional-id", "tools-open")
            place = ["--topic", SOURCE, "--partition", 0]
            assert re.search(rf"\t{offset}\s*$", tool(transactions, "describe-producers", *place), re.M)
            tool(transactions, "abort", *place, "--start-offset", offset)
            assert "CompleteAbort" in tool(transactions, "describe", "--transactional-id", "tools-open")
            said, _ = producer.communicate("commit\n", timeout=60)
            assert said.strip() == "ProducerFencedException", said
        finally:
            producer.kill()


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
        transaction_of_a_producer_that_waits(weft, tool)
        tool(topics, "--delete", "--topic", "apps-table")
        assert "apps-table" not in tool(topics, "--list")
        acls_and_users(weft, tool)
    return (f"Kafka {LATEST}: kafka-topics, kafka-configs, kafka-consumer-groups, kafka-get-offsets, kafka-log-dirs, kafka-acls, "
            "kafka-transactions, a quota that throttles")
