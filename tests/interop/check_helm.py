"""Helm itself (its Go module) lints and renders the chart with several sets of values and refuses wrong ones; every manifest fits
the published schemas of the oldest and the newest Kubernetes that the package `kubernetes-validate` knows. No cluster is part of it."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from parts import FOLDER, NotRun, environment, fetch, once
from weft_process import ROOT

CHART = ROOT / "deploy/helm/weft"
HELM = "helm.sh/helm/v3/cmd/helm@v3.18.4"
KUBERNETES = "1.30.0"  # there is no cluster to ask, and a Helm built from its module takes an old one
BUILD_SECONDS = 3600  # on two cores that others use, too

FULL = """
image: {repository: registry.example.com/weft, tag: 1.2.3, pullPolicy: Always}
imagePullSecrets: [{name: registry}]
config: {log: {level: debug}, egress: {allow: ["10.0.0.0/8", "2001:db8::/32"]}}
estate: {streams.yaml: "kind: Stream\\n", clients.json: "{}"}
environmentSecret: weft-environment
secretFiles: {secretName: weft-secrets, variables: {WEFT_TLS__KEY_PASSPHRASE_FILE: passphrase}}
tls: {secretName: weft-tls}
kafka: {advertisedHost: kafka.example.com}
service: {type: LoadBalancer, annotations: {a: b}, ipFamilyPolicy: SingleStack}
persistence: {size: 1Ti, storageClassName: fast, annotations: {c: d}}
podDisruptionBudget: {enabled: true, maxUnavailable: 0}
networkPolicy:
  enabled: true
  clients: [{namespaceSelector: {matchLabels: {team: shop}}}]
  operators: [{podSelector: {matchLabels: {app: prometheus}}}]
podAnnotations: {e: f}
podLabels: {g: h}
priorityClassName: important
nodeSelector: {disk: nvme}
tolerations: [{key: dedicated, operator: Exists}]
affinity: {nodeAffinity: {}}
"""
CLOSED = "podDisruptionBudget: {enabled: false}\nnetworkPolicy: {enabled: true}\n"
GATEWAY = """
roles: [gateway, worker]
config: {state: {backend: postgres}}
tls: {secretName: weft-tls}
networkPolicy: {enabled: true, clients: [{}], operators: [{}]}
"""
WORKER = "roles: [worker]\nconfig: {state: {backend: postgres}}\nnetworkPolicy: {enabled: true, clients: [{}]}\n"
WRONG = {"roles: [gateway]\n": "estate", "replicas: 3\n": "replicas", "config: {ports: {admin: 1}}\n": "ports",
         "secretFiles: {variables: {WEFT_TLS__KEY_PASSPHRASE_FILE: x}}\n": "secretName"}

CHECK = """
import sys, yaml, kubernetes_validate
from kubernetes_validate.utils import all_versions
versions = all_versions()
documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
for document in documents:
    for version in (versions[0], versions[-1]):
        kubernetes_validate.validate(document, version, strict=True)
print(len(documents), versions[0], versions[-1])
"""


@once
def helm():
    program = FOLDER / "bin/helm"
    if not program.exists():
        if shutil.which("go") is None:
            raise NotRun("Go is not installed, and Debian 12 has no Helm")
        try:
            done = subprocess.run(["go", "install", HELM], text=True, capture_output=True, timeout=BUILD_SECONDS,
                                  env={**os.environ, "GOBIN": str(program.parent)})
        except subprocess.TimeoutExpired:
            raise NotRun(f"Helm was not built within {BUILD_SECONDS} s") from None
        if done.returncode != 0:
            raise NotRun(f"go install {HELM}: {done.stderr.strip().splitlines()[-1][:300]}")
    return str(program)


@once
def validator():
    fetch([str(environment()), "-m", "pip", "install", "--quiet", "--upgrade", "kubernetes-validate", "pyyaml"], "pip install")
    return str(environment())


def render(values):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(values)
        file.flush()
        return subprocess.run([helm(), "template", "weft", str(CHART), "--namespace", "default", "--values", file.name,
                               "--kube-version", KUBERNETES], text=True,
                              capture_output=True, timeout=120)


def validate(manifests):
    done = subprocess.run([validator(), "-c", CHECK], input=manifests, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


def run():
    lint = subprocess.run([helm(), "lint", "--strict", str(CHART)], text=True, capture_output=True, timeout=120)
    assert lint.returncode == 0, lint.stdout + lint.stderr
    kept = Path(ROOT, "deploy/kubernetes/weft.yaml").read_text()
    count = 0
    for values in ("{}", FULL, CLOSED, GATEWAY, WORKER):
        rendered = render(values)
        assert rendered.returncode == 0, rendered.stderr
        if values == "{}":
            assert rendered.stdout == kept, "deploy/kubernetes/weft.yaml is not what the chart makes: render it again"
        if values == FULL:
            for needed in ("kafka.example.com", "https-gateway", "secretRef", "passphrase", "storageClassName: fast", "maxUnavailable: 0",
                           "kind: NetworkPolicy", "prometheus", "level: debug"):
                assert needed in rendered.stdout, needed
        if values == CLOSED:
            assert "ingress: []" in rendered.stdout and "PodDisruptionBudget" not in rendered.stdout
        if values == GATEWAY:
            assert "gateway-tls" in rendered.stdout and "- gateway\n    - worker" in rendered.stdout, rendered.stdout
            assert "admin" not in rendered.stdout and "kafka-tls" not in rendered.stdout
        if values == WORKER:
            assert "ingress: []" in rendered.stdout and rendered.stdout.count("kind: Service\n") == 1, rendered.stdout
        number, oldest, newest = validate(rendered.stdout)
        count += int(number)
    for values, names in WRONG.items():
        refused = render(values)
        assert refused.returncode != 0 and names in refused.stderr, values
    return f"{count} manifests of 5 sets of values fit Kubernetes {oldest} and {newest}; {len(WRONG)} wrong sets are refused"
