"""The machine's own measure of CPU time: what nginx needs to proxy a request, taken in turn with the runs of a bench.

A bar in microseconds means something on one machine only. Those of Weft were set where nginx needs NGINX_US for a
proxied request of 100 B at 64 connections, so a bench states them also as a multiple of that, measured in the same
run (docs/adr/0002-bars-relative-to-nginx.md).
"""
import argparse
import sys
from pathlib import Path

from node_under_test import bar, end, free_port, spread

sys.path.insert(0, str(Path(__file__).resolve().parent / "gateway"))
import proxy_bench  # noqa: E402

NGINX_US = 10.7


class Yardstick:
    """An nginx that proxies to another one; a context manager."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.processes = []
        self.measured = []

    def __enter__(self):
        ports = {"UPSTREAM": free_port(), "PROXY": free_port()}
        values = ports | {"DIR": self.folder, "WORKERS": 2}
        for template, port in (("nginx_upstream.conf", ports["UPSTREAM"]), ("nginx_proxy.conf", ports["PROXY"])):
            self.processes.append(proxy_bench.start_nginx(template, self.folder, port, values))
        self.port = ports["PROXY"]
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            end(process)

    def measure(self):
        """CPU of one proxied request in microseconds; a run of one second."""
        upstream, proxy = self.processes
        run = proxy_bench.measure(proxy.pid, self.port, upstream.pid, argparse.Namespace(connections=64, seconds=1))
        self.measured.append(run["cpu_us"])
        return run["cpu_us"]

    def bars(self, what, runs, cpu_us_max):
        """The bar as it was set, and as a multiple of the nginx run beside each of `runs` (their CPU times)."""
        ratio = spread(own / nginx for own, nginx in zip(runs, self.measured, strict=True))
        most = round(cpu_us_max / NGINX_US, 2)
        cpu = spread(runs)["median"]
        return {"nginx_us": spread(self.measured), "nginx_ratio": ratio, "bars": [
            bar(f"{what} <= {most} x nginx's proxied request", ratio["median"], ratio["median"] <= most),
            bar(f"{what} <= {cpu_us_max} us", cpu, cpu <= cpu_us_max)]}
