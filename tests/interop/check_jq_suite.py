"""jq's published test cases against Weft's engine; each exception is named in src/mapping/jq_suite_test.cpp."""
import os
import re
import subprocess

from parts import jq_suite
from weft_process import ROOT

QUICK = True


def run():
    suite = jq_suite()
    result = subprocess.run([str(ROOT / "build/release/weft_mapping_tests"), "--gtest_filter=JqSuite*"], text=True,
                            capture_output=True, timeout=300, env={**os.environ, "WEFT_JQ_SUITE": str(suite)})
    said = result.stdout + result.stderr
    assert result.returncode == 0, said[-3000:]
    counts = re.findall(r"^(\S+)\.test: (\d+) passed, (\d+) failed, (\d+) named exceptions", said, re.M)
    files = {name: (int(passed), int(failed)) for name, passed, failed, _ in counts}
    assert files["jq"][0] > 400 and files["man"][0] > 200, said[-3000:]
    assert all(failed == 0 for _, failed in files.values()), counts
    return ", ".join(f"{name} {passed} passed ({exceptions} named exceptions)" for name, passed, _, exceptions in counts)
