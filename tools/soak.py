#!/usr/bin/env python3
"""Long simulation: fresh seeds over the shipped object files, for as long as told, and a line in the ledger.

usage: ./dev soak [--minutes N] [--seeds N] [--no-ledger]

Each simulation is a test named *Simulation.*Seeds* that reads WEFT_SIM_FIRST and WEFT_SIM_SEEDS. The ledger,
docs/soak-ledger.md, is committed: seeds that were run once need not be believed.
"""
import argparse
import os
import re
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEDGER = ROOT / "docs/soak-ledger.md"
SUITES = [("weft_eventlog_tests", "log"), ("weft_gateway_tests", "idempotency"), ("weft_delivery_tests", "delivery")]
SEEDS_PER_RUN = 500


def first_unused_seed():
    used = re.findall(r"\| *\d+ to (\d+) *\|", LEDGER.read_text()) if LEDGER.exists() else []
    return max(map(int, used), default=999_999) + 1


def simulations(binary):
    """The seeded simulation tests of a test program."""
    listed = subprocess.run([binary, "--gtest_list_tests", "--gtest_filter=*Simulation.*Seed*"], text=True,
                            capture_output=True, check=True).stdout
    names, suite = [], ""
    for line in listed.splitlines():
        if line and not line.startswith(" "):
            suite = line.strip()
        elif line.startswith("  ") and suite:
            names.append(suite + line.strip().split(" ")[0])
    return names


def run_seeds(binary, name, first, count):
    environment = {**os.environ, "WEFT_SIM_FIRST": str(first), "WEFT_SIM_SEEDS": str(count)}
    result = subprocess.run([binary, f"--gtest_filter={name}", "--gtest_brief=1"], env=environment, text=True,
                            capture_output=True)
    return result.returncode == 0, result.stdout + result.stderr


def append_ledger(rows):
    if not LEDGER.exists():
        LEDGER.write_text("# Soak ledger\n\nSeeds of the simulations that were run by `./dev soak`, and what they found.\n\n"
                          "| Date | Commit | Simulation | Seeds | Minutes | Findings |\n|---|---|---|---|---|---|\n")
    with LEDGER.open("a") as ledger:
        ledger.writelines(rows)


def main():
    parser = argparse.ArgumentParser(prog="./dev soak")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", type=int, help="stop after so many seeds of each simulation")
    parser.add_argument("--no-ledger", action="store_true")
    options = parser.parse_args()

    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True, capture_output=True).stdout.strip()
    planned = []
    for program, label in SUITES:
        binary = ROOT / "build/release" / program
        if binary.exists():
            planned += [(str(binary), name, label) for name in simulations(binary)]
    if not planned:
        sys.exit("soak: no simulation is built; run ./dev build")
    first = first_unused_seed()
    deadline = time.monotonic() + options.minutes * 60
    done = {name: 0 for _, name, _ in planned}
    spent = {name: 0.0 for _, name, _ in planned}
    findings = {name: [] for _, name, _ in planned}
    while time.monotonic() < deadline and any(options.seeds is None or count < options.seeds for count in done.values()):
        for binary, name, _ in planned:
            if options.seeds is not None and done[name] >= options.seeds:
                continue
            count = SEEDS_PER_RUN if options.seeds is None else min(SEEDS_PER_RUN, options.seeds - done[name])
            began = time.monotonic()
            ok, output = run_seeds(binary, name, first + done[name], count)
            spent[name] += time.monotonic() - began
            if not ok:
                seeds = sorted(set(re.findall(r"seed[ =:]+(\d+)", output)))
                findings[name] += seeds or [f"{first + done[name]}…"]
                print(output[-3000:])
            done[name] += count
            print(f"{name}: {done[name]} seeds, {len(findings[name])} findings", flush=True)
    date = datetime.now(timezone.utc).date().isoformat()
    rows = [f"| {date} | {commit} | {name} | {first} to {first + done[name] - 1} | {spent[name] / 60:.1f} | "
            f"{', '.join(findings[name]) or 'none'} |\n" for _, name, _ in planned if done[name]]
    if not options.no_ledger:
        append_ledger(rows)
    print("".join(rows), end="")
    return 1 if any(findings.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
