#!/usr/bin/env python3
"""Long simulation: fresh seeds over the shipped object files, and a line in the ledger for each simulation.

usage: ./dev soak [--minutes N] [--seeds N] [--jobs N] [--first-seed N] [--no-ledger] [--mutants] [SIMULATION...]

Runs all simulations, or those named as the ledger names them. Ends when each has had --seeds seeds, or after --minutes
(10 unless seeds are asked for), or at an interrupt; what was run by then is in the ledger, docs/soak-ledger.md, which
is committed. A simulation is a test named *Simulation.*Seeds*; it reads WEFT_FIRST_SEED and WEFT_SEEDS and prints which seeds it ran. --mutants shows instead at
which seed each deliberate defect is found. docs/simulation.md says what is simulated.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEDGER = ROOT / "docs/soak-ledger.md"
LEDGER_HEAD = """# Soak ledger

Seeds of the simulations ([what they are](simulation.md)) that `./dev soak` ran, and what they found. No seed is run twice.

| Date | Commit | Simulation | Seeds | First and last | CPU minutes | Violations |
|---|---|---|---|---|---|---|
"""
PROGRAMS = ["weft_eventlog_simulation_tests", "weft_gateway_simulation_tests", "weft_delivery_simulation_tests",
            "weft_app_simulation_tests", "weft_mapping_simulation_tests"]
# As the ledger calls them, by test suite.
LABELS = {"LogSimulation": "log", "TransactionSimulation": "transactions", "CompactionSimulation": "compaction",
          "RetentionSimulation": "retention", "GroupsSimulation": "groups",
          "AckSetSimulation": "acknowledgements", "IdempotencySimulation": "idempotency", "DeliverySimulation": "delivery", "ChainSimulation": "chain of nodes", "JqSimulation": "jq"}
SEEDS_PER_RUN = 250
MEMORY_BYTES_MAX = 4 << 30  # of a run: libjq knows no limit


class Simulation:
    """One seeded test and what came of it. Several workers may run seeds of it at once."""

    def __init__(self, program, name, label, first):
        self.program, self.name, self.label, self.first = program, name, label, first
        self.next = first
        self.left_over = []  # ranges behind a seed that found something
        self.done = 0
        self.findings = []
        self.cpu_seconds = 0.0

    def claimed(self):
        return self.next - self.first

    def share(self):
        """CPU seconds that it has had, with those that its running seeds will take."""
        return self.cpu_seconds * self.claimed() / self.done if self.done else self.claimed() * 1e-3

    def claim(self, seeds_max):
        """The next seeds to run, as first and count; absent when there are enough."""
        if self.left_over:
            return self.left_over.pop()
        count = SEEDS_PER_RUN if seeds_max is None else min(SEEDS_PER_RUN, seeds_max - self.claimed())
        self.next += count
        return (self.next - count, count) if count > 0 else None

    def run(self, begin, count):
        """Exit status, output and CPU time of these seeds; the program ends at the first that finds something."""
        environment = {**os.environ, "WEFT_FIRST_SEED": str(begin), "WEFT_SEEDS": str(count)}
        process = subprocess.Popen(["prlimit", f"--as={MEMORY_BYTES_MAX}", self.program, f"--gtest_filter={self.name}"],
                                   env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, output, usage.ru_utime + usage.ru_stime

    def note(self, begin, count, status, output, cpu_seconds):
        self.cpu_seconds += cpu_seconds
        failing = re.search(r"WEFT_SEED=(\d+)", output)
        ran = re.search(rf"^(\d+) seeds were run, {begin} to ", output, re.M)
        if status != 0 and failing:
            seed = int(failing.group(1))
            self.findings.append(str(seed))
            self.done += seed + 1 - begin
            if seed + 1 < begin + count:
                self.left_over.append((seed + 1, begin + count - seed - 1))
            print(output[-3000:], flush=True)
        elif status == 0 and ran and int(ran.group(1)) == count:
            self.done += count
        else:
            print(output[-3000:], flush=True)
            raise SystemExit(f"soak: {self.name} did not run the seeds that it was told to")

    def row(self, date, commit):
        return (f"| {date} | {commit} | {self.label} | {self.done:,} | {self.first} to {self.next - 1} "
                f"| {self.cpu_seconds / 60:.1f} | {', '.join(self.findings) or '0'} |\n")


def first_unused_seed():
    used = re.findall(r"\| *\d+ to (\d+) *\|", LEDGER.read_text()) if LEDGER.exists() else []
    return max(map(int, used), default=999_999) + 1


def tests_of(program, pattern):
    """The tests of a program whose names match."""
    listed = subprocess.run([program, "--gtest_list_tests", f"--gtest_filter={pattern}"], text=True, capture_output=True,
                            check=True).stdout
    names, suite = [], ""
    for line in listed.splitlines():
        if line.startswith("  ") and suite:
            names.append(suite + line.strip().split(" ")[0])
        elif line.endswith("."):
            suite = line.strip()
    return names


def built_programs():
    for name in PROGRAMS:
        program = ROOT / "build/release" / name
        if not program.exists():
            sys.exit(f"soak: {program} is not built; run ./dev build")
        yield str(program)


def commit_name():
    """The commit that was built, marked when the sources differ from it."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, text=True, capture_output=True).stdout.strip()
    return git("rev-parse", "--short", "HEAD") + ("+changes" if git("status", "--porcelain", "--", "src", "cmake") else "")


