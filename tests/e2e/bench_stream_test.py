"""`weft bench stream` against the real binary: rates, latencies, transactions, groups, the search for a limit."""
import json
import re
import shlex
import subprocess

import pytest
from weft_process import BINARY, ROOT

NAMESPACE = """
apiVersion: weft/v1
kind: Namespace
metadata: {name: bench, owner: tests}
spec: {prefix: bench-, opaque: true, autoCreate: false}
---
apiVersion: weft/v1
kind: Schema
metadata: {name: strict, owner: tests}
spec: {format: json-schema, definition: {type: object}}
---
apiVersion: weft/v1
kind: Stream
metadata: {name: strict.test.sent.v1, owner: tests}
spec: {schema: strict}
"""
SHORT = ["--warm-up", "200ms", "--duration", "2s"]
PAGE = ROOT / "docs/load-test.md"


@pytest.fixture
def weft(tmp_path, weft_factory):
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yaml").write_text(NAMESPACE)
    return weft_factory(estate=folder, settings=["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]).start()


def bench(weft, *words, code=0, form="json"):
    result = subprocess.run([str(BINARY), "bench", "stream", "--brokers", weft.kafka, *words, "-o", form], text=True,
                            capture_output=True, timeout=100)
    assert result.returncode == code, result.stdout + result.stderr
    return json.loads(result.stdout) if form == "json" and code == 0 else result.stdout + result.stderr


def measured(report):
    return {row["what"]: row for row in report["measured"]}


def kcat(weft, *words):
    return subprocess.run(["kcat", "-b", weft.kafka, "-m", "10", *words], text=True, capture_output=True, timeout=60).stdout


def test_an_open_loop_sends_what_is_due_and_a_group_receives_each_record(weft):
    report = bench(weft, "bench-open", "--partitions", "3", "--rate", "2000", "--producers", "2", "--consumers", "2",
                   "--keys", "50", "--idempotent", "--compression", "lz4", *SHORT)
    rows = measured(report)
    produce, received = rows["produce"], rows["end to end"]
    assert produce["offeredPerSecond"] == 2000 and produce["records"] == 4000 == produce["acknowledged"]
    assert (produce["failed"], produce["unfinished"], report["errors"]) == (0, 0, [])
    assert (received["records"], received["missing"], received["repeated"]) == (4000, 0, 0)
    for row in (produce, received):
        latency = row["latencyMs"]
        assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p99.9"] <= latency["max"]
    # What the broker holds is what the tool says that it sent, the warm-up included.
    stored = sum(int(kcat(weft, "-Q", "-t", f"bench-open:{partition}:-1").split()[-1]) for partition in range(3))
    assert stored == 2000 * 2.2
    keys = set(kcat(weft, "-C", "-t", "bench-open", "-e", "-q", "-f", "%k\n").split())
    assert keys == {f"key-{number}" for number in range(50)}


def test_without_a_rate_it_goes_as_fast_as_the_broker_and_catches_up_with_all_of_it(weft):
    produce = measured(bench(weft, "bench-fast", "--partitions", "2", "--size", "1024", *SHORT))["produce"]
    assert produce["acknowledged"] == produce["records"] > 1000
    caught_up = measured(bench(weft, "bench-fast", "--producers", "0", "--consumers", "2"))["catch up"]
    assert caught_up["records"] >= produce["records"] and caught_up["bytes"] == caught_up["records"] * 1024
    assert caught_up["megabytesPerSecond"] > 0


def test_records_in_transactions_count_when_they_commit(weft):
    rows = measured(bench(weft, "bench-transactions", "--partitions", "2", "--rate", "1000", "--transaction", "50",
                          "--consumers", "1", *SHORT))
    assert rows["produce"]["acknowledged"] == 2000 == rows["end to end"]["records"]
    assert rows["commit"]["failed"] == 0 and 30 <= rows["commit"]["records"] <= 41
    # The first of 50 records at 1,000 a second waits 49 ms until the transaction is full.
    assert rows["produce"]["latencyMs"]["p90"] > 20


def test_a_limit_is_found_advised_and_confirmed_by_a_second_run(weft):
    report = bench(weft, "bench-limit", "--partitions", "1", "--find-limit", "--rate", "40000", "--p99-max", "2s", "--step",
                   "500ms", "--warm-up", "100ms", "--duration", "1s", "--headroom", "50", "--need", "10000000")
    sizing = report["sizing"]
    assert sizing["confirmed"] and 0 < sizing["advisedPerSecond"] <= sizing["keptPerSecond"] / 2 + 1
    assert sizing["brokers"] >= 2
    assert any(not step["kept"] for step in sizing["steps"]), "no limit was reached"
    assert measured(report)["produce"]["offeredPerSecond"] == pytest.approx(sizing["advisedPerSecond"], rel=0.01)
    last = sizing["steps"][-1]
    assert last["kept"] and last["offeredPerSecond"] == sizing["advisedPerSecond"]


def test_what_goes_wrong_is_said_with_its_reason(weft):
    assert "there is no topic bench-none; --partitions N makes it" in bench(weft, "bench-none", *SHORT, code=1)
    assert "--size must be a whole number from 16" in bench(weft, "x", "--size", "3", code=1)
    assert "property no.such" in bench(weft, "x", "--property", "no.such=1", code=1)
    refused = bench(weft, "strict.test.sent.v1", "--rate", "50", *SHORT, code=1, form="table")
    assert re.search(r"error, \d+ times: record not stored: Broker: ", refused), refused
    nobody = subprocess.run([str(BINARY), "bench", "stream", "x", "--brokers", "127.0.0.1:1"], text=True,
                            capture_output=True, timeout=60)
    assert nobody.returncode == 1 and "no Kafka broker answers: 127.0.0.1:1/bootstrap: Connect to" in nobody.stderr


def test_properties_from_a_file_log_in(tmp_path, weft_factory):
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yaml").write_text(NAMESPACE + """---
apiVersion: weft/v1
kind: Client
metadata: {name: loader, owner: tests}
spec: {grants: [{action: stream.create, resource: "bench-*"}, {action: stream.write, resource: "bench-*"}]}
""")
    weft = weft_factory(name="closed", estate=folder).start()
    key = json.loads(weft.cli("client", "key", "create", "loader", "-o", "json").stdout)["key"]
    properties = tmp_path / "login.properties"
    properties.write_text("# of the tests\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanisms=PLAIN\n"
                          f"sasl.username=loader\nsasl.password={key}\n")
    words = ["bench-closed", "--partitions", "1", "--rate", "500", *SHORT, "--properties", str(properties)]
    assert measured(bench(weft, *words))["produce"]["acknowledged"] == 1000
    properties.write_text(properties.read_text().replace(key, key[:-1] + "_"))
    assert "no Kafka broker answers" in bench(weft, *words, code=1)


def test_the_commands_of_the_page_work(weft):
    commands = re.findall(r"^    weft (bench stream .+)$", PAGE.read_text(), re.M)
    assert len(commands) >= 4
    for command in commands:
        if "kafka-1:9093" in command:
            continue  # somebody else's broker
        words = shlex.split(re.sub(r"\s*\\?\s*#.*$", "", command).replace("127.0.0.1:9092", weft.kafka))
        for name in ("--duration", "--warm-up", "--step"):
            if name in words:
                words[words.index(name) + 1] = "300ms"
            elif name != "--step":
                words += [name, "300ms"]
        if "--find-limit" in words:
            words += ["--rate", "20000", "--drain", "300ms"]
        if "--brokers" not in words:
            words += ["--brokers", weft.kafka]
        result = subprocess.run([str(BINARY), *words], text=True, capture_output=True, timeout=100)
        assert result.returncode == 0 or "--find-limit" in words, f"{command}: {result.stdout}{result.stderr}"
        assert "produce" in result.stdout or "catch up" in result.stdout, result.stdout + result.stderr
