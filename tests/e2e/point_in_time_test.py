"""A backup and the archive, restored to a moment: what was answered before it is there, what was sent after it is not,
also when the node was killed; gaps, foreign and damaged archives are named."""
import json
import subprocess
import threading
import time
from datetime import datetime, timezone

import pytest
from backup_test import ENVIRONMENT, post, stored, weft
from order_flow_test import EXAMPLE, STREAM
from weft_process import call, wait_until

# Small files, so that a test seals many of them.
SETTINGS = ["egress.allow=127.0.0.0/8", "kafka.anonymous=true", "log.walFileBytes=256KiB", "backup.archiveStateInterval=200ms"]


def rfc3339(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Shop:
    """Posts orders until it is told to stop; knows when each was sent and when it was answered."""

    def __init__(self, node, first):
        self.node, self.orders, self.stopping = node, [], False
        self.thread = threading.Thread(target=self.run, args=(first,), daemon=True)
        self.thread.start()

    def run(self, first):
        number = first
        while not self.stopping:
            sent = time.time()
            try:
                answered = post(self.node, number).status == 201
            except OSError:  # the node was killed
                answered = False
            self.orders.append((f"SO-{number:08d}", sent, time.time() if answered else None))
            number += 1

    def stop(self):
        self.stopping = True
        self.thread.join(30)


class Archived:
    """A node with an archive, a backup of it taken under load, and more load after it."""

    def __init__(self, weft_factory, folder):
        self.folder = folder
        self.archive = folder / "archive"
        self.backup = folder / "backup"
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text("correct horse battery staple\n")
        self.node = weft_factory(estate=EXAMPLE / "estate", environment=ENVIRONMENT,
                                 settings=[*SETTINGS, f"backup.archive={self.archive}"]).start()
        self.shops = [Shop(self.node, first) for first in (10_000_000, 20_000_000, 30_000_000)]
        self.wait_for_files(1)
        self.node.cli("backup", str(self.backup), "--passphrase-file", str(self.passphrase))

    @property
    def history(self):
        return self.archive / (self.node.data / "history").read_text().strip()

    def notes(self):
        return [json.loads(note.read_text()) for note in sorted((self.history / "wal").glob("*.json"))]

    def wait_for_files(self, more):
        def count():
            return len(list(self.archive.glob("*/wal/*.json")))
        wanted = count() + more
        wait_until(lambda: count() >= wanted, 60, f"{wanted} archived files")

    def wait_for_file_after(self, moment):
        wait_until(lambda: any(note.get("lastTime", "") > rfc3339(moment) for note in self.notes()), 60,
                   "an archived file behind the moment")

    def state_is_newer_than(self, moment):
        notes = sorted(self.history.glob("state/*.json"))
        return notes and json.loads(notes[-1].read_text())["takenAt"] > rfc3339(moment)

    def stop(self):
        for shop in self.shops:
            shop.stop()

    def orders(self):
        return [order for shop in self.shops for order in shop.orders]

    def restore(self, to, data):
        return weft("restore", self.backup, "--archive", self.archive, "--to", to, "--data", data,
                    "--passphrase-file", self.passphrase, "-o", "json")


@pytest.fixture
def archived(weft_factory, tmp_path):
    made = Archived(weft_factory, tmp_path)
    yield made
    made.stop()


def read_with_kcat(node):
    out = subprocess.run(["kcat", "-b", node.kafka, "-C", "-t", STREAM, "-o", "beginning", "-e", "-q", "-f", "%s\\n"],
                         text=True, capture_output=True, timeout=60, check=True).stdout
    return [json.loads(line)["orderId"] for line in out.splitlines()]


def test_what_was_answered_before_the_moment_is_there_and_what_was_sent_after_it_is_not(archived, weft_factory):
    node = archived.node
    node.cli("client", "key", "create", "analyst", "--note", "made before")
    made = time.time()
    wait_until(lambda: archived.state_is_newer_than(made), 30, "a copy of the state with the key")
    archived.wait_for_files(1)
    moment = time.time()
    wait_until(lambda: time.time() > moment + 0.01, 5)
    node.cli("client", "key", "create", "analyst", "--note", "made after")
    archived.wait_for_file_after(moment)
    archived.wait_for_files(2)
    node.kill()
    archived.stop()

    restored = weft_factory("restored", settings=SETTINGS, environment=ENVIRONMENT)
    done = archived.restore(rfc3339(moment), restored.data)
    assert done.returncode == 0, done.stderr
    cut = json.loads(done.stdout)["restored"]
    assert cut["lastCommit"] <= rfc3339(moment) and cut["stateTakenAt"] <= rfc3339(moment)
    restored.start()
    found = stored(restored)

    # The moment has milliseconds; so has the comparison.
    before = {order for order, _, answered in archived.orders() if answered and answered < moment - 0.001}
    after = {order for order, sent, _ in archived.orders() if sent > moment + 0.001}
    assert len(before) > 50 and len(after) > 20
    assert before <= set(found)
    assert not after & set(found)
    assert len(found) == len(set(found))
    assert sorted(read_with_kcat(restored)) == sorted(found)
    keys = restored.cli("client", "list", "-o", "json").stdout
    assert "made before" in keys and "made after" not in keys
    assert post(restored, 1).status == 201

    # To the position that was told, and to the end: the same cut, and more than it.
    again = archived.restore(str(cut["position"]), archived.folder / "again")
    assert json.loads(again.stdout)["restored"]["position"] == cut["position"], again.stderr
    whole = archived.restore("end", archived.folder / "whole")
    assert json.loads(whole.stdout)["restored"]["position"] > cut["position"], whole.stderr


def test_what_cannot_be_restored_is_named(archived):
    node = archived.node
    archived.wait_for_files(4)
    moment = time.time()
    archived.wait_for_file_after(moment)
    node.kill()
    archived.stop()
    notes = archived.notes()
    taken = json.loads((archived.backup / "backup.json").read_text())["takenAt"]

    checked = weft("backup", "verify", archived.backup, "--archive", archived.archive, "-o", "json")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["archive"]["reaches"] == max(note["lastTime"] for note in notes)

    data = archived.folder / "new"
    early = archived.restore("2020-01-01T00:00:00Z", data)
    assert early.returncode == 1 and f"was taken at {taken}" in early.stderr
    late = archived.restore("2099-01-01T00:00:00Z", data)
    assert late.returncode == 1 and "--to end" in late.stderr
    nonsense = archived.restore("yesterday", data)
    assert nonsense.returncode == 1 and "neither a time" in nonsense.stderr
    alone = weft("restore", archived.backup, "--to", "end", "--data", data, "--without-keys")
    assert alone.returncode == 1 and "go together" in alone.stderr
    (archived.folder / "foreign").mkdir()
    foreign = weft("restore", archived.backup, "--to", "end", "--archive", archived.folder / "foreign", "--data", data,
                   "--without-keys")
    assert foreign.returncode == 1 and "holds nothing of history" in foreign.stderr

    behind = [note for note in notes if note["firstTime"] > taken]
    damaged, missing = behind[0], behind[1]
    file = archived.history / "wal" / f"{damaged['sequence']:016x}.wal"
    whole = file.read_bytes()
    file.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    changed = archived.restore("end", data)
    assert changed.returncode == 1 and f"{file.name} was changed" in changed.stderr
    seen = weft("backup", "verify", archived.backup, "--archive", archived.archive)
    assert seen.returncode == 1 and f"{file.name}: it was changed" in seen.stderr
    file.write_bytes(whole[:9000])
    cut_off = archived.restore("end", data)
    assert cut_off.returncode == 1 and file.name in cut_off.stderr
    file.write_bytes(whole)
    (archived.history / "wal" / f"{missing['sequence']:016x}.json").unlink()
    gap = archived.restore("end", data)
    assert gap.returncode == 1 and f"lacks {missing['sequence']:016x}.wal" in gap.stderr
    assert not data.exists() and not (archived.folder / "new.restoring").exists()
    before_gap = archived.restore(damaged["firstTime"], data)
    assert before_gap.returncode == 0, before_gap.stderr


def test_a_node_goes_on_while_the_archive_takes_nothing_and_catches_up(archived):
    node = archived.node
    # A file where the folder was: nothing can be made in it, whoever runs the node.
    archived.archive.rename(archived.folder / "away")
    archived.archive.write_text("no folder")
    wait_until(lambda: node.metric("weft_log_archive_failures_total") > 0, 60, "a failed attempt")
    answered = len([order for order in archived.orders() if order[2]])
    wait_until(lambda: len([order for order in archived.orders() if order[2]]) > answered + 20, 30, "orders meanwhile")
    ready = call("GET", node.node["ops"] + "/readyz")
    assert ready.status == 200 and b"archive: takes nothing since" in ready.body
    health = node.admin("GET", "/health").json()
    assert {"archive": check["status"] for check in health["checks"] if check["name"] == "archive"} == {"archive": "warn"}
    assert "a write-ahead file cannot be archived" in node.log_text()

    archived.archive.unlink()
    (archived.folder / "away").rename(archived.archive)
    wait_until(lambda: node.metric("weft_log_archive_waiting_bytes") == 0, 60, "the backlog to be taken")
    archived.stop()
    node.stop()
    sequences = [note["sequence"] for note in archived.notes()]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
