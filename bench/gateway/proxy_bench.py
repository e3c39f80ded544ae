#!/usr/bin/env python3
"""Proxying a 100 B answer: the gateway of a whole Weft node (contract, API-key check, trace, metrics on) beside nginx.

One JSON line per run, then one with the medians and their spread. Both proxies have the same number of
workers and one nginx worker as upstream; load is wrk over keep-alive connections. Runs alternate
(A B B A ...). CPU is utime + stime of the proxy's processes, from /proc.
"""
import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
KEY = "weft_0123456789abcdef_" + "benchkey" * 5 + "AAA"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    for _ in range(500):
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    sys.exit(f"{process.args[0]} does not listen on {port}")


def family(pid):
    """The process and its children: nginx's work is done by the latter."""
    out = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            out += family(int(child))
    return out


def cpu_seconds(pid):
    return sum(user_and_system(pid))


def user_and_system(pid):
    user = system = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        user += int(fields[11])
        system += int(fields[12])
    return user / TICKS, system / TICKS


def busy_seconds():
    fields = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / TICKS


def rss_mb(pid):
    total = 0
    for member in family(pid):
        match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{member}/status").read_text())
        total += int(match.group(1)) / 1024
    return round(total, 1)


def configured(template, folder, values):
    text = (HERE / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    path = Path(folder) / template
    path.write_text(text)
    return path


def start_weft(args, folder, upstream_port):
    """A node with the bench's estate; returns its process and the gateway's port."""
    environment = {**os.environ, "BENCH_API_KEY": KEY, "BENCH_UPSTREAM_PORT": str(upstream_port)}
    log = open(f"{folder}/weft.log", "wb")
    process = subprocess.Popen(
        [args.weft, "serve", "--data", f"{folder}/data", "--estate", HERE / "estate", "--ports", "auto",
         "--set", f"threads.loops={args.workers}", "--set", "egress.allow=127.0.0.1"], env=environment, stdout=log, stderr=log)
    node = Path(folder, "data/node.json")
    for _ in range(1000):
        if process.poll() is not None:
            sys.exit(f"weft ended with {process.returncode}:\n{Path(folder, 'weft.log').read_text()}")
        if node.exists():
            port = int(json.loads(node.read_text())["gateway"].rsplit(":", 1)[1])
            wait_for(port, process)
            return process, port
        time.sleep(0.01)
    sys.exit("weft did not become ready within 10 s")


def latency_us(text, percentile):
    match = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)", text)
    return round(float(match.group(1)) * {"us": 1, "ms": 1e3, "s": 1e6}[match.group(2)])


def measure(port, process, upstream, args):
    """One run of wrk; CPU per request of the proxy alone."""
    command = ["wrk", "-t1", f"-c{args.connections}", f"-d{args.seconds}s", "--latency",
               "-H", f"X-API-Key: {KEY}", f"http://127.0.0.1:{port}/orders/4711"]
    busy, before, up = busy_seconds(), user_and_system(process.pid), cpu_seconds(upstream.pid)
    children = os.times()
    began = time.monotonic()
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wall = time.monotonic() - began
    after = os.times()
    wrk = (after.children_user + after.children_system) - (children.children_user + children.children_system)
    user, system = (after - was for after, was in zip(user_and_system(process.pid), before))
    own = user + system
    up = cpu_seconds(upstream.pid) - up
    foreign = max(0.0, busy_seconds() - busy - own - up - wrk) / wall
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if failed or "Socket errors" in text:
        sys.exit(f"answers failed:\n{text}")
    return {"rps": round(requests / wall), "cpu_us": round(own / requests * 1e6, 2),
            "user_us": round(user / requests * 1e6, 2),
            "p50_us": latency_us(text, 50), "p99_us": latency_us(text, 99),
            "foreign_cores": round(foreign, 2), "rss_mb": rss_mb(process.pid)}


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", default=ROOT / "build/release/weft", help="the binary to measure")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="weft-bench-")
    ports = {"UPSTREAM": free_port(), "PROXY": free_port()}
    values = ports | {"DIR": folder, "WORKERS": args.workers}
    started = []

    def start(command, port):
        process = subprocess.Popen([str(part) for part in command])
        started.append(process)
        wait_for(port, process)
        return process

    try:
        upstream = start(["nginx", "-c", configured("nginx_upstream.conf", folder, values), "-p", folder],
                         ports["UPSTREAM"])
        nginx = start(["nginx", "-c", configured("nginx_proxy.conf", folder, values), "-p", folder], ports["PROXY"])
        weft, weft_port = start_weft(args, folder, ports["UPSTREAM"])
        started.append(weft)
        proxies = {"nginx": (nginx, ports["PROXY"]), "weft": (weft, weft_port)}
        runs = {"nginx": [], "weft": []}
        for round_number in range(args.rounds):
            order = ("nginx", "weft") if round_number % 2 == 0 else ("weft", "nginx")
            for name in order:
                process, port = proxies[name]
                run = measure(port, process, upstream, args)
                runs[name].append(run)
                print(json.dumps({"round": round_number, "proxy": name} | run), flush=True)
        pairs = list(zip(runs["weft"], runs["nginx"]))
        print(json.dumps({
            "summary": "proxy 100 B", "workers": args.workers, "connections": args.connections,
            "rounds": args.rounds,
            "rps_ratio": {k: round(v, 3) for k, v in spread([w["rps"] / n["rps"] for w, n in pairs]).items()},
            "cpu_ratio": {k: round(v, 3) for k, v in spread([w["cpu_us"] / n["cpu_us"] for w, n in pairs]).items()},
            "weft": {key: spread([run[key] for run in runs["weft"]]) for key in ("rps", "cpu_us", "user_us", "p50_us", "p99_us")},
            "nginx": {key: spread([run[key] for run in runs["nginx"]]) for key in ("rps", "cpu_us", "user_us", "p50_us", "p99_us")},
            "foreign_cores": spread([run["foreign_cores"] for run in runs["weft"] + runs["nginx"]]),
        }))
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
