"""Who may do what at the Kafka listener, seen by foreign clients: groups, transactional ids, ACLs and passwords."""
import json
import subprocess

import pytest
from weft_process import wait_until

confluent_kafka = pytest.importorskip("confluent_kafka")
kafka = pytest.importorskip("kafka")

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition  # noqa: E402
from kafka.admin import ACL, ACLFilter, ACLOperation, ACLPermissionType, KafkaAdminClient  # noqa: E402
from kafka.admin import ResourcePattern, ResourcePatternFilter, ResourceType  # noqa: E402
from kafka.admin.acl_resource import ACLResourcePatternType  # noqa: E402

TOPIC = "shop.order.placed.v1"
LITERAL = ACLResourcePatternType.LITERAL
ESTATE = f"""
apiVersion: weft/v1
kind: Stream
metadata: {{name: {TOPIC}, owner: tests}}
spec: {{opaque: true, partitions: 1}}
---
apiVersion: weft/v1
kind: Client
metadata: {{name: shop, owner: tests}}
spec: {{grants: [{{action: "stream.*", resource: "shop.*"}}]}}
---
apiVersion: weft/v1
kind: Client
metadata: {{name: reports, owner: tests}}
spec:
  grants:
    - {{action: stream.read, resource: "shop.*"}}
    - {{action: group.use, resource: "shared-*"}}
---
apiVersion: weft/v1
kind: Client
metadata: {{name: operator, owner: tests}}
spec: {{grants: [{{action: "admin.*", resource: "*"}}, {{action: "stream.read", resource: "*"}}]}}
"""


@pytest.fixture
def weft(weft_factory):
    node = weft_factory(settings=["kafka.rebalanceDelay=0s"]).start()
    assert node.admin("POST", "/apply", ESTATE, "application/yaml").status == 200
    return node


def key_of(weft, client):
    made = weft.admin("POST", f"/clients/{client}/keys", "{}")
    assert made.status == 201, made.body
    return made.json()["key"]


def plain(weft, client):
    return {"bootstrap.servers": weft.kafka, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
            "sasl.username": client, "sasl.password": key_of(weft, client)}


def scram(weft, client, password, mechanism="SCRAM-SHA-256"):
    return {"bootstrap.servers": weft.kafka, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism,
            "sasl.username": client, "sasl.password": password}


def error_of(action, *arguments):
    with pytest.raises(KafkaException) as error:
        action(*arguments)
    return error.value.args[0].name()


def produce(config, value=b"x", **more):
    """The name of the delivery's error, or None."""
    errors = []
    producer = Producer({**config, "message.timeout.ms": 5000, **more})
    producer.produce(TOPIC, value, on_delivery=lambda error, _: errors.append(error and error.name()))
    producer.flush(20)
    return errors[0] if errors else "no answer"


def commit(config, group):
    consumer = Consumer({**config, "group.id": group, "enable.auto.commit": False})
    try:
        consumer.commit(offsets=[TopicPartition(TOPIC, 0, 0)], asynchronous=False)
    finally:
        consumer.close()


def refusal_of_group(config, group):
    """The name of the error that a member of the group is told."""
    consumer = Consumer({**config, "group.id": group})
    consumer.subscribe([TOPIC])
    try:
        message = consumer.poll(20)
        assert message is not None
        return message.error().name()
    finally:
        consumer.close()


def read(config, group="shop"):
    """The first record's value, or the name of the error."""
    consumer = Consumer({**config, "group.id": group, "enable.auto.commit": False})
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    try:
        message = consumer.poll(20)
        assert message is not None
        return message.error().name() if message.error() else message.value()
    finally:
        consumer.close()


def audited(weft, action):
    return [entry for entry in weft.admin("GET", "/audit?limit=100").json()["items"] if entry["action"] == action]


def test_a_client_has_the_groups_and_transactional_ids_of_its_name(weft):
    shop, reports = plain(weft, "shop"), plain(weft, "reports")
    commit(shop, "shop")
    commit(shop, "shop-orders")
    assert refusal_of_group(shop, "reports") == "GROUP_AUTHORIZATION_FAILED"
    commit(reports, "shared-a")
    assert refusal_of_group(reports, "reports") == "GROUP_AUTHORIZATION_FAILED", "its grants name groups"

    own = Producer({**shop, "transactional.id": "shop-1"})
    own.init_transactions(20)
    other = Producer({**shop, "transactional.id": "reports-1"})
    assert error_of(other.init_transactions, 20) == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"
    assert refusal_of_group(reports, "shop") == "GROUP_AUTHORIZATION_FAILED"


