"""The published JSON-Schema-Test-Suite, draft 2020-12 and the older ones, against the validator of the doors."""
import os
import re
import subprocess

from parts import json_schema_suite
from weft_process import ROOT

QUICK = True


def run():
    suite = json_schema_suite()
    result = subprocess.run([str(ROOT / "build/release/weft_contracts_tests"), "--gtest_filter=*JsonSchemaSuite*"], text=True,
                            capture_output=True, timeout=300, env={**os.environ, "WEFT_JSON_SCHEMA_SUITE": str(suite)})
    said = result.stdout + result.stderr
    assert result.returncode == 0, said[-3000:]
    counts = re.findall(r"^(draft\S+): (\d+) passed, (\d+) failed, (\d+) named exceptions", said, re.M)
    drafts = {draft: (int(passed), int(failed)) for draft, passed, failed, _ in counts}
    assert drafts["draft2020-12"][0] > 1000 and len(drafts) == 5, said[-3000:]
    assert all(failed == 0 for _, failed in drafts.values()), counts
    return ", ".join(f"{draft} {passed} passed ({exceptions} named exceptions)" for draft, passed, _, exceptions in counts)
