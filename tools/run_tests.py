#!/usr/bin/env python3
"""Runs every test, stage by stage, and ends with one line of totals: N passed, N failed.

Stages: check, unit, web, e2e, hub. Name some to run only those; memory and races build the unit tests again under
AddressSanitizer with UndefinedBehaviorSanitizer, and those with several threads under ThreadSanitizer. --ci adds
these two, and the quick checks against parts from other registries (interop); what could not be had there is neither
passed nor failed.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
# Those that run several loops or threads: what they share is shared between modules, so these are enough.
THREADED = ["runtime", "storage", "http", "telemetry", "estate", "eventlog", "gateway"]
READER_PATIENCE = 10  # seconds for the last lines of a command that has ended


class Totals:
    def __init__(self):
        self.passed = self.failed = 0
        self.lines = []

    def add(self, stage, passed, failed, seconds):
        self.passed += passed
        self.failed += failed
        self.lines.append(f"{stage}: {passed} passed, {failed} failed, {seconds / 60:.1f} min")


TIMED_OUT = []
FAILED = []  # the names of the tests that failed, said once more at the end


def run(command, cwd=ROOT, env=None, timeout=3000):
    """Streams a command's output to ours and returns (exit code, whole output). A command that takes longer than
    `timeout` seconds is ended with its process group, also when it says nothing: a deadlock is silent."""
    shown = " ".join(map(str, command))
    print(f"== {shown}", flush=True)
    process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})}, text=True, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    output = []
    reader = threading.Thread(target=stream_lines, args=(process.stdout, output), daemon=True)
    reader.start()
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        end_session(process)
        code = process.returncode
        TIMED_OUT.append(f"timed out after {timeout} s and was ended: {shown}")
        print(f"== {TIMED_OUT[-1]}", flush=True)
    except BaseException:  # Ctrl+C reaches our session alone
        end_session(process)
        raise
    # What the command left running in a session of its own may hold the pipe open for ever.
    reader.join(READER_PATIENCE)
    return code, "".join(output)


def stream_lines(lines, output):
    for line in lines:
        output.append(line)
        if not re.match(r"\[ (RUN|      OK) ", line) and not line.startswith("[ RUN"):
            print(line, end="", flush=True)


def end_session(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def count(pattern, text):
    return sum(int(n) for n in re.findall(pattern, text, re.M))


def names_of_failed(pattern, text):
    """Those that the pattern's group finds; they are also kept for the end."""
    names = list(dict.fromkeys(re.findall(pattern, text, re.M)))
    FAILED.extend(f"failed: {name}" for name in names)
    return names


def install_npm_clients():
    """The npm packages that end-to-end tests use, as their lock file says."""
    folder = ROOT / "tests/e2e/node"
    if not (folder / "node_modules").exists():
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)


def check_stage():
    code, _ = run([sys.executable, "tools/check.py"])
    return (1, 0) if code == 0 else (0, 1)


def build():
    code, _ = run(["./dev", "build", "release"], timeout=3600)
    return code == 0


def unit_stage():
    return run_unit_tests(sorted(BUILD.glob("weft_*_tests")))


def run_unit_tests(binaries, env=None, seeds=None):
    """`seeds`: of each simulation, instead of its own number."""
    passed = failed = 0
    for binary in binaries:
        has_fewer_seeds = seeds and "_simulation_" in binary.name
        environment = {**(env or {}), **({"WEFT_SEEDS": str(seeds)} if has_fewer_seeds else {})}
        code, out = run([str(binary), "--gtest_brief=1"], timeout=1800, env=environment)
        ok = count(r"^\[  PASSED  \] (\d+) tests?\.", out)
        bad = len(names_of_failed(r"^\[  FAILED  \] (\S+?\.\S+?)(?: \(|,|$)", out))
        if code != 0 and bad == 0:
            bad = 1  # it crashed: the run itself is the failure
            FAILED.append(f"failed: {binary.name} ended with {code}")
        passed, failed = passed + ok, failed + bad
    return passed, failed


def sanitized_stage(preset, modules, env):
    """The unit tests of these modules (all when there are none), built under a sanitizer; fewer seeds of simulations."""
    def stage():
        folder = ROOT / "build" / preset
        targets = [f"weft_{module}_tests" for module in modules] or sorted(
            binary.name for binary in BUILD.glob("weft_*_tests"))
        code, _ = run(["./dev", "build", preset, *targets], timeout=3600)
        if code != 0:
            return 0, 1
        return run_unit_tests([folder / target for target in targets], env, seeds=20)
    return stage


