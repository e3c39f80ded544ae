"""Bad input at every door: a clear answer that says what, where and how to mend it; nothing lost, the process up.
docs/bad-input.md shows what is observed here."""
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from order_flow_test import EXAMPLE, SHOP_KEY, WEBHOOK_SECRET, kcat, post_order, records
from weft_process import BINARY, call, wait_until

ENVIRONMENT = {"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": "http://127.0.0.1:9/hooks"}
SETTINGS = ["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]


@pytest.fixture
def shop(weft_factory):
    return weft_factory(estate=EXAMPLE / "estate", settings=SETTINGS, environment=ENVIRONMENT).start()


def refused_by_validate(tmp_path, text, name="bad.yaml"):
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / name).write_text(text)
    result = subprocess.run([str(BINARY), "validate", str(folder)], text=True, capture_output=True, timeout=30)
    assert result.returncode == 1, result.stdout
    return result.stderr


STREAM = """apiVersion: weft/v1
kind: Stream
metadata: {name: shop.cart.emptied.v1, owner: shop}
spec: {opaque: true}
"""


MALFORMED = "kind: Stream\n  metadata: x\n"
ALIAS_BOMB = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [{', '.join(['*' + p] * 10)}]\n" for p, c in zip("abcdefgh", "bcdefghi"))


@pytest.mark.parametrize("text, says", [
    (MALFORMED, ["bad.yaml:2:11: mapping values are not allowed"]),
    (STREAM.replace("kind: Stream", "kind: Straem"), ['bad.yaml:2:7: unknown kind "Straem"; did you mean "Stream"?', "(at /kind)"]),
    (STREAM.replace("opaque: true", "schema: nowhere"), ["bad.yaml:4:16: Schema nowhere does not exist", "(at /spec/schema)"]),
    (STREAM + "---\n" + STREAM, ["bad.yaml:8:18: Stream shop.cart.emptied.v1 is declared twice", "first at ", "bad.yaml:3:18"]),
    (STREAM.replace("opaque: true", "opaque: true, partitions: many"), ["bad.yaml:4:34: must be an integer, is a text", "(at /spec/partitions)"]),
    (STREAM.replace("shop.cart.emptied.v1", "cart"), ["bad.yaml:3:", "<domain>.<entity>"]),
    (STREAM + "spec: {opaque: true}\n", ["bad.yaml:5:1: the key 'spec' is there twice"]),
    (ALIAS_BOMB, ["bad.yaml:7:", "more than 1000000 values, aliases expanded"]),
], ids=["malformed yaml", "unknown kind", "dangling reference", "duplicate name", "wrong type", "bad stream name",
        "duplicate key", "alias bomb"])
def test_validate_names_the_place_of_a_bad_document(tmp_path, text, says):
    said = refused_by_validate(tmp_path, text)

    for part in says:
        assert part in said


def test_apply_and_start_name_the_place_as_validate_does(shop, weft_factory, tmp_path):
    place = "bad.yaml:2:11: mapping values are not allowed"
    estate = tmp_path / "bad-estate"
    estate.mkdir()
    (estate / "bad.yaml").write_text(MALFORMED)

    applied = shop.cli("apply", str(estate), check=False)

    assert applied.returncode == 1 and place in applied.stderr
    assert place in start_and_fail(weft_factory("second", estate=estate))


def test_a_schema_that_is_none_is_refused_with_its_place(tmp_path):
    said = refused_by_validate(tmp_path, """apiVersion: weft/v1
kind: Schema
metadata: {name: broken, owner: shop}
spec: {format: json-schema, definition: {type: object, properties: {a: {minimum: low}}}}
""")

    assert "bad.yaml:4:41: schema at #/properties/a/minimum" in said and "must be a number" in said


def test_an_apply_that_is_refused_changes_nothing(shop):
    before = shop.admin("GET", "/health").json()["generation"]

    answer = shop.admin("POST", "/apply", STREAM + "---\n" + STREAM.replace("opaque: true", "schema: nowhere").replace("emptied", "filled"), "application/yaml")

    assert answer.status == 422 and answer.json()["code"] == "VALIDATION_FAILED"
    assert "Schema nowhere does not exist" in json.dumps(answer.json()["details"]["diagnostics"])
    assert shop.admin("GET", "/health").json()["generation"] == before
    assert shop.admin("GET", "/streams/shop.cart.emptied.v1").status == 404


@pytest.mark.parametrize("text", ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000], ids=["lists", "objects"])
def test_deeply_nested_json_is_refused(shop, text):
    answer = post_order(shop, "k", text)

    assert answer.status == 400 and answer.json()["code"] == "MALFORMED_JSON"
    assert "deep" in answer.json()["message"] or "nest" in answer.json()["message"]
    assert records(shop) == []


def raw(weft, data, seconds=5):
    """Sends bytes and reads until the server closes or is silent."""
    host, port = weft.gateway.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except TimeoutError:
            pass
        return answer


