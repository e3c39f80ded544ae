"""`weft jq` as a user of jq calls it: options, inputs, exit statuses, errors with positions, limits."""
import json
import shutil
import subprocess

import pytest

from weft_process import BINARY

ORDER = '{"id": "o-1", "total": 19.90, "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": 1}]}'


def jq(*words, given=""):
    return subprocess.run([str(BINARY), "jq", *words], input=given.encode(), capture_output=True, timeout=60)


def output(*words, given=""):
    done = jq(*words, given=given)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


@pytest.mark.parametrize("words, given, expected", [
    (["."], '{"a":1}', '{\n  "a": 1\n}\n'),
    (["-c", "."], '{ "a" : [1, 2] }', '{"a":[1,2]}\n'),
    (["-r", ".[]"], '["x\\ty", 1]', "x\ty\n1\n"),
    (["-j", ".[]"], '["x", "y"]', "xy"),
    (["--raw-output0", ".[]"], '["x", "y"]', "x\0y\0"),
    (["-a", "."], '"\u00fc\U0001f600"', '"\\u00fc\\ud83d\\ude00"\n'),
    (["-Sc", "."], '{"b":1,"a":{"d":1,"c":2}}', '{"a":{"c":2,"d":1},"b":1}\n'),
    (["--tab", "."], "[1]", "[\n\t1\n]\n"),
    (["--indent", "1", "."], "[1]", "[\n 1\n]\n"),
    (["--indent", "0", "."], "[1]", "[1]\n"),
    (["-n", "1 + 1"], "not json", "2\n"),
    (["-sc", "."], "1 2 [3]", "[1,2,[3]]\n"),
    (["-c", "."], "1 2\n[3]{}", "1\n2\n[3]\n{}\n"),
    (["-R", "."], "a b\nc", '"a b"\n"c"\n'),
    (["-Rs", "."], "a\nb\n", '"a\\nb\\n"\n'),
    (["-nc", "--arg", "a", "1", "--argjson", "b", "[1.0]", "[$a, $b]"], "", '["1",[1.0]]\n'),
    (["-nc", "$ARGS.named", "--arg", "a", "1"], "", '{"a":"1"}\n'),
    (["-nc", "$ARGS.positional, $x", "--arg", "x", "y", "--args", "p", "q"], "", '["p","q"]\n"y"\n'),
    (["-nc", "$ARGS.positional", "--jsonargs", "1.0", "null"], "", "[1.0,null]\n"),
    (["."], "100000000000000000000.10", "100000000000000000000.10\n"),
    (["-n", "0.1 + 0.2"], "", "0.3\n"),
])
def test_options_do_what_jq_users_expect(words, given, expected):
    assert output(*words, given=given) == expected


def test_files_are_read_one_after_another(tmp_path):
    (tmp_path / "program.jq").write_text("# the sum of a file\nadd")
    (tmp_path / "a.json").write_text("[1, 2]")
    (tmp_path / "b.json").write_text("[3]")
    program, files = str(tmp_path / "program.jq"), [str(tmp_path / "a.json"), str(tmp_path / "b.json")]

    assert output("-f", program, *files) == "3\n3\n"
    assert output("-nc", "--slurpfile", "x", files[0], "--rawfile", "y", files[1], "[$x, $y]") == '[[[1,2]],"[3]"]\n'


@pytest.mark.parametrize("words, given, status", [
    (["-e", "."], "true", 0),
    (["-e", "."], "null", 1),
    (["-e", "empty"], "1", 4),
    (["--no-such-option", "."], "1", 2),
    ([], "", 2),
    ([".", "/no/such/file"], "", 2),
    (["."], "{oops", 2),
    (["-n", ".a |"], "", 3),
    ([".a"], "[1]", 5),
    (["-n", '"bye" | halt_error(7)'], "", 7),
    (["-n", "halt"], "", 0),
])
def test_the_exit_status_says_how_it_ended(words, given, status):
    assert jq(*words, given=given).returncode == status


@pytest.mark.parametrize("words, given, problem", [
    (["-n", "1 +\n  )"], "", "2:3:"),
    (["-n", "nosuch(1)"], "", "1:1:"),
    ([".total |\n .b"], ORDER, '2:2: Cannot index number with string "b"'),
    (["."], '{"a": 1,}', "line 1, column 9"),
    (["--exact", "-n", "1 / 3"], "", "not exact"),
    (["-n", "--argjson", "x", "{", "."], "", "--argjson"),
    (["-n", "last(range(1e12))"], "", "steps_max"),
    (["-n", "def f: 1 + f; f"], "", "stack_bytes_max"),
    (["-n", "[limit(100; repeat(\"x\" * 10000000))] | add"], "", "memory_bytes_max"),
])
def test_errors_say_where_and_what(words, given, problem):
    done = jq(*words, given=given)

    assert done.returncode in (2, 3, 5)
    assert done.stdout == b""
    assert problem in done.stderr.decode()


def test_a_failed_input_does_not_end_the_others():
    done = jq(".a", given='{"a":1} [] {"a":2}')

    assert (done.returncode, done.stdout) == (5, b"1\n2\n")


def test_what_is_good_before_bad_input_is_answered():
    done = jq("-c", ".", given="[1]\n[2\n")

    assert (done.returncode, done.stdout) == (2, b"[1]\n")


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize("program", [".lines | map(.n) | add", "{id, skus: [.lines[].sku]}", ".lines[] | select(.n > 1)"])
def test_jq_answers_the_same(program):
    theirs = subprocess.run(["jq", "-c", program], input=ORDER.encode(), capture_output=True, check=True).stdout.decode()

    assert [json.loads(line) for line in output("-c", program, given=ORDER).splitlines()] == [
        json.loads(line) for line in theirs.splitlines()]