def show_mutants():
    status = 0
    for program in built_programs():
        result = subprocess.run([program, "--gtest_filter=*Mutants.*"], text=True, capture_output=True)
        print("\n".join(line for line in result.stdout.splitlines() if "mutant" in line and line.startswith("mutant")))
        if result.returncode != 0:
            print(result.stdout[-3000:])
            status = 1
    return status


class Soak:
    """Works on all simulations at once, each in turns of some seeds."""

    def __init__(self, simulations, seeds, deadline):
        self.simulations, self.seeds, self.deadline = simulations, seeds, deadline
        self.lock = threading.Lock()
        self.failure = None

    def end_soon(self, *_):
        """The seeds under way are run, and no others."""
        self.deadline = time.monotonic()

    def take(self):
        """Seeds of the simulation that has had the least time; each gets as much of it, not as many seeds."""
        with self.lock:
            if self.failure or (self.deadline and time.monotonic() > self.deadline):
                return None
            for simulation in sorted(self.simulations, key=Simulation.share):
                if claim := simulation.claim(self.seeds):
                    return simulation, claim
            return None

    def work(self):
        while taken := self.take():
            simulation, (begin, count) = taken
            outcome = simulation.run(begin, count)
            with self.lock:
                try:
                    simulation.note(begin, count, *outcome)
                except SystemExit as failure:
                    self.failure = failure
                    return
                print(f"{simulation.label}: {simulation.done} seeds, {len(simulation.findings)} violations", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./dev soak")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seeds", type=int, help="of each simulation")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--first-seed", type=int, default=0,
                        help="begin no earlier, where another soak has the seeds that follow the ledger's")
    parser.add_argument("--no-ledger", action="store_true")
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("simulations", nargs="*", metavar="SIMULATION", help=", ".join(LABELS.values()))
    options = parser.parse_args()
    if unknown := set(options.simulations) - set(LABELS.values()):
        sys.exit(f"soak: no such simulation {', '.join(sorted(unknown))}; there are {', '.join(LABELS.values())}")
    if options.mutants:
        return show_mutants()

    minutes = options.minutes or (None if options.seeds else 10)
    commit, first = commit_name(), max(first_unused_seed(), options.first_seed)
    simulations = [Simulation(program, name, LABELS[name.split(".")[0]], first) for program in built_programs()
                   for name in tests_of(program, "*Simulation.*Seeds*")]
    if len(simulations) < len(LABELS):
        sys.exit("soak: a suite of LABELS has no test named *Simulation.*Seeds*")
    if options.simulations:
        simulations = [one for one in simulations if one.label in options.simulations]
    soak = Soak(simulations, options.seeds, minutes and time.monotonic() + minutes * 60)
    workers = [threading.Thread(target=soak.work) for _ in range(max(1, options.jobs))]
    signal.signal(signal.SIGINT, soak.end_soon)
    signal.signal(signal.SIGTERM, soak.end_soon)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if soak.failure:
        raise soak.failure

    date = datetime.now(timezone.utc).date().isoformat()
    rows = [simulation.row(date, commit) for simulation in simulations if simulation.done]
    if not options.no_ledger:
        text = LEDGER.read_text() if LEDGER.exists() else LEDGER_HEAD
        LEDGER.write_text(text + "".join(rows))
    print("".join(rows), end="")
    return 1 if any(simulation.findings for simulation in simulations) else 0


if __name__ == "__main__":
    sys.exit(main())
