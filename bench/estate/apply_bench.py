#!/usr/bin/env python3
"""What an apply costs the server: an estate of 2,000 resources, a change of one.

CPU is what all threads of the server ran (schedstat) between request and answer, wall is the answer's time; the client
and the loading of a folder are not in it. `folder` sends the whole estate as `weft apply` does, `one` sends the changed
resource alone as the API does. Each round changes another resource; medians of the rounds, after one that warms up.

usage: bench/estate/apply_bench.py [--resources 2000] [--rounds 9]     prints JSON lines
"""
import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from weft_process import Weft  # noqa: E402

SHARES = {"Schema": 0.2, "Stream": 0.2, "Subscription": 0.2, "Api": 0.2, "Upstream": 0.1, "Client": 0.1}


def field(name):
    return {"type": "string", "minLength": 1, "maxLength": 200, "description": f"the {name}"}


def order_schema(i):
    line = {"type": "object", "required": ["sku", "quantity"], "additionalProperties": False,
            "properties": {"sku": field("sku"), "quantity": {"type": "integer", "minimum": 1}}}
    return {"type": "object", "required": ["id", "lines"], "title": f"Order {i}",
            "properties": {"id": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{6,12}$"}, "customer": field("customer"),
                           "lines": {"type": "array", "minItems": 1, "maxItems": 200, "items": line}}}


def openapi(i):
    body = {"required": True, "content": {"application/json": {"schema": order_schema(i)}}}
    return {"openapi": "3.1.0", "info": {"title": f"Orders {i}", "version": "1.0.0"},
            "paths": {f"/v{i}/orders": {"post": {"operationId": "create", "requestBody": body,
                                                 "responses": {"201": {"description": "stored"}}},
                                        "get": {"operationId": "list", "responses": {"200": {"description": "all"}}}}}}


def spec(kind, i, change, counts):
    text = f"number {i}, change {change}"
    if kind == "Schema":
        return {"description": text, "format": "json-schema", "definition": order_schema(i)}
    if kind == "Stream":
        return {"description": text, "schema": f"schema-{i % counts['Schema']}"}
    if kind == "Subscription":
        return {"concurrency": 1 + change, "streams": [f"shop.order{i % counts['Stream']}.created.v1"], "paused": True,
                "endpoint": {"url": "http://127.0.0.1:9/hooks"}, "signing": {"secrets": ["${env:BENCH_WEBHOOK_SECRET}"]}}
    if kind == "Api":
        return {"version": f"1.0.{change}", "openapi": openapi(i), "upstream": f"upstream-{i % counts['Upstream']}"}
    if kind == "Upstream":
        return {"targets": ["http://127.0.0.1:9"], "timeout": f"{30 + change}s"}
    return {"description": text, "grants": [{"action": "route.call", "resource": f"api-{i}"}]}


def name_of(kind, i):
    return f"shop.order{i}.created.v1" if kind == "Stream" else f"{kind.lower()}-{i}"


def as_file(kind, i, change, counts):
    name = name_of(kind, i)
    document = {"apiVersion": "weft/v1", "kind": kind, "metadata": {"name": name, "owner": "bench"},
                "spec": spec(kind, i, change, counts)}
    return {"path": f"default/{kind}/{name}.json", "content": json.dumps(document, sort_keys=True, separators=(",", ":"))}


class Estate:
    def __init__(self, resources):
        self.counts = {kind: int(resources * share) for kind, share in SHARES.items()}
        self.changes = {}

    def file(self, kind, i):
        return as_file(kind, i, self.changes.get((kind, i), 0), self.counts)

    def files(self):
        return [self.file(kind, i) for kind, count in self.counts.items() for i in range(count)]


def cpu_seconds(pid):
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def apply(weft, files, prune):
    body = json.dumps({"files": files})
    cpu, wall = cpu_seconds(weft.process.pid), time.monotonic()
    answer = weft.admin("POST", f"/apply?prune={'true' if prune else 'false'}", body)
    wall, cpu = time.monotonic() - wall, cpu_seconds(weft.process.pid) - cpu
    if answer.status != 200:
        raise SystemExit(f"apply answered {answer.status}: {answer.body[:2000]}")
    return answer.json()["summary"], cpu * 1e3, wall * 1e3


def measure(weft, estate, kind, way, rounds):
    cpu, wall = [], []
    for i in range(rounds + 1):
        estate.changes[kind, i] = estate.changes.get((kind, i), 0) + 1
        files = estate.files() if way == "folder" else [estate.file(kind, i)]
        summary, cpu_ms, wall_ms = apply(weft, files, way == "folder")
        if summary["update"] != 1 or summary["create"] + summary["delete"] != 0:
            raise SystemExit(f"a change of one was {summary}")
        if i > 0:
            cpu.append(cpu_ms)
            wall.append(wall_ms)
    return {"bench": "estate_apply", "kind": kind, "way": way, "resources": sum(estate.counts.values()),
            "cpu_ms": round(statistics.median(cpu), 2), "wall_ms": round(statistics.median(wall), 2), "rounds": rounds}


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--resources", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=9)
    options = options.parse_args()
    estate = Estate(options.resources)
    with tempfile.TemporaryDirectory() as folder:
        weft = Weft(folder, environment={"BENCH_WEBHOOK_SECRET": "whsec_" + "A" * 32}).start()
        try:
            _, cpu_ms, wall_ms = apply(weft, estate.files(), True)
            print(json.dumps({"bench": "estate_apply", "kind": "all", "way": "first", "cpu_ms": round(cpu_ms, 1),
                              "wall_ms": round(wall_ms, 1), "resources": sum(estate.counts.values())}), flush=True)
            for way in ("folder", "one"):
                for kind in SHARES:
                    # The API's changes are its own; the folder's manager must stay the same for a change of one.
                    print(json.dumps(measure(weft, estate, kind, way, options.rounds)), flush=True)
        finally:
            weft.stop()


if __name__ == "__main__":
    main()
