"""The Debian package: what it holds, that its unit is sound and locked down, and that what it lays down runs as it says."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from weft_process import ROOT, call, wait_until

DEBIAN = ROOT / "deploy/debian"
EXPOSURE_MAX = 1.5  # of 10; what systemd-analyze says of the unit


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, timeout=300, **options)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def build(folder):
    return Path(run(DEBIAN / "build_package", folder).strip())


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def tree(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "--raw-extract", package, folder)
    return folder


def field(package, name):
    return run("dpkg-deb", "--field", package, name).strip()


def test_the_same_sources_give_the_same_bytes(package, tmp_path):
    assert build(tmp_path).read_bytes() == package.read_bytes()


def test_it_says_what_it_is_and_needs(package, tree):
    version = run(tree / "usr/bin/weft", "version").split()[1]
    needed = {line.split()[0] for line in run("ldd", tree / "usr/bin/weft").splitlines() if "=>" in line}

    depends = field(package, "Depends")

    assert field(package, "Version") == f"{version}-1"
    for library, name in {"libssl.so.3": "libssl3", "libsqlite3.so.0": "libsqlite3-0", "libyaml-0.so.2": "libyaml-0-2",
                          "libjemalloc.so.2": "libjemalloc2", "libzstd.so.1": "libzstd1", "libc.so.6": "libc6"}.items():
        assert library in needed
        assert re.search(rf"(^|, ){re.escape(name)}( \(>= |,)", depends), depends
    assert "-dev" not in depends
    assert (tree / "DEBIAN/conffiles").read_text().split() == ["/etc/default/weft", "/etc/logrotate.d/weft", "/etc/weft/weft.yaml"]


def test_lintian_finds_nothing(package):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", package], text=True, capture_output=True)

    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_unit_is_sound_and_locked_down(tree, tmp_path):
    unit = tree / "lib/systemd/system/weft.service"
    copy = tmp_path / "weft.service"
    copy.write_text(unit.read_text().replace("/usr/bin/weft ", f"{tree}/usr/bin/weft "))

    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], text=True, capture_output=True)
    said = run("systemd-analyze", "security", "--offline=true", "--no-pager", copy)

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    exposure = float(re.search(r"Overall exposure level for weft.service: ([0-9.]+)", said).group(1))
    assert exposure <= EXPOSURE_MAX, said


class ServiceManager:
    """The socket on which a service says that it is ready."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(30)

    def told(self):
        return self.socket.recv(4096).decode()


def serve(tree, folder, manager, address, before=()):
    """The service as its unit starts it, but with the tree's paths and free ports."""
    config = (tree / "etc/weft/weft.yaml").read_text()
    (folder / "weft.yaml").write_text(config.replace("/var/lib/weft", f"{folder}/data").replace("/var/log/weft", f"{folder}/log"))
    (folder / "log").mkdir()
    log = open(folder / "out", "wb")
    words = re.search(r"ExecStart=/usr/bin/weft (.*)", (tree / "lib/systemd/system/weft.service").read_text()).group(1)
    words = words.replace("/etc/weft", str(folder)).split()
    return subprocess.Popen([*before, tree / "usr/bin/weft", *words, "--ports", "auto"], stdout=log, stderr=log, cwd=folder,
                            env={**os.environ, "NOTIFY_SOCKET": address})


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_the_service_tells_its_manager_when_it_is_ready_and_when_it_stops(tree, tmp_path, kind):
    address = f"{tmp_path}/notify" if kind == "path" else f"@weft-test-{os.getpid()}"
    manager = ServiceManager(address if kind == "path" else "\0" + address[1:])

    node = serve(tree, tmp_path, manager, address)
    try:
        first = manager.told()
        told = json.loads((tmp_path / "data/node.json").read_text())
        ready = call("GET", told["ops"] + "/readyz").status
        node.send_signal(signal.SIGTERM)
        second = manager.told()
        status = node.wait(30)
    finally:
        node.kill()
        node.wait()

    assert (first, ready, second, status) == ("READY=1", 200, "STOPPING=1", 0)


