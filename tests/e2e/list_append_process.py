"""Runs list_append_clients.py in a process of its own."""
import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

RUNS_MAX = 3


def clients(interpreter, seconds, *words):
    """Exit status, output and errors. Whatever becomes of the clients, the node that they started ends with them."""
    process = subprocess.Popen([interpreter, Path(__file__).with_name("list_append_clients.py"), "--seconds", str(seconds), *words],
                               text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        output, errors = process.communicate(timeout=seconds + 300)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output, errors


def told_by_clients(interpreter, seconds, *words):
    """What they printed. librdkafka may end its own process by a signal, by an assertion of its own or a damaged heap (seen
    with 2.0 and 2.16, some times an hour); then nothing has been judged, and they run again."""
    for _ in range(RUNS_MAX):
        status, output, errors = clients(interpreter, seconds, *words)
        if status >= 0:
            break
    assert output, f"{status}: {errors[-4000:]}"
    return json.loads(output)