def test_a_denial_is_logged_counted_and_audited_once_a_minute(weft):
    shop = plain(weft, "shop")
    for _ in range(3):
        assert refusal_of_group(shop, "reports") == "GROUP_AUTHORIZATION_FAILED"

    [entry] = wait_until(lambda: audited(weft, "access.deny"), what="the entry of the audit trail")
    assert entry["actor"] == "client:shop" and "Group" in json.dumps(entry) and "reports" in json.dumps(entry)
    assert weft.log_text().count("access denied") == 1
    assert 'or take the name \\"shop\\"' in weft.log_text()
    assert weft.metric("weft_eventlog_kafka_denials_total") >= 3


def test_everything_is_open_to_anonymous_clients_of_a_development_node(weft_factory):
    weft = weft_factory(settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]).start()
    assert weft.admin("POST", "/apply", ESTATE, "application/yaml").status == 200
    anonymous = {"bootstrap.servers": weft.kafka}
    commit(anonymous, "any-group")
    producer = Producer({**anonymous, "transactional.id": "any-id"})
    producer.init_transactions(20)


@pytest.fixture
def acls(weft):
    admin = KafkaAdminClient(bootstrap_servers=weft.kafka, security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN",
                             sasl_plain_username="operator", sasl_plain_password=key_of(weft, "operator"))
    yield admin
    admin.close()


def acl(principal, operation, permission, kind=ResourceType.TOPIC, name=TOPIC, host="*"):
    return ACL(principal=principal, host=host, operation=operation, permission_type=permission,
               resource_pattern=ResourcePattern(kind, name))


def test_an_acl_of_a_kafka_client_denies_and_its_deletion_restores(weft, acls):
    shop = plain(weft, "shop")
    assert produce(shop, b"first") is None
    assert read(shop) == b"first"

    denial = acl("User:shop", ACLOperation.READ, ACLPermissionType.DENY)
    made = acls.create_acls([denial])
    assert made["succeeded"] == [denial] and not made["failed"]
    assert read(shop) == "TOPIC_AUTHORIZATION_FAILED"
    assert produce(shop) is None, "writing was not denied"
    found, error = acls.describe_acls(ACLFilter("User:shop", "*", ACLOperation.READ, ACLPermissionType.DENY,
                                                ResourcePatternFilter(ResourceType.TOPIC, TOPIC, LITERAL)))
    assert found == [denial]
    [resource] = [each for each in weft.admin("GET", "/resources").json()["items"] if each["kind"] == "AccessRule"]
    assert resource["managedBy"] == "kafka" and resource["name"].startswith("acl-")

    [(_, deleted, _)] = acls.delete_acls([ACLFilter("User:shop", "*", ACLOperation.ANY, ACLPermissionType.DENY,
                                                    ResourcePatternFilter(ResourceType.TOPIC, TOPIC, LITERAL))])
    assert [each[0] for each in deleted] == [denial]
    assert read(shop) == b"first"


def test_acls_give_what_no_document_grants_and_refuse_what_they_cannot_mean(weft, acls):
    reports = plain(weft, "reports")
    assert refusal_of_group(reports, "reports") == "GROUP_AUTHORIZATION_FAILED"
    allowed = acl("User:reports", ACLOperation.READ, ACLPermissionType.ALLOW, ResourceType.GROUP, "reports")
    acls.create_acls([allowed])
    commit(reports, "reports")

    of_host = acl("User:reports", ACLOperation.READ, ACLPermissionType.ALLOW, host="10.0.0.1")
    refused = acls.create_acls([of_host])
    assert refused["failed"] and not refused["succeeded"], refused


def test_acls_are_for_who_may_administer_them(weft):
    admin = KafkaAdminClient(bootstrap_servers=weft.kafka, security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN",
                             sasl_plain_username="shop", sasl_plain_password=key_of(weft, "shop"))
    refused = admin.create_acls([acl("User:shop", ACLOperation.ALL, ACLPermissionType.ALLOW, name="*")])
    assert refused["failed"], refused
    admin.close()


