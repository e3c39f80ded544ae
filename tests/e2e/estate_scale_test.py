"""An apply costs what it changes: the real binary with some hundred resources, and how many of them it compiles."""
import json
import sys

import pytest
from weft_process import ROOT, call

sys.path.insert(0, str(ROOT / "bench/estate"))
from apply_bench import Estate  # noqa: E402

COMPILERS = ("identity", "streams", "gateway", "delivery")


def compilations(weft):
    text = call("GET", weft.node["ops"] + "/metrics").body.decode()
    name = "weft_estate_compilations_total"
    counts = {}
    for compiler in COMPILERS:
        line = next(line for line in text.splitlines() if line.startswith(f'{name}{{compiler="{compiler}"}}'))
        counts[compiler] = int(line.rsplit(" ", 1)[1])
    return counts


def apply(weft, estate):
    answer = weft.admin("POST", "/apply?prune=true", json.dumps({"files": estate.files()}))
    assert answer.status == 200, answer.body
    return answer.json()["summary"]


@pytest.fixture
def weft(weft_factory):
    return weft_factory(environment={"BENCH_WEBHOOK_SECRET": "whsec_" + "A" * 32}).start()


def test_a_change_of_one_compiles_that_one_and_what_depends_on_it(weft):
    estate = Estate(300)
    apply(weft, estate)
    # Each schema has one stream; a new upstream is a new pool for an Api whose document is kept.
    for kind, expected in [("Schema", {"streams": 2}), ("Stream", {"streams": 1}), ("Subscription", {"delivery": 1}),
                           ("Api", {"gateway": 1}), ("Upstream", {"gateway": 1}), ("Client", {"identity": 1})]:
        before = compilations(weft)
        estate.changes[kind, 3] = 1
        summary = apply(weft, estate)
        after = compilations(weft)

        assert (summary["create"], summary["update"], summary["delete"]) == (0, 1, 0), kind
        grown = {name: after[name] - before[name] for name in COMPILERS if after[name] != before[name]}
        assert grown == expected, kind

    # Nothing changed: nothing is compiled, and no generation is made.
    before, generation = compilations(weft), weft.admin("GET", "/generations").json()["items"][0]["number"]
    assert apply(weft, estate)["unchanged"] == sum(estate.counts.values())
    assert compilations(weft) == before
    assert weft.admin("GET", "/generations").json()["items"][0]["number"] == generation