def members(group):
    """The system calls of a group of systemd, those of the groups in it too."""
    found = set()
    for line in run("systemd-analyze", "syscall-filter", "--no-pager", group).splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            found |= members(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


def test_the_unit_lets_the_node_do_what_it_does(tree, tmp_path):
    """There is no systemd to start it here, so every call of a working node is held against the unit's own rules."""
    unit = (tree / "lib/systemd/system/weft.service").read_text()
    manager = ServiceManager(f"{tmp_path}/notify")
    node = serve(tree, tmp_path, manager, f"{tmp_path}/notify", ["strace", "-f", "-qq", "-s", "64", "-o", tmp_path / "calls"])
    try:
        manager.socket.settimeout(120)
        assert manager.told() == "READY=1"
        told = json.loads((tmp_path / "data/node.json").read_text())
        token = (tmp_path / "data/admin-token").read_text().strip()
        call("GET", told["gateway"] + "/nothing")
        applied = call("POST", told["admin"] + "/api/v1/apply", json.dumps({"files": [{"path": "s.json", "content": json.dumps({
            "apiVersion": "weft/v1", "kind": "Stream", "metadata": {"name": "a.b.made.v1", "owner": "x"},
            "spec": {"opaque": True, "partitions": 1}})}]}), {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        assert applied.status == 200, applied.body
        os.kill(told["pid"], signal.SIGTERM)
        assert node.wait(60) == 0
    finally:
        node.kill()
        node.wait()
    calls = (tmp_path / "calls").read_text(errors="replace")
    used = set(re.findall(r"^\d+\s+(?:<\.\.\. )?(\w+)[ (]", calls, re.M))
    allowed = members("@system-service") - members("@privileged") - members("@resources")
    families = set(re.search(r"RestrictAddressFamilies=(.*)", unit).group(1).split())

    assert "fdatasync" in used and "sendto" in used
    # SQLite gives its files to their owner when it runs as root, as this test may; the unit's user is another.
    assert used - allowed <= {"fchown"}, used - allowed
    assert set(re.findall(r"\bsocket\((AF_\w+)", calls)) <= families
    assert not re.search(r"PROT_WRITE\|PROT_EXEC", calls)


def test_the_access_log_goes_on_in_a_new_file_after_logrotate(tree, tmp_path):
    manager = ServiceManager(f"{tmp_path}/notify")
    node = serve(tree, tmp_path, manager, f"{tmp_path}/notify")
    log = tmp_path / "log/access.log"
    try:
        assert manager.told() == "READY=1"
        gateway = json.loads((tmp_path / "data/node.json").read_text())["gateway"]
        call("GET", gateway + "/before")
        wait_until(lambda: log.exists() and "/before" in log.read_text(), 20, "the first line")
        # As the package has it, but for this folder and its owner.
        rules = (tree / "etc/logrotate.d/weft").read_text().replace("/var/log/weft", str(log.parent))
        (tmp_path / "rules").write_text(rules.replace("    su weft weft\n", ""))
        run("logrotate", "--force", "--state", tmp_path / "state", tmp_path / "rules")
        call("GET", gateway + "/after")
        wait_until(lambda: log.exists() and "/after" in log.read_text(), 20, "a line in the new file")
    finally:
        node.terminate()
        assert node.wait(30) == 0

    assert "/before" in (tmp_path / "log/access.log.1").read_text()
    assert "/before" not in log.read_text()


def test_the_settings_of_the_package_are_settings(tree, tmp_path):
    """Also those that wait behind a comment sign."""
    text = (tree / "etc/weft/weft.yaml").read_text()
    config = tmp_path / "weft.yaml"
    config.write_text(re.sub(r"^#(?=[a-z ])(?! )", "", text, flags=re.M).replace("\n#  ", "\n  "))
    assert "\nestate:\n  folder:" in config.read_text()

    said = subprocess.run([tree / "usr/bin/weft", "doctor", "--config", config, "-o", "json"], text=True, capture_output=True)

    names = [check["name"] for check in json.loads(said.stdout)["checks"]]
    assert "settings" not in names and "version" in names


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm", "build_package"])
def test_scripts_are_sound_shell(script):
    shell = "bash" if script == "build_package" else "sh"
    assert shutil.which(shell)
    run(shell, "-n", DEBIAN / script)
