"""Transactions of appends and polls for two minutes under kill -9 with the current librdkafka, judged from what clients saw."""
import json
import subprocess

from parts import python
from weft_process import ROOT

SECONDS = 120


def run():
    result = subprocess.run([str(python()), str(ROOT / "tests/e2e/list_append_clients.py"), "--seconds", str(SECONDS)], text=True,
                            capture_output=True, timeout=SECONDS + 300)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    told = json.loads(result.stdout)
    assert told["kills"] > 20 and told["committed"] > 1000 and told["unknown"] > 0, told
    return (f"librdkafka {told['librdkafka']}, seed {told['seed']}: {told['kills']} kills, {len(told['at'])} of the log's crash points, "
            f"{told['transactions']} transactions ({told['unknown']} of unknown outcome), {told['polled']} records polled, no rule broken; "
            f"{told['write cycles']} cycles of writes, which Kafka allows")
