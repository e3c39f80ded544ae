#!/usr/bin/env python3
"""What traces on disk cost durable `POST /orders`: nodes that keep none, about 500 spans a second (the default), and all.

The load is that of publish_bench.py, 64 connections. Runs alternate (A B C C B A ...); each is compared with the run without traces on
disk of its own round."""
import argparse
from pathlib import Path

from node_under_test import Node, bench_folder, emit, spread
from publish_bench import KEY, Load, measure, write_estate, write_order

CASES = {"none on disk": ["telemetry.traceDiskBytesMax=0"],
         "500 spans/s": [],
         "all": ["telemetry.sampling.spansPerSecondMax=0"]}
COLUMNS = ("cpu_us", "p50_us", "p99_us", "rps", "other_cores")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="three rounds of a second")
    args = parser.parse_args()
    if args.quick:
        args.seconds, args.rounds = 1, 3
    with bench_folder("trace_disk") as folder:
        folder = Path(folder)
        load = Load(folder / "order.json")
        write_order(load.order)
        estate = write_estate(folder / "estate", False)
        nodes, runs = {}, {name: [] for name in CASES}
        try:
            for place, (name, settings) in enumerate(CASES.items()):
                nodes[name] = Node(folder / str(place), estate, ["gateway.idempotencyKeysMax=20000000", *settings],
                                   {"SHOP_API_KEY": KEY}).start()
                load.run(nodes[name], 64, 1, True)
            for number in range(args.rounds):
                for name in CASES if number % 2 == 0 else reversed(CASES):
                    run = measure(nodes[name], load, 64, args.seconds, True)
                    runs[name].append(run)
                    emit({"bench": "trace_disk", "case": name, "round": number} | {key: run[key] for key in COLUMNS})
        finally:
            for node in nodes.values():
                node.stop()
    base = runs["none on disk"]
    for name, of_case in runs.items():
        emit({"bench": "trace_disk", "summary": name, "rounds": len(of_case)}
             | {key: spread(run[key] for run in of_case) for key in COLUMNS}
             | {f"{key}_ratio": spread(run[key] / other[key] for run, other in zip(of_case, base)) for key in ("cpu_us", "p99_us")})


if __name__ == "__main__":
    main()
