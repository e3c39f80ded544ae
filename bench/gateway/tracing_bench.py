#!/usr/bin/env python3
"""What tracing costs a proxied request: one Weft node that records with 1 % sampling beside one that records nothing.

Both run side by side with equal settings but telemetry.tracing and telemetry.sampling.ratio; the load is that of
proxy_bench.py. Runs alternate (A B B A ...). CPU is that of the whole process, so what is decided and written in the
background counts too.
"""
import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
from node_under_test import Node, bar, bench_folder, emit, end, free_port, spread  # noqa: E402
from proxy_bench import KEY, measure, start_nginx  # noqa: E402

COST_MAX = 1.03
SETTINGS = {"off": ["telemetry.tracing=false"], "sampled": ["telemetry.tracing=true", "telemetry.sampling.ratio=0.01"]}


def summary(runs, args):
    pairs = list(zip(runs["sampled"], runs["off"]))
    cost = spread(sampled["cpu_us"] / off["cpu_us"] for sampled, off in pairs)
    line = {"summary": "tracing at 1 % sampling", "workers": args.workers, "connections": args.connections,
            "rounds": len(pairs), "cpu_ratio": cost}
    for name in runs:
        line[name] = {key: spread(run[key] for run in runs[name]) for key in ("rps", "cpu_us", "user_us", "p50_us", "p99_us")}
    line["foreign_cores"] = spread(run["foreign_cores"] for name in runs for run in runs[name])
    line["bars"] = [bar(f"CPU of a proxied request with tracing at 1 % sampling <= {COST_MAX} x without", cost["median"],
                        cost["median"] <= COST_MAX)]
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    started = []
    with bench_folder("tracing") as folder:
        try:
            ports = {"UPSTREAM": free_port()}
            upstream = start_nginx("nginx_upstream.conf", folder, ports["UPSTREAM"],
                                   ports | {"DIR": folder, "WORKERS": args.workers})
            started.append(upstream)
            nodes = {}
            for name, settings in SETTINGS.items():
                node = Node(f"{folder}/{name}", HERE / "estate",
                            [f"threads.loops={args.workers}", "egress.allow=127.0.0.1", *settings],
                            {"BENCH_API_KEY": KEY, "BENCH_UPSTREAM_PORT": str(ports["UPSTREAM"])}).start()
                started.append(node.process)
                nodes[name] = (node.pid, int(node.addresses["gateway"].rsplit(":", 1)[1]))
            runs = {name: [] for name in nodes}
            for number in range(args.rounds):
                for name in ("off", "sampled") if number % 2 == 0 else ("sampled", "off"):
                    run = measure(*nodes[name], upstream.pid, args)
                    runs[name].append(run)
                    emit({"round": number, "node": name} | run)
            emit(summary(runs, args))
        finally:
            for process in reversed(started):
                end(process)


if __name__ == "__main__":
    main()
