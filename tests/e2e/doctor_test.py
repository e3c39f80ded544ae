"""`weft doctor` against machines, settings and nodes with something wrong: it must find each, and say what to do."""
import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from weft_process import BINARY

# Stands before libc, as libeatmydata does.
NO_SYNC = "int fsync(int f) { (void)f; return 0; } int fdatasync(int f) { (void)f; return 0; }"


class Report:
    def __init__(self, done):
        self.code = done.returncode
        self.document = json.loads(done.stdout)

    def of(self, name):
        found = [check for check in self.document["checks"] if check["name"] == name]
        assert len(found) == 1, self.document
        return found[0]

    def status(self, name):
        return self.of(name)["status"]


@pytest.fixture
def doctor(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)

    def run(*settings, data=folder, limits=None, environment=None):
        words = [BINARY, "doctor", "-o", "json", "--data", data, "--set", "ports.auto=true"]
        for setting in settings:
            words += ["--set", setting]
        done = subprocess.run([str(word) for word in words], text=True, capture_output=True, timeout=60, cwd=tmp_path,
                              preexec_fn=limits, env={**os.environ, **(environment or {})})
        assert done.stdout, done.stderr
        return Report(done)

    return run


@pytest.fixture(scope="module")
def no_sync(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    (folder / "nosync.c").write_text(NO_SYNC)
    library = folder / "libnosync.so"
    subprocess.run(["g++", "-x", "c", "-shared", "-fPIC", "-o", library, folder / "nosync.c"], check=True)
    return library


def certificate(folder, name, hosts="DNS:weft.example.com", days=90, mode=0o600):
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    names = ["-addext", f"subjectAltName={hosts}"] if hosts else []
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", f"/CN={name}", *names, "-keyout", key, "-out", pem], check=True, capture_output=True)
    # Signed again, since only that takes a time in the past.
    subprocess.run(["openssl", "x509", "-in", pem, "-signkey", key, "-days", str(days), "-out", pem], check=True,
                   capture_output=True)
    key.chmod(mode)
    return [f"tls.certificateFile={pem}", f"tls.keyFile={key}"]


def test_a_sound_machine_is_no_failure_and_has_every_check(doctor):
    report = doctor()

    names = {check["name"] for check in report.document["checks"]}
    assert {"version", "data folder", "disk space", "file system", "durability", "calendar", "open files", "memory",
            "preloaded library", "node"} <= names
    assert report.code == 0
    assert report.status("data folder") == "pass"


def test_a_running_node_is_asked_and_its_ports_are_known_as_its_own(weft_factory, tmp_path):
    node = weft_factory().start()
    port = node.node["admin"].rsplit(":", 1)[1]

    done = node.cli("doctor", "-o", "json", "--set", f"ports.admin={port}", check=False)
    report = Report(done)

    assert report.of("ports.admin")["observed"] == f"127.0.0.1:{port} is held by this node"
    assert "also the node that runs" in report.of("version")["observed"]
    assert report.status("node: disk") == "pass"


@pytest.mark.parametrize("body", ['{"hello": "world"}', '{"checks": "all fine"}', "<p>hello</p>", ""])
def test_a_server_that_is_no_node_fails_and_is_quoted(tmp_path, body):
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        done = subprocess.run([BINARY, "doctor", "-o", "json", "--server", address, "--token", "any", "--set",
                               "ports.auto=true"], text=True, capture_output=True, timeout=60, cwd=tmp_path)
        server.shutdown()

    assert done.returncode == 1, done.stderr
    assert Report(done).of("node") == {"name": "node", "status": "fail",
                                       "observed": f"{address} answered 200, which is no node's health: {body}",
                                       "advice": "is this the address of Weft's admin API?"}


def test_a_data_folder_in_memory_fails(doctor):
    folder = tempfile.mkdtemp(dir="/dev/shm", prefix="weft-doctor-")
    try:
        report = doctor(data=folder)
    finally:
        shutil.rmtree(folder)

    assert report.code == 1
    assert report.of("file system") == {"name": "file system", "status": "fail", "observed": "tmpfs",
                                        "advice": "it is memory: everything is lost at the next start of the machine; "
                                                  "name a folder on a disk"}
    assert report.status("durability") == "warn"


def test_a_medium_that_acknowledges_without_writing_is_noticed(doctor, no_sync):
    report = doctor(environment={"LD_PRELOAD": str(no_sync)})

    assert report.status("durability") == "warn"
    assert "faster than a medium can be" in report.of("durability")["advice"]


def test_a_node_without_its_fsync_fails(weft_factory, no_sync):
    node = weft_factory(environment={"LD_PRELOAD": str(no_sync)}).start()
    node.environment.pop("LD_PRELOAD")

    report = Report(node.cli("doctor", "-o", "json", check=False))

    assert report.code == 1
    assert report.status("preloaded library") == "fail"


def test_a_disk_below_the_reserve_fails(doctor):
    report = doctor("log.reserveBytes=1000000GiB")

    assert report.code == 1
    assert report.status("disk space") == "fail"


def test_a_data_folder_that_others_can_enter_is_a_warning(doctor, tmp_path):
    (tmp_path / "data").chmod(0o755)

    report = doctor()

    assert report.code == 0
    assert report.of("data folder")["advice"] == f"chmod 700 {tmp_path}/data"


@pytest.mark.parametrize("limit, connections, status", [
    (256, 10, "warn"), (5000, 1000, "pass"), (5000, 6000, "warn")])
def test_open_files_are_compared_with_the_connections_that_settings_allow(doctor, limit, connections, status):
    report = doctor(f"http.connectionsMax={connections}", "kafka.connectionsMax=10",
                    limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))

    assert report.status("open files") == status


