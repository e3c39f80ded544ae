"""What a node says of itself is what docs/observability.md publishes."""
import json
import re
import subprocess
import sys
import uuid

from order_flow_test import EXAMPLE, SHOP_KEY, WEBHOOK_SECRET, post_order, receiver  # noqa: F401
from weft_process import ROOT, call, wait_until

PAGE = (ROOT / "docs/observability.md").read_text()
# The rows of the table of spans: a pattern of the name, and the kind.
SPANS = [(re.sub(r"<\w+>", r"\\S+", name), kind) for name, kind in re.findall(r"^\| `([^`]+)` \| (server|client|producer) \|", PAGE, re.M)]
LISTED = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.S)))


def test_the_tables_are_what_the_source_says():
    checked = subprocess.run([sys.executable, str(ROOT / "tools/observability.py"), "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_metrics_attributes_and_log_fields_of_a_node_are_listed(weft_factory, receiver):  # noqa: F811
    node = weft_factory(estate=EXAMPLE / "estate", settings=["egress.allow=127.0.0.0/8"],
                        environment={"SHOP_API_KEY": SHOP_KEY, "CRM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                     "CRM_URL": receiver.url}).start()
    receiver.statuses = [410]
    trace = uuid.uuid4().hex
    assert post_order(node, "key-1", traceparent=f"00-{trace}-00f067aa0ba902b7-01").status == 201

    def spans():
        result = node.cli("trace", trace, "-o", "json", check=False)
        found = json.loads(result.stdout)["spans"] if result.returncode == 0 else []
        return found if len(found) >= 3 else None

    recorded = wait_until(spans, what="three spans")
    for span in recorded:
        assert any(re.fullmatch(name, span["name"]) and span["kind"] == kind for name, kind in SPANS), span
    attributes = {name for span in recorded for name in span["attributes"]}
    metrics = re.findall(r"^# TYPE (\S+) (\S+)$", call("GET", node.node["ops"] + "/metrics").body.decode(), re.M)
    lines = [json.loads(line) for line in node.cli("logs", "--limit", "500", "-o", "json").stdout.splitlines()]

    assert attributes and attributes <= LISTED
    assert "weft.business_key" in attributes
    assert len(metrics) > 40
    assert {f"| `{name}` | {kind} |" for name, kind in metrics} <= set(re.findall(r"^\| `\w+` \| \w+ \|", PAGE, re.M))
    assert len(lines) > 3
    assert {field for line in lines for field in line} <= LISTED
