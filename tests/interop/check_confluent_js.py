"""confluent-kafka-javascript (npm) with the librdkafka that it brings: codecs, a group that rebalances, transactions, administration."""
import json
import os
import subprocess
import tempfile
from pathlib import Path

from parts import FOLDER, fetch
from weft_process import ROOT, Weft

PACKAGE, VERSION = "@confluentinc/kafka-javascript", "1.10.1"
TOPIC, TARGET = "interop.confluentjs.sent.v1", "interop.confluentjs.copied.v1"
STREAMS = "---".join(f"""
apiVersion: weft/v1
kind: Stream
metadata: {{name: {name}, owner: interop}}
spec: {{opaque: true, partitions: 4}}
""" for name in (TOPIC, TARGET))
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
HEADERS = Path("/usr/include/node/node_api.h")
# Where there is no published binary: against the system's libraries, one step after another, with the system's headers of node.
BUILD = {"CKJS_LINKING": "dynamic", "JOBS": "1"} | ({"npm_config_nodedir": "/usr"} if HEADERS.exists() else {})


def package():
    """The folder whose node_modules has it: its published binary, or built here, in a minute or two."""
    folder = FOLDER / "confluent-js"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        fetch(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", f"{PACKAGE}@{VERSION}"], f"npm install of {PACKAGE}", seconds=1800,
              cwd=folder, env={**os.environ, **BUILD})
        (folder / "complete").touch()
    return folder


def run():
    modules = package() / "node_modules"
    with tempfile.TemporaryDirectory() as folder:
        estate = Path(folder) / "estate"
        estate.mkdir()
        (estate / "streams.yaml").write_text(STREAMS)
        weft = Weft(folder, estate=estate, settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]).start()
        try:
            result = subprocess.run(["node", str(ROOT / "tests/interop/confluent_js_story.js"), weft.kafka, TOPIC, TARGET], text=True,
                                    capture_output=True, timeout=180, env={**os.environ, "NODE_PATH": str(modules)})
        finally:
            weft.stop()
    assert result.returncode == 0, result.stderr[-2000:]
    story = json.loads(result.stdout.strip().splitlines()[-1])
    assert story["codecs"] == {codec: 400 for codec in CODECS} and story["read"] == 400 * len(CODECS), story
    assert story["committed"] == ["kept", "kept too"] and story["listed"], story
    return (f"{VERSION} with librdkafka {story['librdkafka']}, {story['read']} records, codecs {', '.join(CODECS)}, two members rebalanced, "
            "transactions")