def test_queues_larger_than_the_memory_are_a_warning(doctor):
    assert doctor("log.queueBytesMax=100000GiB").status("memory") == "warn"


@pytest.mark.parametrize("family, address", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_that_another_process_holds_fails(doctor, family, address):
    with socket.socket(family) as other:
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        report = doctor("ports.auto=false", f"listen.address={address}", f"ports.gateway={port}")

    assert report.code == 1
    assert "is held by another process" in report.of("ports.gateway")["observed"]
    assert "ports.gateway" in report.of("ports.gateway")["advice"]


def test_an_address_of_another_machine_fails(doctor):
    report = doctor("ports.auto=false", "listen.address=192.0.2.1")

    assert report.code == 1
    assert "cannot be listened on" in report.of("ports.ops")["observed"]


def test_a_sound_certificate_passes(doctor, tmp_path):
    report = doctor(*certificate(tmp_path, "sound", "DNS:weft.example.com,IP:::1"), "kafka.advertisedHost=weft.example.com")

    assert [report.of(f"{listener} certificate")["observed"] for listener in ("admin", "gateway", "kafka")] == [
        "for weft.example.com, ::1"] * 3
    assert report.code == 0


@pytest.mark.parametrize("days, status", [(-1, "fail"), (5, "warn")])
def test_a_certificate_out_of_its_time_is_noticed(doctor, tmp_path, days, status):
    report = doctor(*certificate(tmp_path, "old", days=days))

    assert report.status("gateway certificate") == status
    assert report.code == (1 if status == "fail" else 0)
    assert "renew it" in report.of("gateway certificate")["advice"]


def test_a_certificate_for_other_names_or_for_none_is_a_warning(doctor, tmp_path):
    elsewhere = doctor(*certificate(tmp_path, "elsewhere"), "kafka.advertisedHost=broker.example.com")
    nameless = doctor(*certificate(tmp_path, "nameless", hosts=None))

    assert "clients are sent to broker.example.com" in elsewhere.of("kafka certificate")["observed"]
    assert nameless.status("kafka certificate") == "warn"


def test_the_key_of_another_certificate_fails(doctor, tmp_path):
    one, other = certificate(tmp_path, "one"), certificate(tmp_path, "other")

    report = doctor(one[0], other[1])

    assert report.code == 1
    assert "is not the key of the certificate" in report.of("admin certificate")["observed"]


def test_a_key_that_everybody_can_read_fails(doctor, tmp_path):
    report = doctor(*certificate(tmp_path, "open", mode=0o644))

    assert report.code == 1
    assert "chmod 640" in report.of("gateway certificate")["advice"]


def test_settings_with_a_mistake_fail(doctor):
    report = doctor("ports.admim=1")

    assert report.code == 1
    assert "ports.admin" in report.of("settings")["observed"]


def test_a_person_reads_the_same_with_what_to_do(tmp_path):
    Path(tmp_path, "data").mkdir(mode=0o755)

    done = subprocess.run([BINARY, "doctor", "--data", "data", "--set", "ports.auto=true", "--set", "log.reserveBytes=1000000GiB"],
                          text=True, capture_output=True, cwd=tmp_path)

    assert done.returncode == 1
    assert "BAD   disk space" in done.stdout
    assert "→ chmod 700 data" in done.stdout
