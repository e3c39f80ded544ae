"""NATS JetStream as a peer: one server with one file stream, loaded by its own client, `nats bench js`.

Both are built of published Go modules, once, under build/interop/nats; without Go, or without the modules, there is no
such peer, and missing() says why.
"""
import csv
import os
import shutil
import subprocess
from pathlib import Path

from node_under_test import ROOT, Usage, end, free_port, wait_until

SERVER = "github.com/nats-io/nats-server/v2@v2.15.2"
CLIENT = "github.com/nats-io/natscli/nats@v0.5.1"
FOLDER = ROOT / "build/interop/nats"
SETTINGS = """listen: 127.0.0.1:{port}
jetstream {{ store_dir: "{folder}/data", sync_interval: {sync} }}
"""
STREAM_BYTES_MAX = "8GB"


def missing():
    """Why there is no such peer; None when there is one."""
    if (FOLDER / "nats").exists() and (FOLDER / "nats-server").exists():
        return None
    if shutil.which("go") is None:
        return "NATS: go is not installed"
    for module in (SERVER, CLIENT):
        done = subprocess.run(["go", "install", module], capture_output=True, text=True, env={**os.environ, "GOBIN": str(FOLDER)},
                              timeout=1800)
        if done.returncode != 0:
            return f"NATS: go install {module}: {(done.stderr.strip().splitlines() or ['no word'])[-1][:200]}"
    return None


class Nats:
    """`sync` is how often files are synced: always, before a publish is acknowledged, or a time."""

    def __init__(self, folder, sync):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.port = free_port()
        self.settings = self.folder / "nats.conf"
        self.settings.write_text(SETTINGS.format(port=self.port, folder=folder, sync=sync))
        self.rates = {}

    def __enter__(self):
        with open(self.folder / "nats.log", "wb") as log:
            self.process = subprocess.Popen([FOLDER / "nats-server", "-c", str(self.settings)], stdout=log, stderr=log, cwd=self.folder)
        wait_until(lambda: b"Server is ready" in (self.folder / "nats.log").read_bytes(), 20, "the start of NATS")
        return self

    def __exit__(self, *_):
        end(self.process)

    @property
    def pid(self):
        return self.process.pid

    def publish(self, case, size, clients, outstanding, seconds):
        """Publishes for about so long; how long that takes is learned from the run before."""
        count = int(self.rates.get(case, 2000) * seconds)
        if case not in self.rates:
            self.rates[case] = self._publish(case, size, clients, outstanding, count)["records_per_second"]
            count = int(self.rates[case] * seconds)
        line = self._publish(case, size, clients, outstanding, count)
        self.rates[case] = line["records_per_second"]
        return line

    def _publish(self, case, size, clients, outstanding, count):
        stream = "bench-" + "".join(letter if letter.isalnum() else "-" for letter in case)
        table = self.folder / "run.csv"
        usage = Usage(self.pid)
        done = subprocess.run([FOLDER / "nats", "-s", f"nats://127.0.0.1:{self.port}", "bench", "js", "pub", "async", f"{stream}.x", "--stream",
                               stream, "--create", "--storage", "file", "--maxbytes", STREAM_BYTES_MAX, "--size", str(size), "--clients",
                               str(clients), "--batch", str(outstanding), "--msgs", str(count), "--purge", "--no-progress", "--csv", str(table)],
                              capture_output=True, text=True, env={**os.environ, "HOME": str(self.folder)}, timeout=300)
        if done.returncode != 0:
            raise SystemExit(f"nats bench: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        spent = usage.end()
        with open(table, newline="") as rows:
            rate = sum(float(row["MsgsPerSec"]) for row in csv.DictReader(rows))
        return {"other_cores": spent["other_cores"], "records_per_second": round(rate), "mb_per_second": round(rate * size / 1e6, 1),
                "cpu_us": round((spent["user"] + spent["system"]) * 1e6 / count, 2)}
