"""KafkaJS (npm) lists, produces with its codecs and consumes in a group that rebalances."""
import json
import os
import subprocess
import tempfile
from pathlib import Path

from parts import node
from weft_process import ROOT, Weft

QUICK = True
TESTS = ROOT / "tests"
TOPIC = "interop.kafkajs.sent.v1"
STREAM = f"""
apiVersion: weft/v1
kind: Stream
metadata: {{name: {TOPIC}, owner: interop}}
spec: {{opaque: true, partitions: 4, description: what KafkaJS sends}}
"""


def run():
    node()
    with tempfile.TemporaryDirectory() as folder:
        estate = Path(folder) / "estate"
        estate.mkdir()
        (estate / "streams.yaml").write_text(STREAM)
        weft = Weft(folder, estate=estate, settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]).start()
        try:
            result = subprocess.run(["node", str(TESTS / "interop/kafkajs_story.js"), weft.kafka, TOPIC], text=True,
                                    capture_output=True, timeout=120, cwd=TESTS,
                                    env={**os.environ, "NODE_PATH": str(TESTS / "node_modules")})
        finally:
            weft.stop()
    assert result.returncode == 0, result.stderr[-2000:]
    story = json.loads(result.stdout)
    assert story["codecs"] == {"none": 600, "gzip": 600, "snappy": 600}, story
    assert story["partitions"] == 4 and story["committed"] == story["ends"] == 1800, story
    version = json.loads((TESTS / "node_modules/kafkajs/package.json").read_text())["version"]
    return f"{version}, {story['records']} records, codecs {', '.join(story['codecs'])}, two members rebalanced"
