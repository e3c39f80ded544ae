#!/usr/bin/env python3
"""Durable `POST /orders` of the real binary: server CPU per request and syncs per request.

The orders estate without its subscription (deliveries are measured by delivery_bench.py), so each request is checked
against both contracts, its API key is checked, it is traced and counted, and it is answered after fdatasync. Load is
wrk: each request another order of about 1 KB under another Idempotency-Key. CPU is utime + stime of all threads of
the node, background placement of the log included; syncs are the node's own count (weft_log_fsyncs_total), which
--strace checks against the kernel's in a run of its own.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from node_under_test import ROOT, Node, Usage, bar, bench_folder, emit, end, resident_mb, spread
from yardstick import Yardstick

CPU_US_MAX = 25.0
REQUESTS_PER_SYNC_MIN = 8.0
KEY = "weft_0123456789abcdef_" + "A" * 43
SCRIPT = Path(__file__).resolve().with_name("publish.lua")
PIECES = {"us": 1.0, "ms": 1e3, "s": 1e6}


def write_estate(folder, keyless):
    """The orders estate without its subscription; `keyless` makes the Idempotency-Key optional."""
    shutil.copytree(ROOT / "examples/orders/estate", folder)
    (folder / "subscriptions.yaml").unlink()
    if keyless:
        for name, text, other in (("apis.yaml", "idempotency: required", "idempotency: optional"),
                                  ("order.openapi.yaml", "in: header\n          required: true",
                                   "in: header\n          required: false")):
            before = (folder / name).read_text()
            if text not in before:
                sys.exit(f"{name} does not say '{text}' any more")
            (folder / name).write_text(before.replace(text, other))
    return folder


def write_order(path):
    """order.json with as many lines as make it about 1 KB."""
    order = json.loads((ROOT / "examples/orders/order.json").read_text())
    for number in range(3, 6):
        line = dict(order["lines"][number % 2], line=number)
        order["lines"].append(line)
    text = json.dumps(order, ensure_ascii=False)
    path.write_text(text)
    return len(text.encode())


def percentile_us(text, percent):
    value, unit = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s)$", text, re.M).groups()
    return round(float(value) * PIECES[unit])


class Load:
    def __init__(self, order):
        self.order = order
        self.runs = int(time.time())

    def run(self, node, connections, seconds, keys):
        self.runs += 1
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", SCRIPT,
                   node.addresses["gateway"] + "/orders", "--", self.order, KEY, "keys" if keys else "none",
                   str(self.runs % 2**31)]
        text = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in text or "Socket errors" in text:
            sys.exit(f"requests failed:\n{text}")
        return int(re.search(r"(\d+) requests in", text).group(1)), text


def measure(node, load, connections, seconds, keys):
    before, usage = node.metrics(), Usage(node.pid)
    requests, text = load.run(node, connections, seconds, keys)
    spent, after = usage.end(), node.metrics()
    stored = after["weft_log_appended_records_total"] - before["weft_log_appended_records_total"]
    if stored < requests * (2 if keys else 1):
        sys.exit(f"{requests} requests were answered, but {stored} records stored")
    syncs = after["weft_log_fsyncs_total"] - before["weft_log_fsyncs_total"]
    micro = 1e6 / requests
    threads = sorted(spent["threads"].values(), reverse=True)
    return {"connections": connections, "idempotency_key": keys, "requests": requests,
            "rps": round(requests / spent["wall"]), "cpu_us": round((spent["user"] + spent["system"]) * micro, 2),
            "user_us": round(spent["user"] * micro, 2), "system_us": round(spent["system"] * micro, 2),
            "requests_per_sync": round(requests / syncs, 2),
            "p50_us": percentile_us(text, 50), "p99_us": percentile_us(text, 99),
            "threads_us": [round(t * micro, 2) for t in threads if t * micro > 0.05],
            "other_cores": spent["other_cores"], "rss_mb": round(resident_mb(node.pid), 1)}


def count_by_strace(node, load, seconds, folder):
    """The kernel's count of fdatasync and of other calls, in a run that strace slows down."""
    out = Path(folder) / "strace.txt"
    before = node.metrics()
    tracer = subprocess.Popen(["strace", "-f", "-c", "-S", "calls", "-o", out, "-p", str(node.pid)],
                              stderr=subprocess.PIPE, text=True)
    try:
        tracer.stderr.readline()  # "attached"
        requests, _ = load.run(node, 64, seconds, True)
    finally:
        end(tracer)
        tracer.stderr.close()
    own = node.metrics()["weft_log_fsyncs_total"] - before["weft_log_fsyncs_total"]
    calls = {}
    for line in out.read_text().splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3])
    emit({"bench": "publish", "case": "strace", "requests": requests, "fdatasync": calls.get("fdatasync", 0),
          "weft_log_fsyncs_total": own,
          "calls_per_request": {name: round(count / requests, 3) for name, count in calls.items()
                                if count / requests >= 0.005}})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="three rounds of a second")
    parser.add_argument("--strace", action="store_true", help="also count system calls, in a run of its own")
    parser.add_argument("--set", action="append", default=[], help="a setting of the node, path=value")
    args = parser.parse_args()
    if args.quick:
        args.seconds, args.rounds = 1, 3

    with bench_folder("publish") as folder:
        folder = Path(folder)
        load = Load(folder / "order.json")
        emit({"bench": "publish", "order_bytes": write_order(load.order), "seconds": args.seconds, "rounds": args.rounds})
        settings = ["gateway.idempotencyKeysMax=20000000", *args.set]
        environment = {"SHOP_API_KEY": KEY}
        runs = {}
        with Node(folder / "keyed", write_estate(folder / "estate", False), settings, environment) as keyed, \
                Node(folder / "keyless", write_estate(folder / "estate-keyless", True), settings, environment) as keyless, \
                Yardstick(folder) as nginx:
            cases = [("64 connections", keyed, 64, True), ("64 connections, no key", keyless, 64, False),
                     ("1 connection", keyed, 1, True), ("256 connections", keyed, 256, True)]
            for node, keys in ((keyed, True), (keyless, False)):
                load.run(node, 64, 1, keys)  # caches, files and branch predictors
            for number in range(args.rounds):
                for name, node, connections, keys in cases if number % 2 == 0 else reversed(cases):
                    if connections != 64 and number >= max(3, args.rounds // 2):
                        continue
                    run = measure(node, load, connections, args.seconds, keys)
                    if name == "64 connections":
                        run["nginx_us"] = nginx.measure()
                    runs.setdefault(name, []).append(run)
                    emit({"bench": "publish", "case": name, "round": number} | run)
            if args.strace:
                count_by_strace(keyed, load, args.seconds, folder)
        for name, of_case in runs.items():
            keys = ("cpu_us", "user_us", "system_us", "requests_per_sync", "rps", "p50_us", "p99_us", "other_cores")
            emit({"bench": "publish", "summary": name, "rounds": len(of_case)}
                 | {key: spread(run[key] for run in of_case) for key in keys})
        main_case = runs["64 connections"]
        grouped = spread(run["requests_per_sync"] for run in main_case)["median"]
        judged = nginx.bars("POST /orders durable, 64 connections: CPU per request", [run["cpu_us"] for run in main_case],
                            CPU_US_MAX)
        judged["bars"].append(bar(f"requests per fdatasync >= {REQUESTS_PER_SYNC_MIN}", grouped,
                                  grouped >= REQUESTS_PER_SYNC_MIN))
        emit({"bench": "publish"} | judged)


if __name__ == "__main__":
    main()
