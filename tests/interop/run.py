#!/usr/bin/env python3
"""Checks against parts that Debian does not have. Each check prints passed, failed, or NOT RUN with the reason.

usage: ./dev interop [--quick] [NAME...]
"""
import importlib
import sys
import traceback
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
sys.path.insert(0, str(FOLDER.parent / "e2e"))


class NotRun(Exception):
    """A part that the check needs could not be had."""


def checks():
    """Every module check_<name>.py has run() and may set QUICK = True for CI's quick part."""
    for path in sorted(FOLDER.glob("check_*.py")):
        yield path.stem.removeprefix("check_"), importlib.import_module(path.stem)


def main():
    quick = "--quick" in sys.argv
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
    passed = failed = not_run = 0
    for name, module in checks():
        if (wanted and name not in wanted) or (quick and not getattr(module, "QUICK", False)):
            continue
        try:
            detail = module.run()
            passed += 1
            print(f"passed   {name}: {detail}", flush=True)
        except Exception as error:  # a check may fail in any way; it must not end the others
            if type(error).__name__ == "NotRun":
                not_run += 1
                print(f"NOT RUN  {name}: {error}", flush=True)
            else:
                failed += 1
                print(f"FAILED   {name}: {error}", flush=True)
                traceback.print_exc()
    print(f"interop: {passed} passed, {failed} failed, {not_run} not run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
