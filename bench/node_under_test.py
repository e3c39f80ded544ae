"""What the benches of the real binary share: a `weft serve` process of its own in a temporary folder on free
ports, its CPU from /proc, its metrics, and the lines that are printed. Everything started here ends by process id."""
import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BINARY = Path(os.environ.get("WEFT_BINARY", ROOT / "build/release/weft"))
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS_MAX = 20


# A bench that is told to end ends what it started first.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def emit(line):
    print(json.dumps(line, ensure_ascii=False), flush=True)


def spread(values):
    values = list(values)
    return {"median": round(statistics.median(values), 3), "least": round(min(values), 3), "most": round(max(values), 3)}


def bar(text, measured, met):
    """A bar beside what was measured; the caller judges by the median."""
    return {"bar": text, "measured": round(measured, 3), "met": bool(met)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def bench_folder(name):
    """A folder on the disk that data would be on: WEFT_BENCH_FOLDER, else the system's temporary folder."""
    return tempfile.TemporaryDirectory(prefix=f"weft-{name}-", dir=os.environ.get("WEFT_BENCH_FOLDER"))


def wait_until(condition, seconds, what):
    """Polls, because what is waited for is on the other side of a process boundary."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not come true within {seconds} s")
        time.sleep(0.01)


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_of(pid):
    """User and system seconds of all threads, ended ones too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) / TICKS, int(fields[12]) / TICKS


def cpu_of_family(pid):
    total = sum(cpu_of(pid))
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            total += cpu_of_family(int(child))
    return total


def thread_seconds(pid):
    """CPU seconds by thread, named; threads of one name get their number."""
    seconds = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            name = (task / "comm").read_text().strip() + "/" + task.name
            seconds[name] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return seconds


def busy_seconds():
    user, nice, system, _idle, _iowait, irq, softirq, _steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq) / TICKS


def resident_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


class Usage:
    """CPU of one process between two moments, and what the rest of the machine used meanwhile."""

    def __init__(self, pid):
        self.pid = pid
        self.begin()

    def begin(self):
        self.cpu, self.threads = cpu_of(self.pid), thread_seconds(self.pid)
        self.busy, self.children, self.wall = busy_seconds(), os.times(), time.monotonic()

    def end(self):
        user, system = (after - before for after, before in zip(cpu_of(self.pid), self.cpu))
        after = os.times()
        load = (after.children_user + after.children_system) - (self.children.children_user + self.children.children_system)
        wall = time.monotonic() - self.wall
        foreign = busy_seconds() - self.busy - user - system - load
        now = thread_seconds(self.pid)
        threads = {name: now[name] - self.threads.get(name, 0) for name in now}
        return {"user": user, "system": system, "wall": wall, "threads": threads,
                "other_cores": round(max(0.0, foreign) / wall, 2)}


class Node:
    """`weft serve` as a service starts it."""

    def __init__(self, folder, estate=None, settings=(), environment=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        words = [str(BINARY), "serve", "--data", str(self.data), "--ports", "auto"]
        if estate:
            words += ["--estate", str(estate)]
        for setting in settings:
            words += ["--set", setting]
        self.command = words
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def start(self):
        (self.data / "node.json").unlink(missing_ok=True)
        with open(self.folder / "weft.log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment, cwd=self.folder)
        wait_until(self._is_ready, START_SECONDS_MAX, "readiness of the node")
        return self

    def _is_ready(self):
        if self.process.poll() is not None:
            log = (self.folder / "weft.log").read_text(errors="replace")
            sys.exit(f"weft ended with {self.process.returncode}:\n{log[-3000:]}")
        try:
            self.addresses = json.loads((self.data / "node.json").read_text())
            return self.call("GET", self.addresses["ops"] + "/readyz")[0] == 200
        except (OSError, ValueError, KeyError):
            return False

    def stop(self):
        if self.process:
            end(self.process)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    @staticmethod
    def call(method, url, body=None, headers=None):
        request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read()

    def metrics(self):
        """Sum over the labels of each metric."""
        sums = {}
        for line in self.call("GET", self.addresses["ops"] + "/metrics")[1].decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                name = name.split("{", 1)[0]
                sums[name] = sums.get(name, 0.0) + float(value)
        return sums
