"""Parts from other registries, brought at run time under build/interop and never committed."""
import functools
import os
import shutil
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

from run import NotRun
from weft_process import ROOT, call

FOLDER = ROOT / "build/interop"
NODE_FOLDER = ROOT / "tests"
PYTHON_PACKAGES = ["kafka-python[lz4,snappy,zstd]", "confluent-kafka", "opentelemetry-proto", "pytest"]


def fetch(words, what, seconds=300, **options):
    """Runs a registry's client; what it cannot bring is a check that is not run."""
    if shutil.which(words[0]) is None:
        raise NotRun(f"{words[0]} is not installed")
    try:
        result = subprocess.run(words, capture_output=True, text=True, timeout=seconds, **options)
    except subprocess.TimeoutExpired:
        raise NotRun(f"{what}: no answer within {seconds} s") from None
    if result.returncode != 0:
        lines = (result.stderr.strip() or result.stdout.strip() or "no word").splitlines()
        said = next((line for line in lines if "error" in line.lower()), lines[-1])
        raise NotRun(f"{what}: {said[:300]}")
    return result.stdout


def once(bring):
    """Asks a registry once, also when it has nothing to give."""
    kept = []

    @functools.wraps(bring)
    def brought():
        if not kept:
            try:
                kept.append(bring())
            except NotRun as error:
                kept.append(error)
        if isinstance(kept[0], NotRun):
            raise kept[0]
        return kept[0]

    return brought


@once
def environment():
    """A Python environment of our own; returns its interpreter."""
    interpreter = FOLDER / "python/bin/python"
    if not interpreter.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        fetch([sys.executable, "-m", "venv", str(FOLDER / "python")], "python3 -m venv")
    return interpreter


@once
def python():
    """The same with the current clients from PyPI."""
    fetch([str(environment()), "-m", "pip", "install", "--quiet", "--upgrade", *PYTHON_PACKAGES], "pip install")
    return environment()


def version_in(interpreter, package):
    return fetch([str(interpreter), "-c", f"import importlib.metadata as m; print(m.version({package!r}))"], package).strip()


def version(package):
    return version_in(python(), package)


@once
def node():
    """The npm packages of tests/package-lock.json; returns the folder that has them in node_modules."""
    if not all((NODE_FOLDER / "node_modules" / name).exists() for name in ("kafkajs", "standardwebhooks")):
        fetch(["npm", "ci", "--no-audit", "--no-fund"], "npm ci", cwd=NODE_FOLDER)
    return NODE_FOLDER


@once
def json_schema_suite():
    """The published JSON-Schema-Test-Suite as PyPI's source package of `jsonschema` carries it; returns its folder."""
    target = FOLDER / "json-schema-test-suite"
    if not (target / "tests/draft2020-12").is_dir():
        downloads = FOLDER / "downloads"
        fetch([str(environment()), "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary",
               "jsonschema", "--dest", str(downloads), "jsonschema"], "pip download jsonschema")
        archive = max(downloads.glob("jsonschema-*.tar.gz"), key=os.path.getmtime)
        with tarfile.open(archive) as source:
            for member in source.getmembers():
                parts = member.name.split("/")
                if len(parts) > 3 and parts[1] == "json" and parts[2] in ("tests", "remotes") and member.isfile():
                    assert ".." not in parts
                    file = target.joinpath(*parts[2:])
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(source.extractfile(member).read())
        if not (target / "tests/draft2020-12").is_dir():
            raise NotRun(f"{archive.name} does not carry the suite's draft2020-12")
    return target


JQ_PACKAGE = "jq==1.8.0"  # carries the source of jq 1.7.1, the version that Weft speaks


@once
def jq_suite():
    """jq's published cases as PyPI's source package of `jq` carries them; returns the folder of its *.test files."""
    target = FOLDER / "jq-suite"
    if not (target / "jq.test").is_file():
        downloads = FOLDER / "downloads"
        fetch([str(environment()), "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "jq",
               "--dest", str(downloads), JQ_PACKAGE], f"pip download {JQ_PACKAGE}")
        archive = max(downloads.glob("jq-*.tar.gz"), key=os.path.getmtime)
        with tarfile.open(archive) as package:
            inner = next((name for name in package.getnames() if "/deps/jq-" in name and name.endswith(".tar.gz")), None)
            if inner is None:
                raise NotRun(f"{archive.name} does not carry jq's source")
            with tarfile.open(fileobj=package.extractfile(inner)) as source:
                for member in source.getmembers():
                    parts = member.name.split("/")
                    if len(parts) == 3 and parts[1] == "tests" and parts[2].endswith(".test") and member.isfile():
                        target.mkdir(parents=True, exist_ok=True)
                        (target / parts[2]).write_bytes(source.extractfile(member).read())
        if not (target / "jq.test").is_file():
            raise NotRun(f"{archive.name} does not carry jq's cases")
    return target


def go_program(name, package="."):
    """A program that tests/interop/<name>/go.mod pins, built of published Go modules; returns its path. Takes minutes."""
    folder = FOLDER / "go" / name
    program = folder / name
    given = Path(__file__).with_name(name)
    newest = max(file.stat().st_mtime for file in given.iterdir())
    if not program.exists() or program.stat().st_mtime < newest:
        shutil.copytree(given, folder, dirs_exist_ok=True)
        fetch(["go", "mod", "tidy"], f"go mod tidy of {name}", seconds=900, cwd=folder)
        fetch(["go", "build", "-o", str(program), package], f"go build of {name}", seconds=5400, cwd=folder)
    return program


def go_version(name, module):
    """Of a module that a program was built of."""
    return fetch(["go", "list", "-m", "-f", "{{.Version}}", module], f"go list of {name}", cwd=FOLDER / "go" / name).strip()


def java_program(artifact):
    """A jar that runs by itself, from Maven's central repository (group:name:version:jar:classifier); returns the words that start it."""
    _, name, version, _, classifier = artifact.split(":")
    folder = FOLDER / "java"
    jar = folder / f"{name}-{version}-{classifier}.jar"
    if shutil.which("java") is None:
        raise NotRun("java is not installed")
    if not jar.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fetch(["mvn", "--quiet", "--batch-mode", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"],
              f"mvn dependency:copy of {name}", seconds=900, cwd=folder)
    return ["java", "-jar", jar]


class Served:
    """A server in a process of its own, which is ended by its id; what it said goes into the error."""

    def __init__(self, words, folder, environment=None):
        self.log = Path(folder) / f"{Path(words[0]).name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, cwd=folder,
                                            env={**os.environ, **(environment or {})})

    def __enter__(self):
        return self

    def answers(self, url):
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-2000:]
        try:
            return call("GET", url).status < 500
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_ports(count):
    """Free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def pytest_in(interpreter, *words, environment=None):
    """Runs end-to-end tests with another interpreter; returns how many passed. A skipped one is a failure here."""
    result = subprocess.run([str(interpreter), "-m", "pytest", "-q", "-o", "python_files=*_test.py", "-p", "no:cacheprovider",
                             *words], cwd=ROOT, text=True, capture_output=True, timeout=600,
                            env={**os.environ, **(environment or {})})
    last = (result.stdout.strip().splitlines() or [result.stderr])[-1]
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-1000:]
    assert "skipped" not in last, last
    return int(last.split(" passed")[0].split()[-1])
