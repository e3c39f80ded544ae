"""Published test cases, run by one of our own test programs, which prints a line of counts for each file of them."""
import os
import re
import subprocess

from weft_process import ROOT


def run_cases(program, cases, variable, suite, name):
    """By the name of a file, as the pattern `name` finds it: passed, failed and named exceptions."""
    result = subprocess.run([str(ROOT / "build/release" / program), f"--gtest_filter={cases}"], text=True,
                            capture_output=True, timeout=300, env={**os.environ, variable: str(suite)})
    said = result.stdout + result.stderr
    assert result.returncode == 0, said[-3000:]
    found = re.findall(rf"^{name}: (\d+) passed, (\d+) failed, (\d+) named exceptions", said, re.M)
    counts = {file: tuple(map(int, numbers)) for file, *numbers in found}
    assert all(failed == 0 for _, failed, _ in counts.values()), counts
    return counts


def sentence(counts):
    return ", ".join(f"{file} {passed} passed ({exceptions} named exceptions)" for file, (passed, _, exceptions) in counts.items())
