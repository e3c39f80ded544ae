#!/usr/bin/env python3
"""What tracing costs a proxied request: one Weft node that records with 1 % sampling beside one that records nothing.

Both run side by side with equal settings but telemetry.tracing and telemetry.sampling.ratio; the load is that of
proxy_bench.py. Runs alternate (A B B A ...). CPU is that of the whole process, so what is decided and written in the
background counts too.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
from node_under_test import bar, bench_folder, emit, end, free_port, spread  # noqa: E402
from proxy_bench import columns, measure_in_turn, parse_arguments, place_of, start_nginx, start_node  # noqa: E402

COST_MAX = 1.03
SETTINGS = {"off": ["telemetry.tracing=false"], "sampled": ["telemetry.tracing=true", "telemetry.sampling.ratio=0.01"]}


def summary(runs, args):
    pairs = list(zip(runs["sampled"], runs["off"]))
    cost = spread(sampled["cpu_us"] / off["cpu_us"] for sampled, off in pairs)
    line = {"summary": "tracing at 1 % sampling", "workers": args.workers, "connections": args.connections,
            "rounds": len(pairs), "cpu_ratio": cost} | columns(runs)
    line["bars"] = [bar(f"CPU of a proxied request with tracing at 1 % sampling <= {COST_MAX} x without", cost["median"],
                        cost["median"] <= COST_MAX)]
    return line


def main():
    args = parse_arguments(__doc__, workers=1)
    started = []
    with bench_folder("tracing") as folder:
        try:
            ports = {"UPSTREAM": free_port()}
            upstream = start_nginx("nginx_upstream.conf", folder, ports["UPSTREAM"],
                                   ports | {"DIR": folder, "WORKERS": args.workers})
            started.append(upstream)
            nodes = {}
            for name, settings in SETTINGS.items():
                node = start_node(f"{folder}/{name}", ports["UPSTREAM"], settings, args)
                started.append(node.process)
                nodes[name] = place_of(node)
            emit(summary(measure_in_turn("node", nodes, upstream.pid, args), args))
        finally:
            for process in reversed(started):
                end(process)


if __name__ == "__main__":
    main()
