"""Redpanda Console, a Kafka UI: its server, built of its published source, in front of a node. The pages are asked for as
its browser part asks for them, over HTTP and, for messages, over a WebSocket; what they change is seen by kcat and by
the node itself. v2.2.5 is the last version that is built without generated code from a registry of its own."""
import base64
import contextlib
import json
import os
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from kafka_java import SOURCE, node
from parts import FOLDER, Served, fetch, free_ports
from weft_process import call, wait_until

REPOSITORY, TAG = "https://github.com/redpanda-data/console", "v2.2.5"
CONFIG = """
kafka:
  brokers: ["{kafka}"]
  sasl: {{enabled: true, mechanism: PLAIN, username: token, password: "{token}"}}
server: {{listenAddress: 127.0.0.1, listenPort: {port}}}
logger: {{level: warn}}
serveFrontend: false
"""
TOPIC, GROUP = "apps-ui-orders", "apps-ui-readers"


def console():
    """The server's program; minutes, the first time."""
    source = FOLDER / "redpanda-console" / "source"
    program = source.with_name("console")
    if not program.exists():
        if not (source / "backend/go.mod").exists():
            fetch(["git", "clone", "--quiet", "--depth", "1", "--branch", TAG, REPOSITORY, str(source)], f"git clone of {REPOSITORY}")
        fetch(["go", "build", "-o", str(program), "./cmd/api"], "go build of Redpanda Console", seconds=1800, cwd=source / "backend")
    return program


class Pages:
    """The server's API, as the pages in a browser use it."""

    def __init__(self, port):
        self.port = port

    def __call__(self, method, path, body=None):
        answer = call(method, f"http://127.0.0.1:{self.port}/api/{path}", json.dumps(body) if body is not None else None,
                      {"content-type": "application/json"})
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body[:500]}"
        return answer.json() if answer.body else None

    def messages(self, topic):
        """What the page of a topic's messages shows, oldest first."""
        with contextlib.closing(WebSocket(self.port, f"/api/topics/{topic}/messages")) as page:
            page.send({"topicName": topic, "startOffset": -2, "partitionId": -1, "maxResults": 50, "filterInterpreterCode": ""})
            shown = []
            while True:
                said = page.receive()
                assert said["type"] != "error", said
                if said["type"] == "message":
                    shown.append(said["message"])
                if said["type"] == "done":
                    return shown


