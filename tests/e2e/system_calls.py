"""What strace saw, as calls with a begin and an end in the order in which the kernel was asked.

strace holds a thread at the begin and at the end of each call until it has written it down. So if the end of one
call stands before the begin of another, the first was over before the second began, on whatever threads.
"""
import re
from dataclasses import dataclass, field

TRACED = "read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,pwritev2,fdatasync,fsync"
READS = {"read", "readv", "recvfrom", "recvmsg"}
SENDS = {"write", "writev", "sendto", "sendmsg"}
FILE_WRITES = {"pwrite64", "pwritev", "pwritev2"}
SYNCS = {"fdatasync", "fsync"}

LINE = re.compile(r"^(?P<thread>\d+) +(?P<rest>.*)$")
RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")
BEGUN = re.compile(r"^(?P<name>\w+)\((?P<descriptor>\d+)<(?P<target>[^>]*?(?:->[^>]*?)?)>(?P<rest>.*)$")
RESULT = re.compile(r"\) += (?P<result>-?\d+)[^=]*$")
OFFSET = re.compile(r", (?P<offset>\d+)(?:, RWF_[A-Z_|]+)? *\) += -?\d+[^=]*$")


def command(trace_file):
    """Before the words that start the program: it stays our child, strace becomes its companion."""
    return ["strace", "-D", "-f", "-y", "-yy", "-q", "-s", "65536", "-e", f"trace={TRACED}", "-o", str(trace_file)]


@dataclass
class Call:
    name: str
    descriptor: int
    target: str  # the file's path, or the socket's two ends
    begin: int
    end: int | None = None
    text: str = ""  # the arguments as strace shows them: strings in C notation
    result: int | None = None
    offset: int | None = None  # of a write into a file

    @property
    def has_succeeded(self):
        return self.end is not None and self.result is not None and self.result >= 0


def parse(lines):
    """All traced calls on descriptors, in the order of their begin."""
    calls, open_calls = [], {}

    def finish(call, at, rest):
        call.text += rest
        call.end = at
        result = RESULT.search(rest)
        call.result = int(result["result"]) if result else None
        if call.name in FILE_WRITES and (offset := OFFSET.search(call.text)):
            call.offset = int(offset["offset"])

    for at, line in enumerate(lines):
        matched = LINE.match(line)
        if not matched:
            continue
        thread, rest = matched["thread"], matched["rest"]
        if resumed := RESUMED.match(rest):
            if call := open_calls.pop(thread, None):
                assert call.name == resumed["name"], line[:200]
                finish(call, at, resumed["rest"])
            continue
        begun = BEGUN.match(rest)
        if not begun:
            continue
        call = Call(begun["name"], int(begun["descriptor"]), begun["target"], at)
        calls.append(call)
        if rest.endswith("<unfinished ...>"):
            call.text = begun["rest"].removesuffix("<unfinished ...>")
            open_calls[thread] = call
        else:
            finish(call, at, begun["rest"])
    return calls


class NotDurable(AssertionError):
    """An answer went out before what it acknowledges was on the medium."""


@dataclass
class Proof:
    """The three calls that show it."""
    write: Call
    sync: Call
    answer: Call
    others: list = field(default_factory=list)


def show_durable(calls, marker, wal_folder, answer_start=None):
    """The marker came in on a socket; it was written into a WAL file; that file was synced; only then did the answer
    leave by the same socket. `answer_start`: what the answer holds, where other bytes may leave first."""
    request = next((call for call in calls if call.name in READS and call.has_succeeded and marker in call.text
                    and "TCP" in call.target), None)
    assert request, f"no socket received {marker}"
    answer = next((call for call in calls if call.begin > request.end and call.name in SENDS
                   and (call.descriptor, call.target) == (request.descriptor, request.target)
                   and (answer_start is None or answer_start in call.text)), None)
    assert answer, f"nothing was answered to {marker}"
    writes = [call for call in calls if call.name in FILE_WRITES and call.target.startswith(str(wal_folder))
              and marker in call.text]
    if not writes or writes[0].end is None or writes[0].end > answer.begin:
        raise NotDurable(f"{marker} was answered before it was written into {wal_folder}")
    write = writes[0]
    assert write.has_succeeded and write.offset is not None, write
    sync = next((call for call in calls if call.name in SYNCS and call.begin > write.end
                 and (call.descriptor, call.target) == (write.descriptor, write.target)), None)
    if sync is None or not (sync.result == 0 and sync.end is not None and sync.end < answer.begin):
        raise NotDurable(f"{marker} was written to {write.target} at {write.offset} and answered on {answer.target} "
                         "with no sync of that file between the two")
    return Proof(write, sync, answer)
