"""The Helm chart without Helm: its values and their schema fit each other and the templates, and the manifests that it makes of
them (deploy/kubernetes/weft.yaml, which `./dev interop helm` compares with Helm's own rendering) say what they should."""
import copy
import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from weft_process import BINARY, ROOT

CHART = ROOT / "deploy/helm/weft"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
TEMPLATES = "\n".join(path.read_text() for path in sorted((CHART / "templates").iterdir()))
MANIFESTS = [document for document in yaml.safe_load_all((ROOT / "deploy/kubernetes/weft.yaml").read_text()) if document]


def with_value(path, value):
    values = copy.deepcopy(VALUES)
    at = values
    *parents, last = path.split(".")
    for name in parents:
        at = at[name]
    at[last] = value
    return values


def leaves(values, prefix=""):
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_the_values_of_the_chart_fit_their_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(VALUES, SCHEMA)


@pytest.mark.parametrize("path, value", [
    ("replicas", 3), ("roles", []), ("roles", ["gatway"]), ("roles", ["gateway", "gateway"]), ("roles", ["gateway", "worker"]), ("image.tagg", "1"), ("image.pullPolicy", "Sometimes"), ("config", {"ports": {"admin": 1}}), ("config", {"level": "info"}),
    ("persistence.size", "20 GB"), ("podDisruptionBudget.maxUnavailable", 2), ("estate", {"a/b.yaml": ""}), ("tls.secretName", "Not_A_Name"),
    ("secretFiles.variables", {"WEFT_TLS__KEY_PASSPHRASE_FILE": "passphrase"}), ("service.type", "ExternalName")])
def test_the_schema_refuses_values_that_would_be_lost_or_break(path, value):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(with_value(path, value), SCHEMA)


@pytest.mark.parametrize("path, value", [("estate", {"streams.yaml": "kind: Stream"}), ("config", {"state": {"backend": "postgres"}})])
def test_a_node_without_control_needs_documents_or_a_shared_state_database(path, value):
    values = with_value(path, value)
    values["roles"] = ["gateway", "worker"]

    jsonschema.validate(values, SCHEMA)


def test_templates_use_every_value_and_no_other():
    used = set(re.findall(r"\.Values\.([A-Za-z][A-Za-z.]*[A-Za-z])", TEMPLATES))
    known = set(leaves(VALUES))

    for name in used:
        assert name in known or any(leaf.startswith(name + ".") for leaf in known), f"{name} is no value"
    for leaf in known:
        assert any(leaf == name or leaf.startswith(name + ".") for name in used), f"{leaf} is used nowhere"


def one(kind, name=None):
    found = [document for document in MANIFESTS if document["kind"] == kind and (name is None or document["metadata"]["name"] == name)]
    assert len(found) == 1, (kind, name)
    return found[0]


@pytest.fixture(scope="module")
def pod():
    return one("StatefulSet")["spec"]["template"]["spec"]


def test_there_is_one_node_with_a_volume_that_stays():
    workload = one("StatefulSet")["spec"]

    assert workload["replicas"] == 1
    assert [claim["metadata"]["name"] for claim in workload["volumeClaimTemplates"]] == ["data"]
    assert workload["serviceName"] == "weft-pods"
    assert one("Service", "weft-pods")["spec"]["publishNotReadyAddresses"] is True


def test_probes_ask_the_ops_port(pod):
    container = pod["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}

    assert {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")} == {
        "startupProbe": {"path": "/readyz", "port": "ops"}, "livenessProbe": {"path": "/livez", "port": "ops"},
        "readinessProbe": {"path": "/readyz", "port": "ops"}}
    settings = subprocess.run([BINARY, "settings"], text=True, capture_output=True, check=True).stdout
    for name, setting in {"ops": "ports.ops", "admin": "ports.admin", "gateway": "ports.gateway", "kafka": "ports.kafka"}.items():
        assert f"| `{setting}` | `{ports[name]}` |" in settings
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= VALUES["startupSeconds"]


def test_the_pod_is_locked_down(pod):
    container = pod["containers"][0]
    user = re.search(r"^USER (\d+):(\d+)$", (ROOT / "deploy/container/Containerfile").read_text(), re.M)

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["fsGroup"]) == tuple(map(int, user.groups()))
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                            "capabilities": {"drop": ["ALL"]}}
    assert pod["automountServiceAccountToken"] is False
    assert "memory" in container["resources"]["limits"]


def test_services_and_budget_select_the_pod():
    labels = one("StatefulSet")["spec"]["template"]["metadata"]["labels"]

    selectors = [document["spec"]["selector"] for document in MANIFESTS if document["kind"] == "Service"]
    selectors.append(one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"])
    for selector in selectors:
        assert selector.items() <= labels.items()
    assert selector == one("StatefulSet")["spec"]["selector"]["matchLabels"]


def test_every_target_port_and_mount_exists(pod):
    container = pod["containers"][0]
    names = {port["name"] for port in container["ports"]}

    for service in [document for document in MANIFESTS if document["kind"] == "Service"]:
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
    volumes = {volume["name"] for volume in pod["volumes"]} | {"data"}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_the_binary_takes_the_settings_of_the_chart(tmp_path):
    (tmp_path / "weft.yaml").write_text(one("ConfigMap", "weft")["data"]["weft.yaml"])

    said = subprocess.run([BINARY, "doctor", "--config", tmp_path / "weft.yaml", "-o", "json"], text=True, capture_output=True)

    checks = {check["name"]: check for check in json.loads(said.stdout)["checks"]}
    assert "settings" not in checks
    assert "/var/lib/weft/data" in checks["data folder"]["observed"]
