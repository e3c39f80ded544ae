"""Two real nodes on one state database, and what tests ask them to do."""
import json
import shutil

from weft_process import call

STREAM = """apiVersion: weft/v1
kind: Stream
metadata: {{name: shared.test.{name}.v1, owner: tests}}
spec: {{opaque: true, partitions: 1}}
"""
CLIENT = """apiVersion: weft/v1
kind: Client
metadata: {name: shop, owner: tests}
spec: {grants: [{action: stream.write, resource: "shared.*"}]}
"""


def stream(name):
    return STREAM.format(name=name)


def start_two_nodes(weft_factory, url, *settings, names=("a", "b"), more=()):
    """`more`: settings of the second node alone."""
    common = ["state.backend=postgres", "state.followInterval=100ms", "state.postgres.reconnectWaitMax=200ms", *settings]
    environment = {"WEFT_STATE__POSTGRES__URL": url}
    a = weft_factory("a", settings=[*common, f"nodes.name={names[0]}"], environment=environment).start()
    b = weft_factory("b", settings=[*common, f"nodes.name={names[1]}", *more], environment=environment)
    b.data.mkdir(mode=0o700)
    shutil.copy(a.data / "identity.key", b.data / "identity.key")
    return a, b.start()


def apply(node, *documents, expected=None):
    path = "/apply" if expected is None else f"/apply?expectedGeneration={expected}"
    return node.admin("POST", path, "---\n".join(documents), "application/yaml")


def generation(node):
    return node.admin("GET", "/health").json()["generation"]


def create_key(node):
    answer = node.admin("POST", "/clients/shop/keys", json.dumps({"note": "test"}))
    assert answer.status in (200, 201), answer.body
    return answer.json()


def publish(node, name, key=None):
    """Sends an event to a stream; the status."""
    headers = {"Authorization": f"Bearer {key or node.token}", "ce-specversion": "1.0", "ce-id": "1",
               "ce-source": "/tests", "ce-type": "sent", "Content-Type": "application/json"}
    return call("POST", f"{node.gateway}/events/shared.test.{name}.v1", '{"a": 1}', headers).status


def ready_lines(node):
    answer = call("GET", node.node["ops"] + "/readyz")
    assert answer.status == 200
    return answer.body.decode().splitlines()
