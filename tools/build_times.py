#!/usr/bin/env python3
"""What a clean build costs: builds every target of a preset from nothing, in a folder of its own and without
ccache, and prints wall time, CPU time, the machine's load beside it, and the units that cost most.

    tools/build_times.py [--preset release] [--jobs N] [-D NAME=VALUE ...] [TARGET...]

CPU time of a unit is its compiler's own (user and system), so it can be compared between runs on a busy
machine; wall time cannot.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SLOWEST = 10


def launch(log, command):
    """Stands before the compiler: runs it and notes what it cost."""
    began = time.monotonic()
    status = subprocess.run(command).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = command[command.index("-o") + 1] if "-o" in command else command[-1]
    line = json.dumps({"output": output, "cpu": used.ru_utime + used.ru_stime,
                       "wall": time.monotonic() - began, "rss": used.ru_maxrss * 1024})
    with open(log, "a") as file:
        file.write(line + "\n")
    return status


def name_of(unit, folder):
    """A unit's name in the table: target, and the files that it holds."""
    target = unit.split(".dir/")[0].split("/")[-1]
    source = folder / unit.removesuffix(".o")
    if "/Unity/" not in unit or not source.is_file():
        return target, unit.split(".dir/")[-1].removesuffix(".o")
    files = [line.split('"')[1] for line in source.read_text().splitlines() if line.startswith("#include")]
    names = [Path(file).name.removesuffix(".cpp") for file in files]
    return target, f"{len(names)} files, {names[0]} to {names[-1]}"


def main():
    if sys.argv[1:2] == ["--launch"]:
        return launch(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="release")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("-D", dest="options", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("targets", nargs="*")
    arguments = parser.parse_args()

    folder = ROOT / "build" / f"times-{arguments.preset}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = folder / "times.jsonl"
    launcher = ";".join([sys.executable, str(Path(__file__).resolve()), "--launch", str(log)])
    subprocess.run(["cmake", "--preset", arguments.preset, "-B", str(folder), f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}",
                    *(f"-D{option}" for option in arguments.options)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    environment = {**os.environ, "CCACHE_DISABLE": "1"}

    before, began = os.getloadavg()[0], time.monotonic()
    status = subprocess.run(["ninja", "--quiet", "-k0", "-C", str(folder), f"-j{arguments.jobs}", *arguments.targets],
                            env=environment).returncode
    wall, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(f"clean build of {' '.join(arguments.targets) or 'all targets'}, preset {arguments.preset}, -j{arguments.jobs}: "
          f"{cpu / 60:.1f} CPU min, {wall / 60:.1f} min; load {before:.1f} before, {os.getloadavg()[0]:.1f} after")
    units = sorted(map(json.loads, log.read_text().splitlines()), key=lambda unit: -unit["cpu"])
    print(f"{len(units)} units; the {min(SLOWEST, len(units))} that cost most:\n")
    print("| CPU s | wall s | peak MiB | target | unit |\n|---:|---:|---:|---|---|")
    for unit in units[:SLOWEST]:
        target, name = name_of(unit["output"], folder)
        print(f"| {unit['cpu']:.1f} | {unit['wall']:.1f} | {unit['rss'] / 2**20:.0f} | `{target}` | {name} |")
    return status


if __name__ == "__main__":
    sys.exit(main())
