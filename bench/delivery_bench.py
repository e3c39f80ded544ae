#!/usr/bin/env python3
"""Signed deliveries of the real binary: CPU of the whole server process per delivery.

The orders estate with its subscription paused; orders are published as CloudEvents batches over HTTP, then the
subscription is resumed, and the node reads each event, builds and signs the webhook, posts it over kept-alive
connections, records the attempt and moves the cursor. The subscriber is nginx in a process of its own, which answers
204. CPU is utime + stime of all threads of the node from resuming until every delivery is counted, applying the
estate and serving the polls of its metrics included.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

from node_under_test import (BINARY, ROOT, Node, Usage, bench_folder, cpu_of_family, emit, end, free_port,
                             resident_mb, spread)
from yardstick import Yardstick

CPU_US_MAX = 25.0
STREAM = "orders.order.created.v1"
KEY = "weft_0123456789abcdef_" + "A" * 43
PUBLISHER = """
---
apiVersion: weft/v1
kind: Client
metadata: {name: bench, owner: shop-team}
spec:
  apiKeys: ["${env:BENCH_API_KEY}"]
  grants: [{action: stream.write, resource: "orders.*"}]
"""
BENCH_KEY = "weft_fedcba9876543210_" + "B" * 43
BATCH = 200


class Estate:
    """The orders estate with its subscription as the run wants it."""

    def __init__(self, folder, concurrency):
        self.folder = Path(folder)
        shutil.copytree(ROOT / "examples/orders/estate", self.folder)
        with open(self.folder / "clients.yaml", "a") as clients:
            clients.write(PUBLISHER)
        self.file = self.folder / "subscriptions.yaml"
        text = self.file.read_text()
        if not re.search(r"^  concurrency: \d+$", text, re.M):
            sys.exit("subscriptions.yaml has no line 'concurrency' any more")
        self.text = re.sub(r"^  concurrency: \d+$", f"  concurrency: {concurrency}", text, flags=re.M)
        self.write(paused=True)

    def write(self, paused):
        self.file.write_text(self.text.rstrip("\n") + f"\n  paused: {'true' if paused else 'false'}\n")


def start_sink(folder):
    port = free_port()
    text = Path(__file__).with_name("nginx_sink.conf").read_text()
    config = Path(folder) / "nginx_sink.conf"
    config.write_text(text.replace("@DIR@", str(folder)).replace("@SINK@", str(port)))
    return subprocess.Popen(["nginx", "-c", config, "-p", folder], stderr=subprocess.DEVNULL), port


def apply(node, estate, paused):
    estate.write(paused)
    subprocess.run([BINARY, "apply", str(estate.folder), "--data", str(node.data)], check=True, env=node.environment,
                   cwd=node.folder, stdout=subprocess.DEVNULL)


def publish(node, order, count):
    """Orders as CloudEvents, ids of their own, in batches that are each one append."""
    headers = {"Authorization": f"Bearer {BENCH_KEY}", "Content-Type": "application/cloudevents-batch+json"}
    for first in range(0, count, BATCH):
        events = []
        for number in range(first, min(first + BATCH, count)):
            data = dict(order, orderId=f"SO-{number:08d}")
            events.append({"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/apis/orders", "type": STREAM,
                           "subject": data["orderId"], "partitionkey": data["orderId"],
                           "traceparent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01", "data": data})
        body = json.dumps(events, ensure_ascii=False, separators=(",", ":")).encode()
        node.call("POST", f"{node.addresses['gateway']}/events/{STREAM}", body, headers)


def delivered(node):
    text = node.call("GET", node.addresses["ops"] + "/metrics")[1].decode()
    total = 0.0
    for line in text.splitlines():
        if line.startswith("weft_delivery_attempts_total{") and "delivered" in line:
            total += float(line.rsplit(" ", 1)[1])
    return total


def measure(node, sink, estate, order, count, concurrency):
    apply(node, estate, paused=True)
    publish(node, order, count)
    before, metrics = delivered(node), node.metrics()
    usage, sink_cpu = Usage(node.pid), cpu_of_family(sink.pid)
    apply(node, estate, paused=False)
    deadline = time.monotonic() + 120
    while delivered(node) < before + count:
        if time.monotonic() > deadline:
            sys.exit(f"only {delivered(node) - before} of {count} deliveries were made")
        time.sleep(0.1)
    spent, after = usage.end(), node.metrics()
    micro = 1e6 / count
    entries = after["weft_delivery_journal_entries_total"] - metrics["weft_delivery_journal_entries_total"]
    syncs = after["weft_log_fsyncs_total"] - metrics["weft_log_fsyncs_total"]
    threads = sorted(spent["threads"].values(), reverse=True)
    return {"deliveries": count, "concurrency": concurrency,
            "cpu_us": round((spent["user"] + spent["system"]) * micro, 2), "user_us": round(spent["user"] * micro, 2),
            "system_us": round(spent["system"] * micro, 2), "per_second": round(count / spent["wall"]),
            "deliveries_per_entry": round(count / max(1, entries), 1), "deliveries_per_sync": round(count / max(1, syncs), 1),
            "threads_us": [round(t * micro, 2) for t in threads if t * micro > 0.05],
            "sink_cpu_us": round((cpu_of_family(sink.pid) - sink_cpu) * micro, 2),
            "other_cores": spent["other_cores"], "rss_mb": round(resident_mb(node.pid), 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=20_000, help="per round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--quick", action="store_true", help="three rounds of 5,000 deliveries")
    parser.add_argument("--set", action="append", default=[], help="a setting of the node, path=value")
    args = parser.parse_args()
    if args.quick:
        args.deliveries, args.rounds = 5_000, 3
    order = json.loads((ROOT / "examples/orders/order.json").read_text())
    for number in range(3, 6):
        order["lines"].append(dict(order["lines"][number % 2], line=number))
    with bench_folder("delivery") as folder:
        folder = Path(folder)
        estate = Estate(folder / "estate", args.concurrency)
        sink, port = start_sink(folder)
        try:
            environment = {"SHOP_API_KEY": KEY, "BENCH_API_KEY": BENCH_KEY,
                           "CRM_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                           "CRM_URL": f"http://127.0.0.1:{port}/hooks/orders"}
            settings = ["egress.allow=127.0.0.0/8", *args.set]
            with Node(folder / "node", estate.folder, settings, environment) as node, Yardstick(folder) as nginx:
                runs = []
                for number in range(-1, args.rounds):  # the first one warms up and is not counted
                    run = measure(node, sink, estate, order, args.deliveries, args.concurrency)
                    if number >= 0:
                        run["nginx_us"] = nginx.measure()
                        runs.append(run)
                        emit({"bench": "delivery", "round": number} | run)
        finally:
            end(sink)
    keys = ("cpu_us", "user_us", "system_us", "per_second", "deliveries_per_sync", "sink_cpu_us", "other_cores")
    summary = {key: spread(run[key] for run in runs) for key in keys}
    judged = nginx.bars("signed delivery: CPU per delivery", [run["cpu_us"] for run in runs], CPU_US_MAX)
    emit({"bench": "delivery", "summary": f"{args.concurrency} in flight", "rounds": len(runs)} | summary | judged)


if __name__ == "__main__":
    main()