class WebSocket:
    """RFC 6455 as far as this page needs it: text in whole frames."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.stream = self.socket.makefile("rb")
        status = self.stream.readline()
        assert b" 101 " in status, status
        while self.stream.readline().strip():
            pass

    def send(self, value):
        data, mask = json.dumps(value).encode(), os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(data))
        self.socket.sendall(b"\x81" + size + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)))

    def receive(self):
        while True:
            first, size = self.stream.read(2)
            if size == 126:
                size, = struct.unpack(">H", self.stream.read(2))
            elif size == 127:
                size, = struct.unpack(">Q", self.stream.read(8))
            data = self.stream.read(size)
            if first & 0x0F == 1:
                return json.loads(data)
            assert first & 0x0F != 8, f"the page was closed: {data}"

    def close(self):
        self.stream.close()
        self.socket.close()


def kcat(weft, *words, value=None):
    done = subprocess.run(["kcat", "-b", weft.kafka, *words], input=value, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def see_the_cluster(pages):
    overview, brokers = pages("GET", "cluster"), pages("GET", "brokers")
    assert len(brokers) == 1 and overview["clusterInfo"]["brokers"], overview
    health = pages("GET", "cluster/overview")["kafka"]
    assert health["status"] == "HEALTHY" and health["authorizer"]["isAuthorizerEnabled"], health
    assert pages("GET", "api-versions")["apiVersions"]
    assert pages("GET", f"brokers/{brokers[0]['brokerId']}/config")["brokerConfigs"]
    return "cluster"


def work_with_topics(pages, weft):
    pages("POST", "topics", {"topicName": TOPIC, "partitionCount": 3, "replicationFactor": -1, "configs": []})
    listed = {topic["topicName"]: topic for topic in pages("GET", "topics")["topics"]}
    assert listed[TOPIC]["partitionCount"] == 3 and SOURCE in listed, listed
    assert len(pages("GET", f"topics/{TOPIC}/partitions")["partitions"]) == 3
    pages("PATCH", f"topics/{TOPIC}/configuration", {"configs": [{"key": "retention.ms", "op": "SET", "value": "3600000"}]})
    described = pages("GET", f"topics/{TOPIC}/configuration")["topicDescription"]["configEntries"]
    assert next(entry for entry in described if entry["name"] == "retention.ms")["value"] == "3600000", described
    assert f'topic "{TOPIC}" with 3 partitions' in kcat(weft, "-L")
    pages("GET", "topics-configs")
    pages("GET", f"topics-offsets?topicNames={TOPIC}&timestamp=0")
    return "topics"


def see_messages(pages, weft):
    value = base64.b64encode(b'{"order": 1}').decode()
    sent = pages("POST", "topics-records", {"topicNames": [TOPIC], "compressionType": 0, "useTransactions": False, "records": [
        {"key": base64.b64encode(b"one").decode(), "value": value, "headers": [{"key": "from", "value": value}], "partitionId": -1}]})
    assert all(not record.get("error") for record in sent["records"]), sent
    assert kcat(weft, "-C", "-t", TOPIC, "-e", "-q", "-f", "%k %s") == 'one {"order": 1}'
    kcat(weft, "-P", "-t", TOPIC, "-K", ":", value='two:{"order": 2}\n')
    shown = pages.messages(TOPIC)
    assert sorted(str(message["value"]["payload"]) for message in shown) == ["{'order': 1}", "{'order': 2}"], shown
    return "messages"


def work_with_groups(pages, weft):
    kcat(weft, "-G", GROUP, "-X", "auto.offset.reset=earliest", "-c", "2", "-q", TOPIC)

    def seen():
        return next((group for group in pages("GET", "consumer-groups")["consumerGroups"] if group["groupId"] == GROUP), None)

    group = wait_until(lambda: (found := seen()) and found["state"] == "Empty" and found["topicOffsets"] and found, what="the group")
    assert [topic["summedLag"] for topic in group["topicOffsets"]] == [0], group
    pages("GET", f"topics/{TOPIC}/consumers")
    partitions = [{"partitionId": number, "offset": 0} for number in range(3)]
    pages("PATCH", f"consumer-groups/{GROUP}", {"groupId": GROUP, "topics": [{"topicName": TOPIC, "partitions": partitions}]})
    assert [topic["summedLag"] for topic in seen()["topicOffsets"]] == [2], seen()
    again = kcat(weft, "-G", GROUP, "-c", "2", "-q", TOPIC)
    assert sorted(again.split()) == sorted('{"order": 1} {"order": 2}'.split()), "read again from where the page set the group"
    wait_until(lambda: seen()["state"] == "Empty", what="the reader's leaving")
    pages("DELETE", f"consumer-groups/{GROUP}")
    assert seen() is None
    return "groups"


def see_access_and_quotas(pages):
    acl = {"resourceType": "TOPIC", "resourceName": TOPIC, "resourcePatternType": "PREFIXED", "principal": "User:shop", "host": "*",
           "operation": "WRITE", "permissionType": "DENY"}
    every = "acls?resourceType=ANY&resourcePatternTypeFilter=ANY&operation=ANY&permissionType=ANY"
    pages("POST", "acls", acl)
    listed = pages("GET", every)
    assert [resource["resourceName"] for resource in listed["aclResources"]] == [TOPIC], listed
    pages("DELETE", "acls", acl)
    assert pages("GET", every)["aclResources"] == []
    assert not pages("GET", "quotas").get("error")
    pages("GET", "operations/reassign-partitions")
    pages("GET", f"operations/topic-details?topicNames={TOPIC}")
    return "ACLs, quotas"


def delete(pages, weft):
    pages("DELETE", f"topics/{TOPIC}/records", {"partitions": [{"partitionId": number, "offset": -1} for number in range(3)]})
    assert pages.messages(TOPIC) == []
    pages("DELETE", f"topics/{TOPIC}")
    assert TOPIC not in kcat(weft, "-L")
    return "deletion"


def run():
    program = console()
    port, = free_ports(1)
    with node() as weft, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "console.yaml"
        config.write_text(CONFIG.format(kafka=weft.kafka, token=weft.token, port=port))
        with Served([program, f"-config.filepath={config}"], folder) as server:
            wait_until(lambda: server.answers(f"http://127.0.0.1:{port}/admin/health"), seconds=60, what="the console")
            pages = Pages(port)
            done = [see_the_cluster(pages), work_with_topics(pages, weft), see_messages(pages, weft), work_with_groups(pages, weft),
                    see_access_and_quotas(pages), delete(pages, weft)]
    return f"Redpanda Console {TAG.removeprefix('v')}: {', '.join(done)}"
