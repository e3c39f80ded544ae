#!/usr/bin/env python3
"""`./dev bench [--quick] [NAME...]`: measures, and prints JSON lines only.

The first line states machine and versions. The machine's raw limits are taken first and last, so that a reader sees
whether it stood still in between. Each bench ends with a line of medians and spread over its rounds, with its bars
beside what was measured; the last line of all repeats the bars. Bars are judged, not enforced: the exit status is 1
only when a bench could not be run.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from node_under_test import bar

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build/release"
BENCH = ROOT / "bench"
SECONDS_MAX = 900


class Bench:
    """A command; `quick` is what --quick adds to it, `judge` makes bars of the lines of a bench that states none."""

    def __init__(self, what, command, quick=(), judge=None):
        self.what = what
        self.command = command
        self.quick = list(quick)
        self.judge = judge


def bars_of_spans(lines):
    costs = [line["value"] for line in lines if line.get("name") == "record_view"]
    if not costs:
        return []
    cost = statistics.median(costs)
    return [bar("span recorded on the caller <= 150 ns", cost, cost <= 150)]


def bars_of_acks(lines):
    sizes = [line["value"] for line in lines if line.get("name") in ("memory", "resident")]
    return [bar("a million in flight <= 100 MB", max(sizes), max(sizes) <= 100)] if sizes else []


def python(script, *words):
    return [sys.executable, BENCH / script, *words]


def benches(folder):
    """By name, in the order in which they run."""
    return {
        "gateway": Bench("proxying 100 B beside nginx: requests per second, CPU per request",
                         python("gateway/proxy_bench.py"),
                         ["--rounds", "4", "--seconds", "1"]),
        "tracing": Bench("proxying 100 B with tracing at 1 % sampling beside tracing off: CPU per request",
                         python("gateway/tracing_bench.py"),
                         ["--rounds", "4", "--seconds", "1"]),
        "validator": Bench("JSON Schema beside ajv over 1,000 documents", python("validator_compare.py"), ["--quick"]),
        "jq": Bench("mappings beside libjq: parse, run and print of 1 KB, compiling", [BUILD / "jq_bench"], ["3", "500"]),
        "publish": Bench("durable POST /orders of the real binary: CPU and syncs per request",
                         python("publish_bench.py"), ["--quick"]),
        "trace_disk": Bench("durable POST /orders with no, some and all traces on disk", python("trace_disk_bench.py"), ["--quick"]),
        "delivery": Bench("signed deliveries of the real binary: CPU per delivery", python("delivery_bench.py"), ["--quick"]),
        "stream": Bench("the Kafka door beside Apache Kafka and NATS JetStream, flushed and not: produce, transactions, end to end, catching up",
                        python("stream_bench.py"), ["--quick"]),
        "groups": Bench("a thousand consumer groups beside Apache Kafka, flushed and not: joining, commits, heartbeats",
                        python("groups_bench.py"), ["--quick"]),
        "scale": Bench("the event log at size: 10,000 partitions, start after kill -9, 15,000 connections, checking each record",
                       python("scale_bench.py"), ["--quick"]),
        "start": Bench("start to ready, resident memory at rest", python("start_bench.py"), ["--quick"]),
        "spans": Bench("recording a span", [BUILD / "span_bench"], judge=bars_of_spans),
        "acks": Bench("an acknowledgement set with a million in flight: memory, CPU, journal", [BUILD / "acks_bench"],
                      judge=bars_of_acks),
        "log": Bench("the log alone: appends, syncs, allocations per record", [BUILD / "log_bench", folder, "3"]),
        "delivery-parts": Bench("deliveries of the modules alone, without the node around them",
                                [BUILD / "delivery_bench", folder, "20000", "7", "64"]),
    }


def version_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = (done.stdout + done.stderr).strip()
    return text.splitlines()[0].strip() if text else None


def file_value(path, key):
    for line in Path(path).read_text().splitlines():
        if line.split(":", 1)[0].strip() == key:
            return line.split(":", 1)[1].strip()
    return None


def disk_of(folder):
    done = subprocess.run(["findmnt", "-n", "-o", "FSTYPE,SOURCE", "-T", folder], capture_output=True, text=True)
    return " on ".join(done.stdout.split()) or None


def machine(folder):
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {"bench": "machine", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "cpu": file_value("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
            "memory": file_value("/proc/meminfo", "MemTotal"), "kernel": platform.release(),
            "system": platform.freedesktop_os_release().get("PRETTY_NAME"), "data_disk": disk_of(folder),
            "load_before": [round(value, 2) for value in os.getloadavg()],
            "commit": commit or None, "compiler": version_of("g++", "--version"), "nginx": version_of("nginx", "-v"),
            "wrk": version_of("wrk", "-v"), "node": version_of("node", "--version")}


def run(name, command, bars, judge=None):
    """Passes the bench's lines on; whether it ended well."""
    lines = []
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        for line in process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                print(f"{name}: not JSON: {line.rstrip()}", file=sys.stderr)
                continue
            if isinstance(said, dict):
                lines.append(said)
                print(json.dumps(said if "bench" in said else {"bench": name, **said}, ensure_ascii=False), flush=True)
        status = process.wait(SECONDS_MAX)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    stated = [one for line in lines for one in line.get("bars", [])]
    bars += [{"bench": name, **one} for one in stated or (judge(lines) if judge else [])]
    if status != 0:
        print(f"{name}: ended with {status}", file=sys.stderr)
    return status == 0


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to run; all without")
    parser.add_argument("--list", action="store_true", help="print the names and what each is, and run nothing")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: a first reading, no verdict")
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="weft-bench-", dir=os.environ.get("WEFT_BENCH_FOLDER"))
    try:
        known = benches(folder)
        if args.list:
            for name, bench in known.items():
                print(f"{name:<15} {bench.what}")
            return 0
        unknown = [name for name in args.names if name not in known]
        if unknown:
            print(f"bench: no bench called {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
            return 2
        limits = [BUILD / "raw_limits_bench", folder, "0.3" if args.quick else "2"]
        print(json.dumps(machine(folder), ensure_ascii=False), flush=True)
        bars, good = [], run("raw_limits", limits, [])
        for name in args.names or known:
            bench = known[name]
            command = bench.command + (bench.quick if args.quick else [])
            good = run(name, command, bars, bench.judge) and good
        good = run("raw_limits", limits, []) and good
        print(json.dumps({"bench": "bars", "quick": args.quick, "load_after": [round(value, 2) for value in os.getloadavg()],
                          "bars": bars}, ensure_ascii=False), flush=True)
        return 0 if good else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