def web_stage():
    if not (ROOT / "web/package.json").exists():
        return 0, 0
    code, out = run(["npm", "test", "--silent"], cwd=ROOT / "web", env={"CI": "1", "NO_COLOR": "1"})
    ok = count(r"^\s*Tests\s.*?(\d+) passed", out)
    bad = count(r"^\s*Tests\s+(\d+) failed", out)
    names_of_failed(r"^\s*FAIL\s+(.+)", out)
    return ok, bad or (1 if code else 0)


def pytest_stage(folder, timeout):
    def stage():
        if not any((ROOT / folder).glob("*_test.py")):
            return 0, 0
        install_npm_clients()
        code, out = run(["/usr/bin/python3", "-m", "pytest", "-q", "-x" if "-x" in sys.argv else "-ra",
                         "-o", "python_files=*_test.py", "-p", "no:cacheprovider", folder], timeout=timeout)
        tail = out.strip().splitlines()[-1] if out.strip() else ""
        ok = count(r"(\d+) passed", tail)
        bad = count(r"(\d+) (?:failed|error)", tail)
        names_of_failed(r"^(?:FAILED|ERROR) (\S+)", out)
        return ok, bad or (1 if code not in (0, 5) else 0)
    return stage


def hub_stage():
    """The hub in a real browser, against the real binary with the demo estate running."""
    install_npm_clients()
    with tempfile.TemporaryDirectory(prefix="weft-hub-") as folder:
        weft = [str(BUILD / "weft")]
        code, _ = run(weft + ["up", "--demo", "--background", "--ports", "auto", "--data", f"{folder}/data"], timeout=120)
        if code != 0:
            return 0, 1
        try:
            node = json.loads(Path(folder, "data/node.json").read_text())
            token = Path(folder, "data/admin-token").read_text().strip()
            code, out = run(["npm", "run", "--silent", "test:hub", "--", "--test-reporter=tap"], cwd=ROOT / "web",
                            timeout=1800, env={"HUB_URL": node["admin"], "HUB_TOKEN": token, "HUB_COMPLETE": "1"})
        finally:
            run(weft + ["down", "--data", f"{folder}/data"], timeout=60)
    ok, bad = count(r"^# pass (\d+)", out), count(r"^# fail (\d+)", out)
    names_of_failed(r"^not ok \d+ - (.+)", out)
    return ok, bad or (1 if code else 0)


def interop_stage():
    code, out = run(["./dev", "interop", "--quick"], timeout=1200)
    ok, bad = count(r"^interop: (\d+) passed", out), count(r"^interop: \d+ passed, (\d+) failed", out)
    names_of_failed(r"^failed\s+(\w+)", out)
    return ok, bad or (1 if code else 0)


STAGES = {
    "check": check_stage,
    "unit": unit_stage,
    "web": web_stage,
    "e2e": pytest_stage("tests/e2e", 1800),
    "hub": hub_stage,
    "memory": sanitized_stage("asan", [], {"LSAN_OPTIONS": f"suppressions={ROOT}/tools/lsan_suppressions.txt:print_suppressions=0"}),
    "races": sanitized_stage("tsan", THREADED, {"TSAN_OPTIONS": "second_deadlock_stack=1"}),
    "interop": interop_stage,
}
CI_ONLY = ["memory", "races", "interop"]


def main():
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or [
        name for name in STAGES if name not in CI_ONLY]
    if "--ci" in sys.argv:
        wanted += [name for name in CI_ONLY if name not in wanted]
    unknown = [name for name in wanted if name not in STAGES]
    if unknown:
        sys.exit(f"run_tests: no stage {unknown[0]}; there are {', '.join(STAGES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a CI that gives up: ends what runs, as Ctrl+C does
    totals = Totals()
    began = time.monotonic()
    built = build()
    totals.add("build", 0, 0 if built else 1, time.monotonic() - began)
    for name in wanted if built else ["check"]:
        began = time.monotonic()
        passed, failed = STAGES[name]()
        totals.add(name, passed, failed, time.monotonic() - began)
    print("\n" + "\n".join(totals.lines + FAILED + TIMED_OUT))
    print(f"{totals.passed} passed, {totals.failed} failed", flush=True)
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
