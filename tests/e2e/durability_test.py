"""Acknowledged means synced, shown by the system calls of the real binary: between the write of an event into the
write-ahead log and the answer to whoever sent it, that file was synced."""
import json
import re
import shutil
import subprocess
import threading
import uuid

import pytest
import system_calls
from order_flow_test import EXAMPLE, SHOP_KEY, WEBHOOK_SECRET, STREAM, post_order
from weft_process import Weft, wait_until

ENVIRONMENT = {"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": "http://127.0.0.1:9/hooks"}
OPAQUE = """
apiVersion: weft/v1
kind: Stream
metadata: {name: durable.test.sent.v1, owner: tests}
spec: {opaque: true, partitions: 1}
"""


class TracedWeft(Weft):
    """The real binary, each of its threads watched from its first call on."""

    preload = None

    @property
    def trace_file(self):
        return self.folder / "strace.txt"

    @property
    def wal_folder(self):
        return self.data / "log"

    def command(self):
        preload = ["-E", f"LD_PRELOAD={self.preload}"] if self.preload else []
        return [*system_calls.command(self.trace_file), *preload, *super().command()]

    def calls(self):
        """Ends the process and returns what it did."""
        process = self.process.pid
        self.stop()
        # strace pads a process id to five places.
        last = re.compile(rf"^{process} +\+\+\+ exited with", re.MULTILINE)

        def text():
            shown = self.trace_file.read_text(errors="replace")
            return shown if last.search(shown) else None

        return system_calls.parse(wait_until(text, what="the end of the trace").splitlines())


@pytest.fixture
def traced(tmp_path):
    assert shutil.which("strace"), "strace is not installed"
    started = []

    def start(preload=None):
        weft = TracedWeft(tmp_path, estate=tmp_path / "estate", environment=ENVIRONMENT,
                          settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s", "log.walFileBytes=1MiB"])
        weft.preload = preload
        shutil.copytree(EXAMPLE / "estate", weft.estate)
        (weft.estate / "durable.yaml").write_text(OPAQUE)
        started.append(weft)
        return weft.start()

    yield start
    for weft in started:
        if weft.process and weft.process.poll() is None:
            weft.kill()


def order(number):
    made = json.loads((EXAMPLE / "order.json").read_text())
    made["orderId"] = number
    return json.dumps(made)


def order_number():
    return f"SO-{uuid.uuid4().int % 10**8:08}"


def produce(weft, marker, acks="all"):
    result = subprocess.run(["kcat", "-b", weft.kafka, "-P", "-t", "durable.test.sent.v1", "-X", f"acks={acks}"],
                            input=marker + "\n", text=True, capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr


def test_an_order_is_answered_after_the_sync_of_its_event(traced):
    weft = traced()
    number = order_number()
    answer = post_order(weft, "key-1", order(number))
    assert answer.status == 201

    proof = system_calls.show_durable(weft.calls(), number, weft.wal_folder, "HTTP/1.1 201")

    assert proof.write.end < proof.sync.begin <= proof.sync.end < proof.answer.begin
    # The answer to the key is in the same write as the event: after a crash there are both, or neither.
    event_id = answer.json()["eventId"]
    assert event_id in proof.answer.text
    assert proof.write.text.count(event_id) == 2


def test_each_order_of_a_group_is_answered_after_the_sync_that_it_shares(traced):
    weft = traced()
    numbers = list({order_number() for _ in range(48)})
    statuses = []

    def post(some):
        for number in some:
            statuses.append(post_order(weft, number, order(number)).status)

    threads = [threading.Thread(target=post, args=(numbers[i::8],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * len(numbers)

    calls = weft.calls()

    proofs = [system_calls.show_durable(calls, number, weft.wal_folder, "HTTP/1.1 201") for number in numbers]
    assert len({proof.sync.begin for proof in proofs}) < len(proofs), "no two orders shared a sync"


def test_a_kafka_record_is_acknowledged_after_the_sync_of_its_batch(traced):
    weft = traced()
    marker = f"record-{uuid.uuid4().hex}"
    produce(weft, marker)

    proof = system_calls.show_durable(weft.calls(), marker, weft.wal_folder)

    assert proof.write.end < proof.sync.begin <= proof.sync.end < proof.answer.begin


SWALLOWS_SYNCS = "int fdatasync(int fd) { (void)fd; return 0; }\nint fsync(int fd) { (void)fd; return 0; }\n"


def test_a_binary_that_does_not_sync_is_found_out(traced, tmp_path):
    source, library = tmp_path / "swallow.c", tmp_path / "swallow.so"
    source.write_text(SWALLOWS_SYNCS)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    weft = traced(preload=library)
    number, marker = order_number(), f"record-{uuid.uuid4().hex}"
    assert post_order(weft, "key-1", order(number)).status == 201
    produce(weft, marker)

    calls = weft.calls()

    for told in (number, marker):
        with pytest.raises(system_calls.NotDurable, match="no sync of that file"):
            system_calls.show_durable(calls, told, weft.wal_folder)


def trace(*lines):
    return system_calls.parse(lines)


RECEIVED = '7 recvmsg(9<TCP:[127.0.0.1:8000->127.0.0.1:5000]>, {msg_iov=[{iov_base="mark", iov_len=64}]}, 0) = 4'
WRITTEN = '8 pwritev(5</d/log/1.wal>, [{iov_base="mark", iov_len=4}], 1, 4096) = 4'
SYNCED = '8 fdatasync(5</d/log/1.wal>) = 0'
ANSWERED = '7 sendmsg(9<TCP:[127.0.0.1:8000->127.0.0.1:5000]>, {msg_iov=[{iov_base="ok", iov_len=2}]}, 0) = 2'


def test_the_order_of_the_calls_is_what_counts():
    good = system_calls.show_durable(trace(RECEIVED, WRITTEN, SYNCED, ANSWERED), "mark", "/d/log")
    assert good.write.offset == 4096 and good.sync.descriptor == 5

    begun, ended = "8 fdatasync(5</d/log/1.wal> <unfinished ...>", "8 <... fdatasync resumed>) = 0"
    for calls in [
        (RECEIVED, SYNCED, WRITTEN, ANSWERED),                      # synced before the write
        (RECEIVED, WRITTEN, ANSWERED, SYNCED),                      # answered before the sync
        (RECEIVED, WRITTEN, begun, ANSWERED, ended),                # answered while the sync ran
        (RECEIVED, WRITTEN, SYNCED.replace("5<", "6<").replace("1.wal", "2.wal"), ANSWERED),  # another file
        (RECEIVED, WRITTEN, SYNCED.replace("= 0", "= -1 EIO (Input/output error)"), ANSWERED),
        (RECEIVED, ANSWERED, WRITTEN, SYNCED),                      # not even written
    ]:
        with pytest.raises(system_calls.NotDurable):
            system_calls.show_durable(trace(*calls), "mark", "/d/log")
    system_calls.show_durable(trace(RECEIVED, WRITTEN, begun, ended, ANSWERED), "mark", "/d/log")
