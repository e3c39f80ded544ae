"""KafkaJS (npm) lists, produces with its codecs and consumes in a group that rebalances."""
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from run import NotRun
from weft_process import ROOT, Weft

TESTS = ROOT / "tests"
TOPIC = "interop.kafkajs.sent.v1"
STREAM = f"""
apiVersion: weft/v1
kind: Stream
metadata: {{name: {TOPIC}, owner: interop}}
spec: {{opaque: true, partitions: 4, description: what KafkaJS sends}}
"""


def install():
    if (TESTS / "node_modules/kafkajs").exists():
        return
    if shutil.which("npm") is None:
        raise NotRun("npm is not installed")
    result = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=TESTS, capture_output=True, text=True)
    if result.returncode != 0:
        raise NotRun(f"npm ci: {result.stderr[-300:]}")


def run():
    install()
    with tempfile.TemporaryDirectory() as folder:
        estate = Path(folder) / "estate"
        estate.mkdir()
        (estate / "streams.yaml").write_text(STREAM)
        weft = Weft(folder, estate=estate, settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]).start()
        try:
            result = subprocess.run(["node", str(TESTS / "interop/kafkajs_story.js"), weft.kafka, TOPIC], text=True,
                                    capture_output=True, timeout=120, cwd=TESTS,
                                    env={"PATH": "/usr/bin:/bin", "NODE_PATH": str(TESTS / "node_modules")})
        finally:
            weft.stop()
    assert result.returncode == 0, result.stderr[-2000:]
    story = json.loads(result.stdout)
    assert story["codecs"] == {"none": 600, "gzip": 600, "snappy": 600}, story
    assert story["partitions"] == 4 and story["committed"] == story["ends"] == 1800, story
    return f"{story['records']} records, codecs {', '.join(story['codecs'])}, two members rebalanced"
