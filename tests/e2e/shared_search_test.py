"""Two real nodes on one PostgreSQL: what one of them saw is found from the other, and who does not answer is named."""
import concurrent.futures
import json
import signal
import time
import uuid

import pytest
from shared_nodes import apply, publish, start_two_nodes, stream
from weft_process import call, wait_until

QUICK = ["nodes.refreshInterval=200ms", "nodes.goneAfter=6s", "nodes.askTimeout=2s"]


def known(node):
    return {entry["name"]: entry["state"] for entry in node.admin("GET", "/nodes").json()["items"]}


@pytest.fixture
def nodes(postgres, weft_factory):
    a, b = start_two_nodes(weft_factory, postgres.url, *QUICK)
    for node in (a, b):
        wait_until(lambda: set(known(node)) == {"a", "b"}, what="both nodes in the list")
    assert apply(a, stream("first")).status == 200
    wait_until(lambda: publish(b, "first") < 300, what="the stream on the other node")
    return a, b


def publish_traced(node, trace=None, parent="00f067aa0ba902b7"):
    trace = trace or uuid.uuid4().hex
    headers = {"Authorization": f"Bearer {node.token}", "ce-specversion": "1.0", "ce-id": uuid.uuid4().hex, "ce-source": "/tests",
               "ce-type": "sent", "Content-Type": "application/json", "traceparent": f"00-{trace}-{parent}-01"}
    assert call("POST", f"{node.gateway}/events/shared.test.first.v1", '{"a": 1}', headers).status < 300
    return trace


def spans_at(node, trace, *words):
    result = node.cli("trace", trace, "-o", "json", *words, check=False)
    return json.loads(result.stdout)["spans"] if result.returncode == 0 else []


def test_the_nodes_of_one_database_know_each_other(nodes):
    a, b = nodes

    assert known(a) == {"a": "this", "b": "up"} and known(b) == {"a": "up", "b": "this"}
    told = a.cli("node", "list").stdout
    assert a.node["admin"] in told and b.node["admin"] in told and "this" in told


def test_a_trace_of_one_node_is_found_from_the_other(nodes):
    a, b = nodes
    trace = publish_traced(a)

    spans = wait_until(lambda: spans_at(b, trace), what="the trace from the other node")

    assert spans and {span["node"] for span in spans} == {"a"}
    listed = b.admin("GET", f"/traces?q={trace}").json()
    assert [(item["traceId"], item["nodes"]) for item in listed["items"]] == [(trace, ["a"])]
    assert {(node["name"], node["answered"]) for node in listed["nodes"]} == {("a", True), ("b", True)}
    assert spans_at(b, trace, "--node", "a") == spans
    assert spans_at(b, trace, "--node", "b") == []
    assert b.admin("GET", f"/traces?q={trace}&nodes=b").json()["items"] == []
    assert "@a" in b.cli("trace", trace).stdout
    unknown = b.cli("trace", trace, "--node", "c", check=False)
    assert unknown.returncode == 1 and "no node 'c' is known" in unknown.stderr
    missing = b.cli("trace", "f" * 32, check=False)
    assert missing.returncode == 1 and f"no trace {'f' * 32} is stored" in missing.stderr


def test_a_trace_over_both_nodes_is_one_tree(nodes):
    a, b = nodes
    trace = publish_traced(a)
    first, = wait_until(lambda: spans_at(b, trace), what="the span of the first node")
    publish_traced(b, trace, first["spanId"])

    wait_until(lambda: {span["node"] for span in spans_at(b, trace)} == {"a", "b"}, what="the spans of both nodes")
    spans = spans_at(b, trace)

    assert [(span["node"], span["parentSpanId"]) for span in spans] == [("a", "00f067aa0ba902b7"), ("b", first["spanId"])]
    assert "a, b" in b.cli("trace", "list").stdout
    root, child = b.cli("trace", trace).stdout.splitlines()[1:]
    assert "@a" in root and "@b" in child and child.startswith("  ") and not root.startswith(" ")
    assert [span["start"] for span in spans] == sorted(span["start"] for span in spans)
    listed = a.admin("GET", f"/traces?q={trace}").json()["items"]
    assert [(item["nodes"], item["spanCount"]) for item in listed] == [(["a", "b"], len(spans))]


def test_log_lines_of_all_nodes_come_in_the_order_of_time_page_by_page(nodes):
    a, b = nodes

    whole = b.admin("GET", "/logs?limit=500").json()["items"]

    assert {line["node"] for line in whole if line["message"] == "ready"} == {"a", "b"}
    assert [line["time"] for line in whole] == sorted((line["time"] for line in whole), reverse=True)
    paged, cursor = [], ""
    while cursor is not None:
        page = b.admin("GET", f"/logs?limit=3&until={whole[0]['time']}" + (f"&cursor={cursor}" if cursor else "")).json()
        paged += page["items"]
        cursor = page.get("nextCursor")
    older = [line for line in whole if line["time"] < whole[0]["time"]]
    assert [line for line in paged if line["time"] < whole[0]["time"]] == older
    text = b.cli("logs", "--text", "ready", "--module", "node").stdout
    assert "node=a" in text and "node=b" in text
    assert "node=a" not in b.cli("logs", "--node", "b").stdout


