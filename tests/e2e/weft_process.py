"""The real binary as a user starts it: free ports, a data folder of its own, ended by process id."""
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("WEFT_BINARY", ROOT / "build/release/weft"))
START_SECONDS_MAX = 20


class Answer:
    """What an HTTP call answered, whatever its status."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


def call(method, url, body=None, headers=None, timeout=20):
    if isinstance(body, str):
        body = body.encode()
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def wait_until(condition, seconds=15, what="the condition"):
    """Polls, because what is waited for is on the other side of a process boundary."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


class Weft:
    def __init__(self, folder, estate=None, settings=(), environment=None):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.estate = estate
        self.settings = list(settings)
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def command(self):
        words = [str(BINARY), "serve", "--data", str(self.data), "--ports", "auto"]
        if self.estate:
            words += ["--estate", str(self.estate)]
        for setting in self.settings:
            words += ["--set", setting]
        return words

    def start(self):
        (self.data / "node.json").unlink(missing_ok=True)
        self.log = open(self.folder / "weft.log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, env=self.environment,
                                        cwd=self.folder)
        wait_until(self._is_ready, START_SECONDS_MAX, "ready")
        return self

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"weft ended with {self.process.returncode}:\n{self.log_text()[-3000:]}")
        try:
            self.node = json.loads((self.data / "node.json").read_text())
            return call("GET", self.node["ops"] + "/readyz").status == 200
        except (OSError, ValueError, KeyError):
            return False

    def log_text(self):
        return (self.folder / "weft.log").read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        """Ends the process and returns its exit status."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("weft did not end within 30 s of its signal")
        self.log.close()
        return self.process.returncode

    def kill(self):
        return self.stop(signal.SIGKILL)

    @property
    def token(self):
        return (self.data / "admin-token").read_text().strip()

    @property
    def gateway(self):
        return self.node["gateway"]

    @property
    def kafka(self):
        return self.node["kafka"]

    def admin(self, method, path, body=None, content_type="application/json"):
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = content_type
        return call(method, f"{self.node['admin']}/api/v1{path}", body, headers)

    def cli(self, *words, check=True):
        result = subprocess.run([str(BINARY), *words, "--data", str(self.data)], text=True, capture_output=True,
                                timeout=60, cwd=self.folder, env=self.environment)
        if check:
            assert result.returncode == 0, f"weft {' '.join(words)}: {result.stderr}{result.stdout}"
        return result

    def metric(self, name):
        """The sum of a metric over its labels."""
        total = 0.0
        for line in call("GET", self.node["ops"] + "/metrics").body.decode().splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                total += float(line.rsplit(" ", 1)[1])
        return total


class OnFixedPorts(Weft):
    """A node whose ports are chosen by its settings, as those of a user are."""

    def command(self):
        words = super().command()
        at = words.index("--ports")
        return words[:at] + words[at + 2:]
