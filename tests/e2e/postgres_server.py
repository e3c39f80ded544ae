"""A PostgreSQL server of Debian's package: a folder of its own, a free port of the loopback, ended by process id."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from weft_process import wait_until

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgresServer:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="weft-postgres-"))
        self.port = free_port()
        self.process = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.run("initdb", "-D", self.folder / "data", "-U", "weft", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    def words(self, program, *words):
        # The server refuses to run as root.
        user = ["--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        return ["setpriv", "--pdeathsig", "KILL", *user, str(PROGRAMS / program), *map(str, words)]

    def run(self, program, *words):
        return subprocess.run(self.words(program, *words), check=True, capture_output=True, text=True, timeout=60,
                              cwd=self.folder).stdout

    def start(self):
        command = self.words("postgres", "-D", self.folder / "data", "-p", self.port, "-c", "listen_addresses=127.0.0.1",
                             "-c", f"unix_socket_directories={self.folder}")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        ready = self.words("pg_isready", "-q", "-h", "127.0.0.1", "-p", self.port)
        wait_until(lambda: subprocess.run(ready).returncode == 0, 60, "PostgreSQL")
        return self

    def stop(self, how=signal.SIGINT):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)
        self.process = None

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"postgresql://weft@127.0.0.1:{self.port}/postgres"
