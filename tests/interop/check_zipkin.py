"""Zipkin's stock server takes a trace at its collector's door and finds it by its id."""
import tempfile
import uuid

from order_flow_test import EXAMPLE, SHOP_KEY, STREAM, WEBHOOK_SECRET, Receiver, post_order
from parts import Served, free_ports, java_program
from weft_process import Weft, call, wait_until

CALLER = "00f067aa0ba902b7"
VERSION = "3.4.4"


def trace_at(zipkin, trace):
    """Its spans by name, as Zipkin's API gives them."""
    answer = call("GET", f"{zipkin}/api/v2/trace/{trace}")
    spans = answer.json() if answer.status == 200 else []
    return {span["name"]: span for span in spans} if len(spans) >= 3 else None


def run():
    server_words = java_program(f"io.zipkin:zipkin-server:{VERSION}:jar:exec")
    port, = free_ports(1)
    trace = uuid.uuid4().hex
    with tempfile.TemporaryDirectory() as folder:
        address = f"http://127.0.0.1:{port}"
        environment = {"QUERY_PORT": str(port), "STORAGE_TYPE": "mem", "SELF_TRACING_ENABLED": "false",
                       "JAVA_TOOL_OPTIONS": "-Xmx256m -Darmeria.transportType=nio"}
        receiver = Receiver()
        with Served(server_words, folder, environment) as server:
            wait_until(lambda: server.answers(f"{address}/health"), seconds=120, what="Zipkin")
            weft = Weft(folder, estate=EXAMPLE / "estate",
                        settings=["egress.allow=127.0.0.0/8", f"telemetry.zipkin.endpoint={address}"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET, "CRM_URL": receiver.url}).start()
            try:
                assert post_order(weft, "key-1", traceparent=f"00-{trace}-{CALLER}-01").status == 201
                found = wait_until(lambda: trace_at(address, trace), seconds=60, what="the trace in Zipkin")
                services = call("GET", f"{address}/api/v2/services").json()
                assert weft.metric("weft_telemetry_dropped_zipkin_spans_total") == 0
            finally:
                weft.stop()
                receiver.close()
            version = call("GET", f"{address}/info").json().get("zipkin", {}).get("version", VERSION)
    # Zipkin keeps names in lower case.
    gateway, append, deliver = found["post /orders"], found[f"append {STREAM}"], found["deliver crm"]
    parents = (gateway["parentId"], append["parentId"], deliver["parentId"])
    assert parents == (CALLER, gateway["id"], append["id"]), found
    assert (gateway["kind"], append["kind"], deliver["kind"]) == ("SERVER", "PRODUCER", "CLIENT"), found
    assert gateway["tags"]["http.response.status_code"] == "201", found
    assert {"gateway", "eventlog", "delivery"} <= set(services), services
    return f"Zipkin {version}: {len(found)} spans of {', '.join(sorted(services))} found by trace id"
