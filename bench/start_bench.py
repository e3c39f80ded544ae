#!/usr/bin/env python3
"""From the start of the process to /readyz, and resident memory at rest: the real binary with the demo estate applied
and without load. Each round starts a node on a fresh data folder, waits until its memory stands still, and starts it
again on what it left behind."""
import argparse
import time
from pathlib import Path

from node_under_test import ROOT, Node, bar, bench_folder, emit, resident_mb, spread

READY_SECONDS_MAX = 0.5
RESIDENT_MB_MAX = 40.0
ENVIRONMENT = {"SHOP_API_KEY": "weft_0123456789abcdef_" + "A" * 43,
               "CRM_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
               "CRM_URL": "http://127.0.0.1:9/hooks/orders"}  # nobody publishes, so nobody is called


def resident_at_rest(pid, seconds):
    """The most that was seen over the time: what idles must not grow either."""
    most = 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        most = max(most, resident_mb(pid))
        time.sleep(0.1)
    return most


def measure(folder, idle_seconds):
    node = Node(folder, ROOT / "examples/orders/estate", ["egress.allow=127.0.0.0/8", "kafka.anonymous=true"], ENVIRONMENT)
    line = {}
    for case in ("fresh", "again"):
        begun = time.monotonic()
        with node:
            line[f"ready_s_{case}"] = round(time.monotonic() - begun, 3)
            cpu = sum(float(field) for field in Path(f"/proc/{node.pid}/schedstat").read_text().split()[:1]) / 1e9
            line[f"cpu_s_{case}"] = round(cpu, 3)
            line[f"rss_mb_{case}"] = round(resident_at_rest(node.pid, idle_seconds), 1)
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--idle-seconds", type=float, default=3.0)
    parser.add_argument("--quick", action="store_true", help="three rounds, a second at rest")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.idle_seconds = 3, 1.0
    runs = []
    with bench_folder("start") as folder:
        for number in range(args.rounds):
            runs.append(measure(Path(folder) / str(number), args.idle_seconds))
            emit({"bench": "start", "round": number} | runs[-1])
    ready = spread(value for run in runs for value in (run["ready_s_fresh"], run["ready_s_again"]))
    resident = spread(value for run in runs for value in (run["rss_mb_fresh"], run["rss_mb_again"]))
    emit({"bench": "start", "summary": "demo estate, no load", "rounds": len(runs),
          "ready_s": {case: spread(run[f"ready_s_{case}"] for run in runs) for case in ("fresh", "again")},
          "rss_mb": {case: spread(run[f"rss_mb_{case}"] for run in runs) for case in ("fresh", "again")},
          "bars": [bar(f"start to ready <= {READY_SECONDS_MAX} s", ready["median"], ready["median"] <= READY_SECONDS_MAX),
                   bar(f"idle resident memory <= {RESIDENT_MB_MAX} MB", resident["most"],
                       resident["most"] <= RESIDENT_MB_MAX)]})


if __name__ == "__main__":
    main()
