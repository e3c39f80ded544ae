"""A PostgreSQL server of Debian's package: a folder of its own, a free port of the loopback, ended by process id. A second one can
follow it as a streaming standby."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from weft_process import wait_until


def programs():
    """The folder of postgres and its tools: of the newest version that is installed, or the one that WEFT_POSTGRES_BIN names."""
    if named := os.environ.get("WEFT_POSTGRES_BIN"):
        return Path(named)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    assert found, "no PostgreSQL server: install Debian's package postgresql, or set WEFT_POSTGRES_BIN"
    return found[-1].parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgresServer:
    def __init__(self, follow=None, settings=()):
        self.folder = Path(tempfile.mkdtemp(prefix="weft-postgres-"))
        self.port = free_port()
        self.process = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.settings = [word for setting in settings for word in ("-c", setting)]
        if follow:
            self.run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "-d", follow.url)
        else:
            self.run("initdb", "-D", self.data, "-U", "weft", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    @property
    def data(self):
        return self.folder / "data"

    def words(self, program, *words):
        # The server refuses to run as root.
        user = ["--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        return ["setpriv", "--pdeathsig", "KILL", *user, str(programs() / program), *map(str, words)]

    def run(self, program, *words):
        return subprocess.run(self.words(program, *words), check=True, capture_output=True, text=True, timeout=60,
                              cwd=self.folder).stdout

    def start(self):
        command = self.words("postgres", "-D", self.data, "-p", self.port, "-c", "listen_addresses=127.0.0.1",
                             "-c", f"unix_socket_directories={self.folder}", *self.settings)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        ready = self.words("pg_isready", "-q", "-h", "127.0.0.1", "-p", self.port)
        wait_until(lambda: subprocess.run(ready).returncode == 0, 60, "PostgreSQL")
        return self

    def sql(self, text):
        return self.run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text, self.local_url).strip()

    def wait_for_standby(self):
        """From then on a commit waits for the standby, so that none is lost with this server."""
        wait_until(lambda: self.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1", 30, "the standby")
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.sql("SELECT pg_reload_conf()")
        wait_until(lambda: self.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1", 30, "its commits")

    def use_certificate(self, certificate, key):
        """For TLS; of a server that runs, sessions from then on have it."""
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copy(source, self.data / name)
            (self.data / name).chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(self.data / name, "postgres", "postgres")
        with open(self.data / "postgresql.conf", "a") as file:
            file.write("ssl = on\n")
        self.reload()

    def admit(self, rule):
        """The one rule of who may connect how over the network, in the words of pg_hba.conf; its owner may on the machine."""
        (self.data / "pg_hba.conf").write_text(f"local all all trust\n{rule}\n")
        self.reload()

    def reload(self):
        if self.process:
            self.run("pg_ctl", "reload", "-D", self.data)

    def promote(self):
        self.run("pg_ctl", "promote", "-w", "-D", self.data)

    def stop(self, how=signal.SIGINT):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)
        self.process = None

    def pause(self):
        """Stops every process of the server; its sockets stay open and say nothing."""
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)

    def go_on(self):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):  # a session that has just ended
                os.kill(pid, signal.SIGCONT)

    def processes(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    @contextlib.contextmanager
    def all_connections_taken(self, connections_max):
        """Idle sessions in all its places. Nobody else may be connected; who just left may hold a place for a moment more."""
        idle = []

        def take_one():
            session = subprocess.Popen([str(programs() / "psql"), "-X", "-q", "-A", "-t", self.url], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            idle.append(session)
            with contextlib.suppress(BrokenPipeError):
                session.stdin.write(b"SELECT 'in';\n")
                session.stdin.flush()
            if session.stdout.readline() != b"in\n":
                session.wait(10)
            return sum(one.poll() is None for one in idle) == connections_max

        try:
            wait_until(take_one, 30, "a full connection table")
            yield
        finally:
            for session in idle:
                session.kill()
                session.wait()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.go_on()
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def local_url(self):
        return f"postgresql:///postgres?host={self.folder}&port={self.port}&user=weft"

    @property
    def url(self):
        return f"postgresql://weft@127.0.0.1:{self.port}/postgres"
