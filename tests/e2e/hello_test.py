"""What the hub tells the owner of an empty Weft to do first works as it stands."""
import re
import shlex
import subprocess

from weft_process import BINARY, ROOT, call

COMMANDS = (ROOT / "web/src/ui/commands.ts").read_text()


def shown_command(name):
    return shlex.split(re.search(rf"^\s*{name}: '([^']+)'", COMMANDS, re.M).group(1))


def weft(node, *words):
    return subprocess.run([BINARY, *words, "--data", node.data], cwd=ROOT, capture_output=True, text=True, check=True)


def test_the_example_that_the_hub_names_applies_to_an_empty_weft_and_takes_a_greeting(weft_factory):
    node = weft_factory().start()
    program, *words = shown_command("applyExample")
    assert program == "weft"

    weft(node, *words)
    posted = call("POST", node.node["gateway"] + "/greetings", '{"text": "hello"}', {"Content-Type": "application/json"})
    refused = call("POST", node.node["gateway"] + "/greetings", '{"text": ""}', {"Content-Type": "application/json"})

    assert posted.status == 201
    assert (refused.status, refused.json()["code"]) == (400, "CONTRACT_VIOLATION")
    assert '{"text": "hello"}' in weft(node, "stream", "consume", "hello.greeting.sent.v1").stdout