def set_password(weft, client, password, *more):
    return subprocess.run([*weft_command(weft), "client", "password", "set", client, *more, "--data", str(weft.data)],
                          input=password + "\n", text=True, capture_output=True, timeout=60)


def weft_command(weft):
    return weft.command()[:1]


def kcat(weft, client, password, mechanism, seconds=10):
    words = [f"-X{name}={value}" for name, value in scram(weft, client, password, mechanism).items()]
    return subprocess.run(["kcat", "-m", str(seconds), *words, "-L"], text=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_password_of_the_command_line_logs_foreign_clients_in(weft, mechanism):
    done = set_password(weft, "shop", "pencil,and=paper", "--mechanism", mechanism)
    assert done.returncode == 0, done.stderr
    assert produce(scram(weft, "shop", "pencil,and=paper", mechanism)) is None
    assert read(scram(weft, "shop", "pencil,and=paper", mechanism)) == b"x"
    listing = kcat(weft, "shop", "pencil,and=paper", mechanism)
    assert TOPIC in listing.stdout, listing.stderr
    consumer = kafka.KafkaConsumer(bootstrap_servers=weft.kafka, security_protocol="SASL_PLAINTEXT", sasl_mechanism=mechanism,
                                   sasl_plain_username="shop", sasl_plain_password="pencil,and=paper")
    assert TOPIC in consumer.topics()
    consumer.close()


def test_a_wrong_password_and_an_unknown_user_are_refused_alike(weft):
    assert set_password(weft, "shop", "pencil").returncode == 0
    refusals = []
    for user in ("shop", "nobody"):
        refused = kcat(weft, user, "pen", "SCRAM-SHA-256", seconds=3)
        assert refused.returncode != 0
        assert "the user is unknown or the password is wrong" in refused.stderr, refused.stderr
        refusals.append(refused.stderr)
    # The password of one mechanism is none of the other.
    assert kcat(weft, "shop", "pencil", "SCRAM-SHA-512", seconds=3).returncode != 0
    assert weft.metric("weft_eventlog_kafka_authentications_failed_total") >= 3


def test_a_password_that_is_taken_away_ends_what_it_opened(weft):
    assert set_password(weft, "shop", "pencil").returncode == 0
    refusals = []
    producer = Producer({**scram(weft, "shop", "pencil"), "message.timeout.ms": 3000,
                         "error_cb": lambda error: refusals.append(error.code())})
    outcomes = []
    producer.produce(TOPIC, b"before", on_delivery=lambda error, _: outcomes.append(error))
    assert producer.flush(20) == 0 and outcomes == [None]

    weft.cli("client", "password", "remove", "shop")

    def refused():
        producer.produce(TOPIC, b"after", on_delivery=lambda error, _: outcomes.append(error))
        producer.flush(10)
        return confluent_kafka.KafkaError._AUTHENTICATION in refusals

    wait_until(refused, seconds=30, what="the refusal")
    producer.flush(20)
    assert outcomes[-1] is not None, "what is sent after the refusal does not arrive"
    assert len(audited(weft, "password.remove")) == 1


def test_passwords_are_shown_without_their_keys_and_bad_ones_refused(weft):
    assert set_password(weft, "shop", "pencil", "--iterations", "5000").returncode == 0
    [shop] = [each for each in weft.admin("GET", "/clients").json()["items"] if each["name"] == "shop"]
    assert shop["passwords"][0]["mechanism"] == "SCRAM-SHA-256" and shop["passwords"][0]["iterations"] == 5000
    assert set(shop["passwords"][0]) == {"mechanism", "iterations", "changedAt"}

    assert "has no Client nobody" in set_password(weft, "nobody", "pencil").stderr
    assert "printable ASCII" in set_password(weft, "shop", "crayon é").stderr
    assert "first line of standard input" in set_password(weft, "shop", "").stderr
    few = set_password(weft, "shop", "pencil", "--iterations", "1000")
    assert few.returncode != 0 and "4096" in few.stderr
    answer = weft.admin("PUT", "/clients/shop/passwords/MD5", json.dumps({"password": "x"}))
    assert answer.status == 404 and "SCRAM-SHA-256" in answer.body.decode()