def test_following_the_log_shows_new_lines_of_the_other_node(nodes):
    a, b = nodes
    end = b.admin("GET", "/logs").json()["end"]
    seen = []

    def took_over_by(name):
        nonlocal end
        page = b.admin("GET", f"/logs?after={end}").json()
        end = page["end"]
        seen.extend(page["items"])
        return any(line["node"] == name and line["message"] == "took over the estate of another node" for line in seen)

    assert apply(a, stream("second")).status == 200
    wait_until(lambda: took_over_by("b"), what="the line of this node")
    assert apply(b, stream("third")).status == 200
    wait_until(lambda: took_over_by("a"), what="the line of the other node")

    assert len(seen) == len({json.dumps(line) for line in seen})


def test_a_node_that_was_killed_is_named_and_the_rest_is_shown(nodes):
    a, b = nodes
    trace = publish_traced(b)
    wait_until(lambda: spans_at(b, trace), what="the trace of the node itself")
    on_a = publish_traced(a)
    wait_until(lambda: spans_at(b, on_a), what="the trace of the other node")

    a.kill()

    shown = b.cli("trace", trace, "-o", "json")
    assert json.loads(shown.stdout)["spans"] and "node a did not answer" in shown.stderr
    lines = b.cli("logs")
    assert "node=b" in lines.stdout and "node a did not answer" in lines.stderr
    listed = b.admin("GET", "/traces").json()
    assert trace in {item["traceId"] for item in listed["items"]}
    assert {node["name"]: node["answered"] for node in listed["nodes"]} == {"a": False, "b": True}
    gone = b.cli("trace", on_a, check=False)
    assert gone.returncode == 1 and "node a did not answer" in gone.stderr
    timeline = b.cli("timeline", "nothing")
    assert "node a did not answer" in timeline.stderr
    assert b.cli("logs", "--node", "a", check=False).returncode == 1
    wait_until(lambda: known(b) == {"a": "gone", "b": "this"}, seconds=40, what="the node as gone")
    assert "gone: last seen" in b.cli("logs").stderr


def test_a_node_that_says_nothing_is_waited_for_as_long_as_the_setting_says(nodes):
    a, b = nodes
    a.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        listed = b.admin("GET", "/logs").json()
        took = time.monotonic() - began

        assert 1.5 < took < 10, took
        assert {node["name"]: node["answered"] for node in listed["nodes"]} == {"a": False, "b": True}
        with concurrent.futures.ThreadPoolExecutor(1) as asking:
            under_way = asking.submit(b.admin, "GET", "/logs")
            time.sleep(0.3)
            assert b.stop() == 0
            under_way.exception()
    finally:
        a.process.send_signal(signal.SIGCONT)


def test_a_node_without_an_admin_port_is_searched_at_its_ops_port(postgres, weft_factory):
    a, b = start_two_nodes(weft_factory, postgres.url, *QUICK, more=["roles=gateway,worker"])
    wait_until(lambda: known(a) == {"a": "this", "b": "up"}, what="both nodes in the list")

    lines = wait_until(lambda: [line for line in a.admin("GET", "/logs?nodes=b").json()["items"]], what="lines of the edge")

    assert {line["node"] for line in lines} == {"b"}
    # Without a node's mark the ops listener says nothing of it.
    assert call("GET", b.node["ops"] + "/api/v1/logs").status == 404
    forged = call("GET", b.node["ops"] + "/api/v1/logs", headers={"Authorization": f"Weft-Node 1:{'0' * 64}"})
    assert forged.status == 401


def test_the_nodes_find_each_other_while_the_database_is_away(nodes, postgres):
    a, b = nodes
    trace = publish_traced(a)
    wait_until(lambda: spans_at(b, trace), what="the trace from the other node")

    postgres.stop()

    assert {span["node"] for span in spans_at(b, trace)} == {"a"}


def test_a_wrong_address_is_told_instead_of_the_wrong_entries(postgres, weft_factory):
    a, b = start_two_nodes(weft_factory, postgres.url, *QUICK)
    b.stop()
    b.settings.append(f"nodes.url={a.node['admin']}")
    b.start()

    def told():
        states = a.admin("GET", "/traces").json().get("nodes", [])
        return [state["why"] for state in states if "set nodes.url of 'b'" in state.get("why", "")]

    why, = wait_until(told, what="the word about the address")
    assert why == f"node 'a' answers at {a.node['admin']}: set nodes.url of 'b'"


def test_a_status_404_of_whoever_stands_at_the_address_is_no_answer(postgres, weft_factory):
    a, b = start_two_nodes(weft_factory, postgres.url, *QUICK)
    b.stop()
    b.settings.append(f"nodes.url={a.node['ops']}")
    b.start()

    def told():
        missing = a.cli("trace", "f" * 32, check=False)
        return "node b did not answer" in missing.stderr and "answered status 404" in missing.stderr

    wait_until(told, what="the word about the address")


def test_a_node_alone_answers_as_before(weft_factory):
    weft = weft_factory().start()

    assert len(weft.admin("GET", "/nodes").json()["items"]) == 1
    for path in ("/logs", "/traces"):
        answer = weft.admin("GET", path).json()
        assert "nodes" not in answer and not any("node" in item for item in answer["items"])


@pytest.mark.parametrize("setting, hint", [("nodes.name=two words", "nodes.name: must be"), ("nodes.name=all", "nodes.name: must be"),
                                           ("nodes.url=10.0.0.1:8080", "nodes.url"),
                                           ("nodes.goneAfter=1s", "nodes.goneAfter: must be longer than nodes.refreshInterval")])
def test_a_setting_that_cannot_be_is_told_at_the_start(weft_factory, setting, hint):
    weft = weft_factory(settings=[setting])

    with pytest.raises(AssertionError, match=hint):
        weft.start()
