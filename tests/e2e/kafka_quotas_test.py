"""Quotas: a producer over its rate is throttled as Kafka does it, other tenants go on, HTTP clients get 429."""
import time

import pytest
from weft_process import call

confluent_kafka = pytest.importorskip("confluent_kafka")

from confluent_kafka import Consumer, Producer  # noqa: E402

STREAM = "meters.reading.taken.v1"


def stream(tenant):
    return f"""---
apiVersion: weft/v1
kind: Stream
metadata: {{name: {STREAM}, tenant: {tenant}, owner: tests}}
spec: {{opaque: true}}
---
apiVersion: weft/v1
kind: Client
metadata: {{name: app, tenant: {tenant}, owner: tests}}
spec: {{grants: [{{action: "stream.*", resource: "*"}}], apiKeys: ["${{env:KEY_{tenant.upper()}}}"]}}
"""


ESTATE = f"""
apiVersion: weft/v1
kind: Tenant
metadata: {{name: slow, owner: tests}}
spec: {{}}
---
apiVersion: weft/v1
kind: Tenant
metadata: {{name: free, owner: tests}}
spec: {{}}
{stream("slow")}{stream("free")}---
apiVersion: weft/v1
kind: Quota
metadata: {{name: whole-tenant, tenant: slow}}
spec: {{produceBytesPerSecond: 20000, connectionsMax: 5, partitionsMax: 3}}
"""
KEYS = {"KEY_SLOW": f"weft_{'51' * 8}_{'s' * 43}", "KEY_FREE": f"weft_{'f0' * 8}_{'f' * 43}"}


@pytest.fixture
def weft(tmp_path, weft_factory):
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yaml").write_text(ESTATE)
    return weft_factory(estate=folder, environment=KEYS, settings=["kafka.rebalanceDelay=0s"]).start()


def client(weft, tenant, **more):
    return {"bootstrap.servers": weft.kafka, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
            "sasl.username": "app", "sasl.password": KEYS[f"KEY_{tenant.upper()}"], **more}


def seconds_to_send(weft, tenant, count, size):
    """How long it takes, and the throttle times in ms of which the broker told the client."""
    told = []
    producer = Producer(client(weft, tenant, **{"linger.ms": 0, "batch.num.messages": 1,
                                                "throttle_cb": lambda event: told.append(event.throttle_time)}))
    began = time.monotonic()
    for _ in range(count):
        producer.produce(STREAM, b"x" * size)
    assert producer.flush(60) == 0
    return time.monotonic() - began, told


def test_a_tenant_over_its_quota_is_throttled_and_another_is_not(weft):
    slow, told = seconds_to_send(weft, "slow", 40, 2000)
    free, _ = seconds_to_send(weft, "free", 40, 2000)
    # 80 kB at 20 kB/s, the first second ahead.
    assert slow > 2, slow
    assert any(told), told
    assert free < slow / 2, (free, slow)


def test_all_records_of_a_throttled_producer_are_there(weft):
    seconds_to_send(weft, "slow", 20, 2000)
    consumer = Consumer({**client(weft, "slow"), "group.id": "app", "auto.offset.reset": "earliest"})
    consumer.subscribe([STREAM])
    messages = []
    deadline = time.monotonic() + 30
    while len(messages) < 20 and time.monotonic() < deadline:
        messages += [each for each in consumer.consume(20, 1) if each.error() is None]
    consumer.close()
    assert len(messages) == 20


def publish(weft, tenant, size):
    return call("POST", f"{weft.gateway}/events/{STREAM}", body=b"x" * size, headers={
        "Authorization": f"Bearer {KEYS[f'KEY_{tenant.upper()}']}", "ce-specversion": "1.0", "ce-id": "1",
        "ce-source": "/meter", "ce-type": "reading", "Content-Type": "application/octet-stream"})


def test_http_clients_are_told_when_to_come_back(weft):
    assert publish(weft, "slow", 100_000).status == 201
    refused = publish(weft, "slow", 10)
    assert refused.status == 429 and refused.json()["code"] == "QUOTA_EXCEEDED", refused.body
    assert weft.metric("weft_quota_throttled_total") >= 1
    assert 1 <= int(refused.headers["Retry-After"]) <= 5
    assert publish(weft, "free", 10).status == 201


def test_a_stream_beyond_the_partitions_of_its_tenant_is_refused_by_the_plan(weft, tmp_path):
    estate = tmp_path / "estate"
    (estate / "more.yaml").write_text("""apiVersion: weft/v1
kind: Stream
metadata: {name: meters.meter.added.v1, tenant: slow, owner: tests}
spec: {opaque: true, partitions: 3}
""")
    planned = weft.cli("plan", str(estate), check=False)
    assert planned.returncode == 1
    assert "would have 4 partitions, its quota whole-tenant allows 3" in planned.stdout + planned.stderr
