"""What runs all tests must itself come to an end: tools/run_tests.py."""
import importlib.util
import signal
import sys
import time

import pytest

from weft_process import ROOT, wait_until


@pytest.fixture
def run_tests():
    spec = importlib.util.spec_from_file_location("run_tests", ROOT / "tools/run_tests.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_running(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_silent_command_is_ended_with_its_children_and_said_to_have_timed_out(run_tests, capfd):
    began = time.monotonic()

    code, output = run_tests.run(["/bin/sh", "-c", "echo begun; sleep 600 & echo $!; wait"], timeout=1)

    assert time.monotonic() - began < 30
    assert code == -signal.SIGKILL
    begun, child = output.splitlines()
    assert begun == "begun"
    wait_until(lambda: not is_running(int(child)), what="the end of the child")
    assert "timed out after 1 s and was ended: /bin/sh -c" in capfd.readouterr().out
    assert len(run_tests.TIMED_OUT) == 1


def test_a_command_that_ends_in_time_keeps_its_status_and_output(run_tests):
    code, output = run_tests.run([sys.executable, "-c", "print('all of it\\n' * 10_000); raise SystemExit(3)"], timeout=60)

    assert code == 3
    assert output.count("all of it\n") == 10_000
    assert run_tests.TIMED_OUT == []
