"""franz-go and its admin client kadm: codecs, a cooperative group with a static member, transactions, administration."""
import subprocess

from kafka_java import SOURCE, TARGET, node
from parts import go_program, go_version

QUICK = True
STORIES = 8


def run():
    program = go_program("franz")
    with node() as weft:
        result = subprocess.run([str(program), weft.kafka, SOURCE, TARGET], text=True, capture_output=True, timeout=300)
    assert result.returncode == 0 and result.stdout.endswith("done\n"), result.stdout[-2000:] + result.stderr[-2000:]
    assert result.stdout.count("ok ") == STORIES, result.stdout
    versions = [go_version("franz", f"github.com/twmb/franz-go{package}") for package in ("", "/pkg/kadm")]
    return f"franz-go {versions[0]} with kadm {versions[1]}, {STORIES} stories: " + "; ".join(
        line.removeprefix("ok ") for line in result.stdout.splitlines() if line.startswith("ok "))
