#!/usr/bin/env python3
"""Fuzzers: random inputs that coverage leads, over the committed corpora, and a line in the ledger for each.

usage: ./dev fuzz [--minutes N] [--jobs N] [--no-ledger] [TARGET...]

Each fuzzer (src/**/*_fuzz.cpp; all unless some are named) runs for --minutes (1 unless told) from its corpus in
tests/fuzz/<fuzzer>/. The corpus is then what is needed to reach all that was reached, and is to be committed with
docs/fuzz-ledger.md. An input that found something is left in build/fuzz/findings/; the exit status is 1.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build/fuzz"
CORPORA = ROOT / "tests/fuzz"
FINDINGS = ROOT / "build/fuzz/findings"
LEDGER = ROOT / "docs/fuzz-ledger.md"
LEDGER_HEAD = """# Fuzz ledger

What the fuzzers of `./dev fuzz` ran, under AddressSanitizer and UndefinedBehaviorSanitizer, and what they found.

| Date | Commit | Fuzzer | Inputs run | Corpus | Minutes | Findings |
|---|---|---|---|---|---|---|
"""
INPUT_BYTES_MAX = 4096
SECONDS_PER_INPUT_MAX = 10
MERGE_SECONDS_MAX = 600  # also for the reading of a corpus before its fuzzer's time begins


def run(seconds_max, program, *arguments):
    return subprocess.run([program, f"-max_len={INPUT_BYTES_MAX}", f"-timeout={SECONDS_PER_INPUT_MAX}",
                           "-rss_limit_mb=3000", "-print_final_stats=1", *map(str, arguments)],
                          text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=seconds_max)


def fuzz(name, minutes):
    """Lets one fuzzer run and puts its corpus in order. Inputs run, size of the corpus, what was found."""
    program, corpus = PROGRAMS / name, CORPORA / name
    corpus.mkdir(parents=True, exist_ok=True)
    FINDINGS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        reached, smallest = Path(folder) / "reached", Path(folder) / "smallest"
        reached.mkdir()
        smallest.mkdir()
        result = run(minutes * 60 + MERGE_SECONDS_MAX, program, reached, corpus, f"-max_total_time={round(minutes * 60)}",
                     f"-artifact_prefix={FINDINGS}/{name}-")
        found = re.findall(r"Test unit written to (\S+)", result.stdout)
        if result.returncode != 0:
            print(f"{name}:\n{result.stdout[-4000:]}", flush=True)
            found = found or [f"exit status {result.returncode}"]
        inputs = int((re.findall(r"stat::number_of_executed_units: (\d+)", result.stdout) or ["0"])[-1])
        merged = run(MERGE_SECONDS_MAX, program, "-set_cover_merge=1", smallest, corpus, reached)
        if merged.returncode == 0:
            shutil.rmtree(corpus)
            shutil.copytree(smallest, corpus)
        else:
            print(f"{name}: the corpus stays as it was:\n{merged.stdout[-2000:]}", flush=True)
    return inputs, len(list(corpus.iterdir())), [Path(one).name for one in found]


def commit_name():
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True, capture_output=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz")
    parser.add_argument("--minutes", type=float, default=1, help="of each fuzzer")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--no-ledger", action="store_true")
    parser.add_argument("fuzzers", nargs="*")
    options = parser.parse_args()

    known = sorted(path.stem for path in (ROOT / "src").rglob("*_fuzz.cpp"))
    if unknown := set(options.fuzzers) - set(known):
        sys.exit(f"fuzz: no such fuzzer {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    names = options.fuzzers or known
    with ThreadPoolExecutor(options.jobs) as workers:
        outcomes = list(workers.map(lambda name: fuzz(name, options.minutes), names))

    rows = [f"| {datetime.now(timezone.utc).date()} | {commit_name()} | {name} | {inputs:,} | {corpus} | {options.minutes:g} "
            f"| {', '.join(found) or '0'} |\n" for name, (inputs, corpus, found) in zip(names, outcomes)]
    if not options.no_ledger:
        LEDGER.write_text((LEDGER.read_text() if LEDGER.exists() else LEDGER_HEAD) + "".join(rows))
    print("".join(rows), end="")
    return 1 if any(found or not inputs for inputs, _, found in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
