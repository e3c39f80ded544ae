"""The main job, with clients that we did not write: an HTTP order becomes a durable event that Kafka clients
read and a signed webhook that the official library verifies, and one trace shows all of it."""
import base64
import json
import os
import re
import shutil
import subprocess
import threading
import uuid

import pytest
from webhook_receiver import Receiver
from weft_process import ROOT, call, wait_until

EXAMPLE = ROOT / "examples/orders"
STREAM = "orders.order.created.v1"
SHOP_KEY = "weft_00112233445566aa_" + base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
WEBHOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def demo(weft_factory, receiver):
    weft = weft_factory(estate=EXAMPLE / "estate",
                        settings=["egress.allow=127.0.0.0/8", "kafka.anonymous=true", "kafka.rebalanceDelay=0s"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": receiver.url})
    return weft.start()


def impatient(folder):
    """A copy of the example's estate whose subscription gives up after one attempt, and says so in a log line."""
    estate = folder / "estate"
    shutil.copytree(EXAMPLE / "estate", estate)
    file = estate / "subscriptions.yaml"
    file.write_text(file.read_text().replace("attemptsMax: 12", "attemptsMax: 1"))
    return estate


def post_order(weft, key, order=None, **headers):
    body = order if order is not None else (EXAMPLE / "order.json").read_bytes()
    return call("POST", weft.gateway + "/orders", body, {"Authorization": f"Bearer {SHOP_KEY}", "Idempotency-Key": key,
                                                         "Content-Type": "application/json", **headers})


def kcat(weft, *words):
    result = subprocess.run(["kcat", "-b", weft.kafka, *words], text=True, capture_output=True, timeout=30)
    assert result.returncode == 0, result.stderr
    return result.stdout


def records(weft):
    out = kcat(weft, "-C", "-t", STREAM, "-o", "beginning", "-e", "-q", "-f", "%p %o %k %h\\n")
    return out.splitlines()


def test_a_repeated_post_gets_the_same_answer_and_stores_one_record(demo):
    first = post_order(demo, "key-1")
    second = post_order(demo, "key-1")

    assert first.status == second.status == 201
    assert first.body == second.body
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(records(demo)) == 1


def test_concurrent_posts_with_one_key_store_one_record(demo):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(post_order(demo, "same"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {a.status for a in answers} == {201}
    assert len({a.body for a in answers}) == 1
    assert len(records(demo)) == 1


def test_the_answer_to_a_key_survives_kill_minus_nine(demo):
    first = post_order(demo, "key-1")

    demo.kill()
    demo.start()
    second = post_order(demo, "key-1")

    assert second.body == first.body
    assert len(records(demo)) == 1


def test_a_key_with_another_payload_is_refused(demo):
    post_order(demo, "key-1")
    other = json.loads((EXAMPLE / "order.json").read_text(), parse_float=lambda text: float(text))
    other["orderId"] = "SO-99999999"

    answer = post_order(demo, "key-1", json.dumps(other))

    assert answer.status == 422
    assert answer.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_kcat_reads_the_event_with_its_value_byte_for_byte(demo):
    post_order(demo, "key-1")

    value = kcat(demo, "-C", "-t", STREAM, "-o", "beginning", "-e", "-q", "-f", "%s")

    assert value == (EXAMPLE / "order.json").read_text()
    assert "ce_type=" + STREAM in records(demo)[0]


def test_an_order_that_breaks_the_contract_is_refused_with_its_place(demo):
    order = json.loads((EXAMPLE / "order.json").read_text())
    order["currency"] = "Euro"

    answer = post_order(demo, "key-1", json.dumps(order))

    problem = answer.json()
    assert answer.status == 400
    assert problem["code"] == "CONTRACT_VIOLATION"
    assert any(d["pointer"] == "/currency" for d in problem["details"])
    assert re.fullmatch("[0-9a-f]{32}", problem["traceId"])
    assert records(demo) == []


@pytest.mark.parametrize("headers, status, code", [
    ({"Authorization": "Bearer weft_0011223344556677_wrong"}, 401, "UNAUTHENTICATED"),
    ({"Idempotency-Key": ""}, 400, "IDEMPOTENCY_KEY_REQUIRED"),
    ({"Idempotency-Key": "k" * 256}, 400, "IDEMPOTENCY_KEY_TOO_LONG"),
])
def test_a_request_without_what_the_door_asks_for_is_refused(demo, headers, status, code):
    answer = post_order(demo, "key-1", **headers)

    assert answer.status == status
    assert answer.json()["code"] == code


def test_the_official_library_verifies_the_webhook(demo, receiver):
    post_order(demo, "key-1")
    wait_until(receiver.accepted, what="the delivery")
    request = receiver.accepted()[0]
    modules = os.environ.get("WEFT_NODE_FOLDER", ROOT / "tests/e2e/node")
    script = """
      const { Webhook } = require('standardwebhooks');
      const input = JSON.parse(require('fs').readFileSync(0, 'utf8'));
      const hook = new Webhook(input.secret);
      console.log(JSON.stringify(hook.verify(input.body, input.headers)));
      try { hook.verify(input.body + ' ', input.headers); console.log('ACCEPTED A CHANGED BODY'); } catch { }
    """
    headers = {name.lower(): value for name, value in request["headers"].items()}
    result = subprocess.run(["node", "-e", script], cwd=modules, text=True, capture_output=True, timeout=30,
                            input=json.dumps({"secret": WEBHOOK_SECRET.removeprefix("whsec_"), "body": request["body"].decode(), "headers": headers}))

    assert result.returncode == 0, result.stderr
    lines = result.stdout.strip().splitlines()
    assert len(lines) == 1, lines
    assert json.loads(lines[0])["type"] == STREAM


def test_retries_of_a_delivery_keep_its_id(demo, receiver):
    receiver.statuses = [500, 503]

    post_order(demo, "key-1")
    wait_until(receiver.accepted, seconds=30, what="the delivery")

    assert len(receiver.requests) == 3
    assert len({r["headers"]["webhook-id"] for r in receiver.requests}) == 1


def test_one_trace_shows_gateway_append_and_delivery(demo, receiver):
    trace = uuid.uuid4().hex
    answer = post_order(demo, "key-1", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    assert answer.status == 201
    wait_until(receiver.accepted, what="the delivery")

    def spans():
        shown = demo.cli("trace", trace, "-o", "json", check=False)
        found = json.loads(shown.stdout)["spans"] if shown.returncode == 0 else []
        return found if len(found) >= 3 else None

    found = wait_until(spans, what="three spans")
    by_id = {span["spanId"]: span for span in found}
    names = {span["name"] for span in found}
    assert names == {"POST /orders", f"append {STREAM}", "deliver crm"}
    deliver = next(span for span in found if span["name"] == "deliver crm")
    append = by_id[deliver["parentSpanId"]]
    assert append["name"] == f"append {STREAM}"
    assert by_id[append["parentSpanId"]]["name"] == "POST /orders"
    assert trace in receiver.accepted()[0]["headers"]["traceparent"]


def test_gone_disables_the_subscription_and_loses_nothing(demo, receiver):
    receiver.statuses = [410]
    post_order(demo, "key-1")

    def disabled():
        subscription = demo.admin("GET", "/subscriptions/crm").json()
        return subscription if subscription["status"] == "disabled" else None

    assert "410" in wait_until(disabled, what="the subscription to be disabled")["statusReason"]
    assert len(receiver.requests) == 1


def test_a_dead_letter_is_redriven_to_its_subscription(weft_factory, receiver, tmp_path):
    estate = tmp_path / "estate"
    shutil.copytree(EXAMPLE / "estate", estate)
    file = estate / "subscriptions.yaml"
    file.write_text(file.read_text().replace("attemptsMax: 12", "attemptsMax: 2").replace("initialDelay: 1s", "initialDelay: 10ms"))
    weft = weft_factory(estate=estate, settings=["egress.allow=127.0.0.0/8"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": receiver.url}).start()
    receiver.statuses = [500, 500]
    post_order(weft, "key-1")
    dead = wait_until(lambda: weft.admin("GET", "/deliveries?status=dead").json()["items"], what="the dead letter")[0]
    shown = weft.admin("GET", f"/deliveries/{dead['id']}").json()
    assert [a["response"]["status"] for a in shown["attempts"]] == [500, 500]
    assert dead["deadReason"]

    weft.cli("delivery", "redrive", dead["id"])
    newest = weft.admin("GET", "/audit?limit=1").json()["items"][0]
    assert (newest["action"], newest["kind"], newest["name"]) == ("delivery.redrive", "Delivery", dead["id"])

    wait_until(receiver.accepted, what="the redriven delivery")
    assert len({r["headers"]["webhook-id"] for r in receiver.requests}) == 1
    wait_until(lambda: not weft.admin("GET", "/deliveries?status=dead").json()["items"], what="no dead letter")
