"""One binary, four processes, one PostgreSQL: a node with each of the roles, and what each of them has, lacks and says."""
import socket
import subprocess
from urllib.parse import urlsplit

import pytest
from shared_nodes import ready_lines
from weft_process import BINARY, call, wait_until

ROLES = ("control", "gateway", "broker", "worker")
ESTATE = """apiVersion: weft/v1
kind: Stream
metadata: {name: roles.test.sent.v1, owner: tests}
spec: {opaque: true, partitions: 1}
---
apiVersion: weft/v1
kind: Subscription
metadata: {name: crm, owner: tests}
spec:
  stream: roles.test.sent.v1
  endpoint: {url: "http://127.0.0.1:9/hook"}
  signing: {secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}
"""
HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/tests", "ce-type": "sent", "Content-Type": "application/json"}


@pytest.fixture
def nodes(postgres, weft_factory, tmp_path):
    """By role; all have their key from one file."""
    key = tmp_path / "key"
    key.write_text("5a" * 32 + "\n")
    environment = {"WEFT_STATE__POSTGRES__URL": postgres.url, "WEFT_IDENTITY__KEY_FILE": str(key)}
    settings = ["state.backend=postgres", "state.followInterval=100ms", "kafka.anonymous=true"]
    return {role: weft_factory(role, settings=[*settings, f"roles={role}"], environment=environment).start() for role in ROLES}


def listening_ports(node):
    """The TCP ports on which the process really listens, of the kernel."""
    said = subprocess.run(["ss", "-Hltnp"], text=True, capture_output=True, check=True).stdout
    return {int(line.split()[3].rsplit(":", 1)[1]) for line in said.splitlines() if f"pid={node.process.pid}," in line}


def ports_of(*addresses):
    return {urlsplit(address if "//" in address else "//" + address).port for address in addresses}


def test_four_processes_of_one_binary_share_one_estate(nodes, tmp_path):
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "all.yaml").write_text(ESTATE)

    nodes["control"].cli("apply", str(folder))

    token = {"Authorization": f"Bearer {nodes['gateway'].token}"}
    events = nodes["gateway"].gateway + "/events/roles.test.sent.v1"
    wait_until(lambda: call("POST", events, '{"a": 1}', {**HEADERS, **token}).status < 300, what="the stream at the gateway node")
    listed = ["kcat", "-b", nodes["broker"].kafka, "-L", "-m", "10"]
    wait_until(lambda: "roles.test.sent.v1" in subprocess.run(listed, text=True, capture_output=True).stdout, what="the topic at the broker node")


def test_each_node_listens_for_its_role_alone(nodes):
    listeners = {role: {name for name in node.node if name not in ("pid", "version")} for role, node in nodes.items()}

    assert listeners == {"control": {"admin", "otlp", "ops"}, "gateway": {"gateway", "ops"}, "broker": {"kafka", "ops"}, "worker": {"ops"}}
    for node in nodes.values():
        told = ports_of(*(value for name, value in node.node.items() if name not in ("pid", "version")))
        assert listening_ports(node) == told


def test_a_node_says_which_roles_it_has_and_what_waits_in_vain(nodes, tmp_path):
    assert ready_lines(nodes["gateway"]) == ["ready", "roles gateway"]
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "all.yaml").write_text(ESTATE)

    nodes["control"].cli("apply", str(folder))

    for role in ("gateway", "broker", "control"):
        wait_until(lambda: any("reach none of the 1 subscription of the estate" in line for line in ready_lines(nodes[role])), what=role)
    assert "no client can write to that" in ready_lines(nodes["worker"])[2]
    checks = {check["name"]: check for check in nodes["control"].admin("GET", "/health").json()["checks"]}
    assert checks["roles"]["status"] == "warn" and checks["roles"]["message"].startswith("control; without role worker")


def test_the_command_line_says_that_a_node_without_control_has_no_admin_api(nodes):
    refused = nodes["gateway"].cli("stream", "list", check=False)

    assert refused.returncode == 1
    assert "runs without role control" in refused.stderr and "--server" in refused.stderr
    assert "runs without role control" in nodes["gateway"].cli("doctor", check=False).stdout


def test_a_gateway_with_worker_delivers_what_it_takes(weft_factory, tmp_path):
    folder = tmp_path / "estate"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as endpoint:
        (folder / "all.yaml").write_text(ESTATE.replace(":9/", f":{endpoint.getsockname()[1]}/"))
        node = weft_factory(estate=folder, settings=["egress.allow=127.0.0.0/8"], environment={"WEFT_ROLES": "gateway,worker"}).start()
        assert ready_lines(node) == ["ready", "roles gateway, worker"]

        events = node.gateway + "/events/roles.test.sent.v1"
        assert call("POST", events, '{"a": 1}', {**HEADERS, "Authorization": f"Bearer {node.token}"}).status < 300

        endpoint.settimeout(15)
        connection, _ = endpoint.accept()
        with connection:
            assert connection.recv(65536).startswith(b"POST /hook")


def test_an_identity_key_of_the_settings_does_not_replace_another(weft_factory, tmp_path):
    node = weft_factory(settings=["state.backend=sqlite"]).start()
    node.stop()
    own = (node.data / "identity.key").read_text().strip()
    assert weft_factory(environment={"WEFT_IDENTITY__KEY": own}).start().stop() == 0

    for key, said in (("5a" * 32, "is another key than the setting identity.key"), ("5a", "must be 64 hex digits")):
        ended = subprocess.run(node.command(), text=True, capture_output=True, timeout=30, cwd=tmp_path,
                               env={**node.environment, "WEFT_IDENTITY__KEY": key})
        assert ended.returncode == 1 and said in ended.stderr, ended.stderr
        assert key not in ended.stderr.split("weft:")[-1]
    assert (node.data / "identity.key").read_text().strip() == own


@pytest.mark.parametrize("roles, said", [("gateway", "could never get an estate"), ("gatway,control", "no role 'gatway'"), ("", "at least one of")])
def test_roles_that_cannot_be_meant_end_the_start(roles, said, tmp_path):
    words = [BINARY, "serve", "--data", tmp_path / "data", "--ports", "auto", "--roles", roles]

    ended = subprocess.run(words, text=True, capture_output=True, timeout=30, cwd=tmp_path)

    assert ended.returncode == 1 and said in ended.stderr
