"""A backup of a node that serves, restored elsewhere: every order that was answered before it is there, keys and
idempotent answers included; what is damaged is named and not restored."""
import concurrent.futures
import json
import re
import resource
import subprocess
import threading
import uuid

import pytest
from order_flow_test import EXAMPLE, SHOP_KEY, STREAM, WEBHOOK_SECRET
from weft_process import BINARY, call, wait_until

ENVIRONMENT = {"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": "http://127.0.0.1:9/hooks"}
SETTINGS = ["egress.allow=127.0.0.0/8", "log.walFileBytes=4MiB"]
ORDER = json.loads((EXAMPLE / "order.json").read_text())


def weft(*words):
    return subprocess.run([str(BINARY), *map(str, words)], capture_output=True, text=True, timeout=60)


def post(node, number, key=None):
    body = json.dumps({**ORDER, "orderId": f"SO-{number:08d}"}, ensure_ascii=False)
    headers = {"Authorization": f"Bearer {SHOP_KEY}", "Content-Type": "application/json",
               "Idempotency-Key": key or str(uuid.uuid4())}
    return call("POST", node.gateway + "/orders", body, headers)


def stored(node):
    lines = node.cli("stream", "consume", STREAM, "--offset", "0", "--max", "100000").stdout
    return re.findall(r'"orderId": ?"(SO-\d{8})"', lines)


@pytest.fixture
def passphrase(tmp_path):
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery staple\n")
    return file


@pytest.fixture
def node(weft_factory):
    return weft_factory(estate=EXAMPLE / "estate", settings=SETTINGS, environment=ENVIRONMENT).start()


class Shop:
    """Posts orders until it is told to stop; knows which were answered, and when it began a backup."""

    def __init__(self, node):
        self.node, self.answered, self.stopping = node, [], False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping:
            number = len(self.answered) + 1
            assert post(self.node, number).status == 201
            self.answered.append(f"SO-{number:08d}")

    def stop(self):
        self.stopping = True
        self.thread.join(30)


def test_a_backup_under_load_holds_every_order_that_was_answered_before_it(node, weft_factory, passphrase, tmp_path):
    shop = Shop(node)
    first = post(node, 90_000_000, key="the-first")
    wait_until(lambda: len(shop.answered) >= 20, what="20 orders")
    before = list(shop.answered)
    taken = node.cli("backup", str(tmp_path / "backup"), "--passphrase-file", str(passphrase), "-o", "json")
    after = len(shop.answered)
    shop.stop()
    answer = json.loads(taken.stdout)
    assert answer["keys"] and answer["files"] >= 4
    audit = node.admin("GET", "/audit?limit=5").json()["items"]
    assert "backup.take" in [entry["action"] for entry in audit]

    assert len(before) >= 20

    verified = weft("backup", "verify", tmp_path / "backup", "-o", "json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["problems"] == []

    restored = weft_factory("restored", settings=SETTINGS, environment=ENVIRONMENT)
    done = weft("restore", tmp_path / "backup", "--data", restored.data, "--passphrase-file", passphrase)
    assert done.returncode == 0, done.stderr
    restored.start()
    orders = stored(restored)
    assert set(before) <= set(orders) <= set(shop.answered[:after + 1]) | {"SO-90000000"}
    assert len(orders) == len(set(orders))

    # The keys came along: the shop's own key is taken, and the first answer is repeated.
    again = post(restored, 90_000_000, key="the-first")
    assert again.status == 201 and again.headers["Idempotency-Replayed"] == "true"
    assert again.body == first.body
    assert post(restored, 90_000_001).status == 201
    assert restored.token == node.token


def test_a_changed_backup_is_named_and_not_restored(node, tmp_path):
    assert post(node, 1).status == 201
    node.cli("backup", str(tmp_path / "backup"), "--without-keys")
    wal = next((tmp_path / "backup/log/wal").iterdir())
    content = bytearray(wal.read_bytes())
    content[4096 + 40] ^= 1
    wal.write_bytes(content)

    verified = weft("backup", "verify", tmp_path / "backup")
    restored = weft("restore", tmp_path / "backup", "--data", tmp_path / "new", "--without-keys")

    assert verified.returncode == 1 and f"log/wal/{wal.name} was changed" in verified.stderr
    assert restored.returncode == 1 and not (tmp_path / "new").exists()


def test_keys_need_their_passphrase(node, passphrase, tmp_path):
    node.cli("backup", str(tmp_path / "backup"), "--passphrase-file", str(passphrase))
    (tmp_path / "other").write_text("another passphrase\n")

    without = weft("restore", tmp_path / "backup", "--data", tmp_path / "new")
    wrong = weft("restore", tmp_path / "backup", "--data", tmp_path / "new", "--passphrase-file", tmp_path / "other")

    assert without.returncode == 1 and "need its passphrase" in without.stderr
    assert wrong.returncode == 1 and "another passphrase" in wrong.stderr
    assert not (tmp_path / "new").exists() and not (tmp_path / "new.restoring").exists()
    for file in (tmp_path / "backup").rglob("*"):
        if file.is_file():
            assert node.token.encode() not in file.read_bytes(), file
            assert file.stat().st_mode & 0o077 == 0, file


def test_bad_requests_are_refused_with_what_to_do(node, passphrase, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("x")

    full = node.cli("backup", str(tmp_path / "full"), "--without-keys", check=False)
    undecided = node.cli("backup", str(tmp_path / "new"), check=False)
    relative = node.admin("POST", "/backups", json.dumps({"folder": "relative"}))
    short = node.admin("POST", "/backups", json.dumps({"folder": str(tmp_path / "short"), "passphrase": "short"}))
    nothing = weft("backup", "verify", tmp_path / "full")
    over = weft("restore", tmp_path / "full", "--data", tmp_path / "full", "--without-keys")

    assert full.returncode == 1 and "is not an empty folder" in full.stderr
    assert undecided.returncode == 1 and "--without-keys" in undecided.stderr
    assert relative.status == 400 and "absolute path" in relative.json()["message"]
    assert short.status == 400 and "at least 12 bytes" in short.json()["message"]
    assert nothing.returncode == 1 and "backup.json" in nothing.stderr
    assert over.returncode == 1 and "never writes over data" in over.stderr
    assert (tmp_path / "full/file").read_text() == "x"


def test_of_many_backups_at_once_into_one_folder_one_is_taken_and_whole(node, tmp_path):
    assert post(node, 1).status == 201
    request = json.dumps({"folder": str(tmp_path / "backup")})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: node.admin("POST", "/backups", request), range(8)))

    statuses = sorted(answer.status for answer in answers)
    assert statuses[0] == 201 and set(statuses[1:]) <= {400, 409}, statuses
    verified = weft("backup", "verify", tmp_path / "backup")
    assert verified.returncode == 0, verified.stderr


