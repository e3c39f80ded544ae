import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from postgres_server import PostgresServer  # noqa: E402
from weft_process import ROOT, Weft, call, wait_until  # noqa: E402

EXAMPLE = ROOT / "examples/orders"


@pytest.fixture
def weft_factory(tmp_path):
    """Starts nodes and ends those that still run."""
    started = []

    def make(name="node", **options):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        weft = Weft(folder, **options)
        started.append(weft)
        return weft

    yield make
    for weft in started:
        if weft.process and weft.process.poll() is None:
            weft.kill()


@pytest.fixture
def postgres():
    server = PostgresServer().start()
    yield server
    server.remove()


class Service:
    """A demo service in a process of its own; prints its address as its first line."""

    def __init__(self, command, environment, folder):
        self.process = subprocess.Popen(command, env={**os.environ, **environment}, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder)
        self.first_line = self.process.stdout.readline().strip()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def services(tmp_path):
    running = []

    def start(command, environment=None):
        service = Service(command, environment or {}, tmp_path)
        running.append(service)
        return service

    yield start
    for service in running:
        service.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