def test_a_body_of_100_megabytes_is_refused_before_it_is_read(shop):
    head = (f"POST /orders HTTP/1.1\r\nHost: x\r\nX-API-Key: {SHOP_KEY}\r\nIdempotency-Key: k\r\n"
            "Content-Type: application/json\r\nContent-Length: 104857600\r\n\r\n").encode()

    answer = raw(shop, head + b"x" * 100_000)

    assert b" 413 " in answer.splitlines()[0]
    assert b"BODY_TOO_LARGE" in answer
    assert post_order(shop, "after").status == 201


def test_a_chunked_body_of_100_megabytes_is_cut_at_the_limit(shop):
    host, port = shop.gateway.removeprefix("http://").split(":")
    head = (f"POST /orders HTTP/1.1\r\nHost: x\r\nX-API-Key: {SHOP_KEY}\r\nIdempotency-Key: k\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    taken, answer = 0, b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head)
        try:
            for _ in range(100):
                connection.sendall(chunk)
                taken += 1
        except (ConnectionResetError, BrokenPipeError):
            pass
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass

    # The limit is 10 MiB; sockets and what a closing connection still reads add to it.
    assert taken < 50
    assert answer == b"" or (b" 413 " in answer.splitlines()[0] and b"BODY_TOO_LARGE" in answer)
    assert post_order(shop, "after").status == 201
    assert len(records(shop)) == 1


@pytest.mark.parametrize("request_bytes", [
    b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"GET /orders HTTP/1.1\r\nHost: x\r\n folded: yes\r\n\r\n",
    b"GET /orders HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET /orders HTTP/1.1\nHost: x\n\n",
    b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
], ids=["length and chunked", "two lengths", "unknown coding", "space before colon", "folded field", "two hosts", "bare line feed", "signed length"])
def test_ambiguous_framing_is_refused_and_ends_the_connection(shop, request_bytes):
    answer = raw(shop, request_bytes + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer.splitlines()[0].split()[1] in (b"400", b"501")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_head_that_never_ends_is_cut(weft_factory):
    weft = weft_factory(estate=EXAMPLE / "estate", settings=[*SETTINGS, "http.headTimeout=500ms"], environment=ENVIRONMENT).start()
    began = time.monotonic()

    answer = raw(weft, b"GET /orders HTTP/1.1\r\nHost: x\r\nX-Slow: ", seconds=10)

    assert time.monotonic() - began < 5
    assert b" 408 " in answer.splitlines()[0] and b"REQUEST_TIMEOUT" in answer


def drip(weft, start, piece, pause=0.05, seconds=15):
    """Sends a piece now and then until the server has had enough; returns its answer and how long it took."""
    host, port = weft.gateway.removeprefix("http://").split(":")
    began, answer = time.monotonic(), b""
    with socket.create_connection((host, int(port)), timeout=pause) as connection:
        connection.sendall(start)
        while time.monotonic() - began < seconds:
            try:
                got = connection.recv(65536)
                answer += got
                if not got:
                    break
            except TimeoutError:
                pass
            except ConnectionResetError:
                break
            try:
                connection.sendall(piece)
            except (ConnectionResetError, BrokenPipeError):
                pass
    return answer, time.monotonic() - began


def test_a_client_that_drips_is_cut_and_holds_nobody_up(weft_factory):
    weft = weft_factory(estate=EXAMPLE / "estate", environment=ENVIRONMENT,
                        settings=[*SETTINGS, "http.headTimeout=1s", "http.bodyTimeout=1s"]).start()
    slow = []
    threads = [threading.Thread(target=lambda: slow.append(drip(weft, b"GET /orders HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"x")))
               for _ in range(200)]
    for thread in threads:
        thread.start()

    assert post_order(weft, "meanwhile").status == 201

    for thread in threads:
        thread.join()
    assert len(slow) == 200
    assert all(b" 408 " in answer.splitlines()[0] and b"REQUEST_TIMEOUT" in answer for answer, _ in slow)
    assert max(seconds for _, seconds in slow) < 14


def test_a_body_that_drips_is_cut(weft_factory):
    weft = weft_factory(estate=EXAMPLE / "estate", environment=ENVIRONMENT, settings=[*SETTINGS, "http.bodyTimeout=1s"]).start()
    head = (f"POST /orders HTTP/1.1\r\nHost: x\r\nX-API-Key: {SHOP_KEY}\r\nIdempotency-Key: k\r\n"
            "Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n").encode()

    answer, seconds = drip(weft, head, b" ")

    assert b" 408 " in answer.splitlines()[0] and b"REQUEST_TIMEOUT" in answer
    assert seconds < 14


def test_a_head_that_is_too_large_is_refused(shop):
    answer = raw(shop, b"GET /orders HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 100_000 + b"\r\n\r\n")

    assert b" 431 " in answer.splitlines()[0] and b"HEAD_TOO_LARGE" in answer


def start_and_fail(weft):
    result = subprocess.run(weft.command(), text=True, capture_output=True, timeout=30, env=weft.environment, cwd=weft.folder)
    assert result.returncode == 1
    return result.stderr


def test_a_port_that_is_in_use_is_named(weft_factory):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        weft = weft_factory(settings=[])
        words = [str(BINARY), "serve", "--data", str(weft.data), "--set", f"ports.admin={port}", "--set", "ports.gateway=0", "--set", "ports.kafka=0", "--set", "ports.ops=0"]
        result = subprocess.run(words, text=True, capture_output=True, timeout=30)

    assert result.returncode == 1
    assert f":{port}" in result.stderr and "in use" in result.stderr


def test_a_data_folder_belongs_to_one_process(shop, weft_factory):
    second = weft_factory("node")

    said = start_and_fail(second)

    assert str(shop.data) in said and "in use" in said
    assert call("GET", shop.node["ops"] + "/readyz").status == 200


def test_a_data_folder_of_a_newer_version_is_refused(weft_factory):
    weft = weft_factory(settings=[]).start()
    weft.stop()
    (weft.data / "FORMAT").write_text("weft data folder 99\n")

    said = start_and_fail(weft)

    assert str(weft.data) in said
    assert "weft data folder 99" in said and "start the version that wrote it" in said


@pytest.mark.parametrize("number", [0, 65_537])
def test_a_limit_that_would_end_deliveries_is_refused_at_the_start(weft_factory, number):
    said = start_and_fail(weft_factory(settings=[f"delivery.unsettledMax={number}"]))

    assert f"delivery.unsettledMax: must be from 1 to 65536, not {number}" in said


@pytest.mark.skipif(os.getuid() == 0 and shutil.which("setpriv") is None, reason="needs setpriv to drop root")
def test_a_data_folder_without_permission_is_named(weft_factory, tmp_path):
    weft = weft_factory(settings=[])
    weft.data.mkdir()
    weft.data.chmod(0o500)
    for folder in [tmp_path, *tmp_path.parents][:-1]:
        if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    words = weft.command()
    if os.getuid() == 0:
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words]

    result = subprocess.run(words, text=True, capture_output=True, timeout=30, cwd="/")

    assert result.returncode == 1
    assert str(weft.data) in result.stderr and "ermission" in result.stderr


def wal_files(weft):
    return sorted((weft.data / "log").rglob("*.wal"), key=lambda path: path.stat().st_mtime)


def test_a_torn_tail_of_the_log_costs_nothing_that_was_acknowledged(shop):
    for i in range(5):
        assert post_order(shop, f"key-{i}").status == 201
    shop.kill()
    newest = wal_files(shop)[-1]
    content = newest.read_bytes().rstrip(b"\0")
    size = newest.stat().st_size
    with newest.open("r+b") as file:
        file.seek(len(content) + 8 - len(content) % 8)
        file.write(b"\x01" * 100)
    assert newest.stat().st_size >= size

    shop.start()

    assert len(records(shop)) == 5
    assert post_order(shop, "key-6").status == 201


def test_a_damaged_record_in_the_middle_is_reported_and_costs_no_other(shop):
    order = json.loads((EXAMPLE / "order.json").read_text())
    for i in range(5):
        order["orderId"] = f"SO-1000000{i}"
        assert post_order(shop, f"key-{i}", json.dumps(order)).status == 201
    shop.kill()
    newest = wal_files(shop)[-1]
    content = bytearray(newest.read_bytes())
    place = content.find(b"SO-10000002")
    assert place > 0
    content[place] ^= 1
    newest.write_bytes(content)

    shop.start()

    left = "\n".join(records(shop))
    assert all(f"SO-1000000{i}" in left for i in (0, 1, 3, 4))
    assert "SO-10000002" not in left
    assert any(path.is_file() for path in shop.data.rglob("quarantine/*"))
    health = shop.admin("GET", "/health").json()
    assert health["status"] == "warn"
    assert any("damaged" in check["message"] for check in health["checks"])


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small filesystem needs root")
def test_a_full_disk_refuses_appends_and_serves_reads(weft_factory, tmp_path):
    image, mount = tmp_path / "disk.img", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(192 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    mount.mkdir()
    if subprocess.run(["mount", "-o", "loop", str(image), str(mount)], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us mount a filesystem")
    try:
        weft = weft_factory("node", estate=EXAMPLE / "estate", environment=ENVIRONMENT,
                            settings=[*SETTINGS, "log.reserveBytes=32MiB", "log.walFileBytes=8MiB"])
        weft.data = mount / "data"
        weft.start()
        assert post_order(weft, "before").status == 201
        with (mount / "ballast").open("wb") as ballast:
            try:
                while True:
                    ballast.write(b"\0" * 1024 * 1024)
                    ballast.flush()
            except OSError:
                pass

        def refused():
            answer = post_order(weft, os.urandom(8).hex())
            return answer if answer.status == 503 else None

        answer = wait_until(refused, seconds=30, what="appends to be refused")
        assert answer.json()["code"] == "NOT_STORED" and int(answer.headers["Retry-After"]) > 0
        assert len(records(weft)) >= 1
        (mount / "ballast").unlink()
        wait_until(lambda: post_order(weft, os.urandom(8).hex()).status == 201, seconds=30, what="appends to be taken again")
        weft.stop()
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)
