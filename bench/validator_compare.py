#!/usr/bin/env python3
"""JSON Schema over 1,000 different orders: Weft beside ajv (in Node), validation alone and with parsing.

Both read the same schema and the same documents. Each round starts a new process of either side, warms it up,
and asks both in turn (A B B A ...) for short slices of work; a side's figure of the round is the median of its
slices, in CPU time of its process. Each figure is printed as a JSON line, and at the end a summary with the
median of the rounds' ratios and their spread. Exit code 1 when a bar is missed.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
NODE_FOLDER = HERE / "node"

# Passes over the 1,000 documents per slice, and how many times faster than ajv Weft has to be.
CASES = {
    "validate": {"passes": 40, "bar": 1.5},
    "parse-and-validate": {"passes": 8, "bar": 2.0},
}
WARM_UP = {"validate": 400, "parse-and-validate": 60}  # passes; V8 has then compiled what it will


class Side:
    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def ask(self, case, passes):
        self.process.stdin.write(f"{case} {passes}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.name} ended with {self.process.wait()}")
        return float(answer)

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit(f"{self.name} ended with {self.process.returncode}")


def in_turn(first, second, slices):
    """A B B A A B B A ...: neither side always comes after the other."""
    for number in range(slices):
        yield from (first, second) if number % 2 == 0 else (second, first)


def run_round(number, commands, slices):
    names = list(commands) if number % 2 == 0 else list(reversed(commands))
    sides = [Side(name, commands[name]) for name in names]
    for case, passes in WARM_UP.items():
        for side in sides:
            side.ask(case, passes)
    figures = {}
    for case, settings in CASES.items():
        taken = {side.name: [] for side in sides}
        for side in in_turn(*sides, slices):
            taken[side.name].append(side.ask(case, settings["passes"]))
        figures[case] = {name: statistics.median(values) for name, values in taken.items()}
        for name, values in taken.items():
            print(json.dumps({"bench": "validator", "round": number + 1, "case": case, "side": name,
                              "ns": round(statistics.median(values), 1), "best_ns": round(min(values), 1),
                              "load": os.getloadavg()[0]}), flush=True)
    for side in sides:
        side.close()
    return figures


def summary(rounds, case):
    ratios = [figures[case]["ajv"] / figures[case]["weft"] for figures in rounds]
    low, _, high = statistics.quantiles(ratios, n=4)
    ratio = statistics.median(ratios)
    bar = CASES[case]["bar"]
    return {"case": case, "weft_ns": round(statistics.median(f[case]["weft"] for f in rounds), 1),
            "ajv_ns": round(statistics.median(f[case]["ajv"] for f in rounds), 1),
            "ratio": round(ratio, 2), "quartiles": [round(low, 2), round(high, 2)],
            "spread": [round(min(ratios), 2), round(max(ratios), 2)], "bar": bar, "met": ratio >= bar}


def install_ajv():
    if not (NODE_FOLDER / "node_modules" / "ajv").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=NODE_FOLDER, check=True,
                       stdout=sys.stderr)
    return json.loads((NODE_FOLDER / "node_modules" / "ajv" / "package.json").read_text())["version"]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return os.uname().machine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--slices", type=int, default=12, help="of each side, case and round")
    parser.add_argument("--bench", default=str(ROOT / "build/release/validator_bench"))
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("a spread needs two rounds")

    versions = {"ajv": install_ajv(), "node": output("node", "--version")}
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="weft-validator-") as folder:
        subprocess.run([options.bench, "write", folder], check=True)
        commands = {"weft": [options.bench, folder], "ajv": ["node", str(HERE / "validator_ajv.mjs"), folder]}
        rounds = [run_round(number, commands, options.slices) for number in range(options.rounds)]
    results = [summary(rounds, case) for case in CASES]
    print(json.dumps({"bench": "validator", "summary": results, "rounds": options.rounds, "versions": versions,
                      "machine": f"{processor()}, {os.cpu_count()} cores",
                      "load": [before, os.getloadavg()[0]]}), flush=True)
    return 0 if all(result["met"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
