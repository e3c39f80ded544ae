#!/usr/bin/env python3
"""Proxying a 100 B answer: the gateway of a whole Weft node (contract, API-key check, trace, metrics on) beside nginx.

One JSON line per run, then one with the medians, their spread and the bars. Both proxies have the same number of
workers and one nginx worker as upstream; load is wrk over keep-alive connections. Runs alternate (A B B A ...). CPU is
utime + stime of the proxy's processes, from /proc.
"""
import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from node_under_test import (Node, bar, bench_folder, busy_seconds, cpu_of, emit, end, free_port, resident_mb,  # noqa: E402
                             spread, wait_until)

KEY = "weft_0123456789abcdef_" + "benchkey" * 5 + "AAA"
CPU_RATIO_MAX, RPS_RATIO_MIN = 0.90, 1.10


def family(pid):
    """The process and its children: nginx's work is done by the latter."""
    out = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            out += family(int(child))
    return out


def user_and_system(pid):
    return tuple(map(sum, zip(*(cpu_of(member) for member in family(pid)))))


def start_nginx(template, folder, port, values):
    text = (HERE / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    path = Path(folder) / template
    path.write_text(text)
    process = subprocess.Popen(["nginx", "-c", str(path), "-p", folder])

    def listens():
        if process.poll() is not None:
            sys.exit(f"nginx ended with {process.returncode}")
        return subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"], stderr=subprocess.DEVNULL).returncode == 0

    wait_until(listens, 5, "nginx's port")
    return process


def latency_us(text, percentile):
    match = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)", text)
    return round(float(match.group(1)) * {"us": 1, "ms": 1e3, "s": 1e6}[match.group(2)])


def measure(pid, port, upstream, args):
    """One run of wrk; CPU per request of the proxy alone."""
    command = ["wrk", "-t1", f"-c{args.connections}", f"-d{args.seconds}s", "--latency",
               "-H", f"X-API-Key: {KEY}", f"http://127.0.0.1:{port}/orders/4711"]
    busy, before, up = busy_seconds(), user_and_system(pid), sum(user_and_system(upstream))
    children = os.times()
    began = time.monotonic()
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wall = time.monotonic() - began
    after = os.times()
    wrk = (after.children_user + after.children_system) - (children.children_user + children.children_system)
    user, system = (now - was for now, was in zip(user_and_system(pid), before))
    up = sum(user_and_system(upstream)) - up
    foreign = max(0.0, busy_seconds() - busy - user - system - up - wrk) / wall
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"answers failed:\n{text}")
    return {"rps": round(requests / wall), "cpu_us": round((user + system) / requests * 1e6, 2),
            "user_us": round(user / requests * 1e6, 2),
            "p50_us": latency_us(text, 50), "p99_us": latency_us(text, 99),
            "foreign_cores": round(foreign, 2), "rss_mb": round(sum(map(resident_mb, family(pid))), 1)}


def parse_arguments(doc, workers):
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--workers", type=int, default=workers)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    return parser.parse_args()


def start_node(folder, upstream_port, settings, args):
    """A node that proxies to the upstream."""
    return Node(folder, HERE / "estate", [f"threads.loops={args.workers}", "egress.allow=127.0.0.1", *settings],
                {"BENCH_API_KEY": KEY, "BENCH_UPSTREAM_PORT": str(upstream_port)}).start()


def place_of(node):
    """Process and port of its gateway."""
    return node.pid, int(node.addresses["gateway"].rsplit(":", 1)[1])


def measure_in_turn(what, places, upstream_pid, args):
    """A B B A …: the runs by name. `places` has two names, each with a process and a port."""
    runs = {name: [] for name in places}
    for number in range(args.rounds):
        for name in places if number % 2 == 0 else reversed(places):
            run = measure(*places[name], upstream_pid, args)
            runs[name].append(run)
            emit({"round": number, what: name} | run)
    return runs


def columns(runs):
    """What both summaries say of each side."""
    line = {name: {key: spread(run[key] for run in runs[name]) for key in ("rps", "cpu_us", "user_us", "p50_us", "p99_us")}
            for name in runs}
    line["foreign_cores"] = spread(run["foreign_cores"] for name in runs for run in runs[name])
    return line


def summary(runs, args):
    pairs = list(zip(runs["weft"], runs["nginx"]))
    rps = spread(weft["rps"] / nginx["rps"] for weft, nginx in pairs)
    cpu = spread(weft["cpu_us"] / nginx["cpu_us"] for weft, nginx in pairs)
    line = {"summary": "proxy 100 B", "workers": args.workers, "connections": args.connections, "rounds": len(pairs),
            "rps_ratio": rps, "cpu_ratio": cpu} | columns(runs)
    where = f"gateway, 100 B, {args.connections} connections"
    line["bars"] = [
        bar(f"{where}: CPU per request <= {CPU_RATIO_MAX} x nginx", cpu["median"], cpu["median"] <= CPU_RATIO_MAX),
        bar(f"{where}: requests per second >= {RPS_RATIO_MIN} x nginx", rps["median"], rps["median"] >= RPS_RATIO_MIN)]
    return line


def main():
    args = parse_arguments(__doc__, workers=2)
    started = []
    with bench_folder("gateway") as folder:
        try:
            ports = {"UPSTREAM": free_port(), "PROXY": free_port()}
            values = ports | {"DIR": folder, "WORKERS": args.workers}
            upstream = start_nginx("nginx_upstream.conf", folder, ports["UPSTREAM"], values)
            started.append(upstream)
            nginx = start_nginx("nginx_proxy.conf", folder, ports["PROXY"], values)
            started.append(nginx)
            node = start_node(f"{folder}/node", ports["UPSTREAM"], [], args)
            started.append(node.process)
            proxies = {"nginx": (nginx.pid, ports["PROXY"]), "weft": place_of(node)}
            emit(summary(measure_in_turn("proxy", proxies, upstream.pid, args), args))
        finally:
            for process in reversed(started):
                end(process)


if __name__ == "__main__":
    main()