def test_of_two_restores_at_once_one_is_made_and_whole(node, weft_factory, tmp_path):
    for number in range(20):
        assert post(node, number).status == 201
    node.cli("backup", str(tmp_path / "backup"), "--without-keys")
    restored = weft_factory("restored", settings=SETTINGS, environment=ENVIRONMENT)
    words = ["restore", tmp_path / "backup", "--data", restored.data, "--without-keys"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: weft(*words), range(4)))

    assert sorted(answer.returncode for answer in answers) == [0, 1, 1, 1], [answer.stderr for answer in answers]
    for answer in answers:
        assert answer.returncode == 0 or "another restore runs" in answer.stderr or "is there already" in answer.stderr
    restored.start()
    assert len(stored(restored)) == 20


def test_a_restore_that_finds_no_space_leaves_nothing(node, tmp_path):
    assert post(node, 1).status == 201
    node.cli("backup", str(tmp_path / "backup"), "--without-keys")
    limit = 20_000  # bytes of a file, fewer than the state database has: writes fail as on a full disk

    failed = subprocess.run([str(BINARY), "restore", str(tmp_path / "backup"), "--data", str(tmp_path / "new"),
                             "--without-keys"], capture_output=True, text=True, timeout=60, restore_signals=False,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))

    assert failed.returncode == 1 and "cannot write" in failed.stderr, failed.stderr
    assert not (tmp_path / "new").exists() and not (tmp_path / "new.restoring").exists()


def test_a_backup_that_was_cut_off_or_is_something_else_is_named(node, tmp_path):
    assert post(node, 1).status == 201
    node.cli("backup", str(tmp_path / "backup"), "--without-keys")
    text = (tmp_path / "backup/backup.json").read_text()

    def said(content):
        (tmp_path / "backup/backup.json").write_text(content)
        restored = weft("restore", tmp_path / "backup", "--data", tmp_path / "new", "--without-keys")
        assert restored.returncode == 1 and not (tmp_path / "new").exists()
        return restored.stderr

    assert "is not the list of a backup" in said(text[:len(text) // 2])
    assert "is not the list of a backup" in said("[]")
    assert "has format 9" in said(text.replace('"format":1', '"format":9'))
    assert "without a proper name" in said(text.replace("log/MANIFEST", "../MANIFEST"))
    assert "bytes instead of 1" in said(re.sub(r'("name":"log/MANIFEST","bytes":)\d+', r"\g<1>1", text))
    assert "history" in said(text.replace('"format":1', '"format":1,"history":"../.."'))
    (tmp_path / "backup/backup.json").write_text(text)
    assert weft("restore", tmp_path / "backup", "--data", tmp_path / "new", "--without-keys").returncode == 0
