#!/usr/bin/env python3
"""Writes the tables of docs/observability.md from the source: metrics with type and help, fields of log lines.

usage: observability.py [--check]    with --check it changes nothing and fails when the page is not what the source says"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/observability.md"
TEXT = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
METRIC = re.compile(r'\b(counter|gauge|histogram|raise)\(\s*"(weft_\w+)",\s*' + TEXT)
LOG_CALL = re.compile(r"\blog_(?:line|debug|info|warn|error)\((?:[^;\"]|\"(?:[^\"\\]|\\.)*\")*?\);")
# Not metrics: names of cookies.
OTHER_NAMES = {"weft_session", "weft_session_"}


def sources():
    for path in sorted((ROOT / "src").rglob("*.cpp")):
        if not re.search(r"_(test|fuzz|bench)\.cpp$", path.name):
            yield path, path.read_text()


def joined(literals):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', '"')


def metrics():
    found, named = {}, set()
    for path, text in sources():
        for kind, name, literals in METRIC.findall(text):
            found[name] = ("counter" if kind == "raise" else kind, joined(literals).rstrip("."))
        named |= set(re.findall(r'"(weft_\w+)"', text))
    missing = named - set(found) - OTHER_NAMES
    assert not missing, f"metrics whose help cannot be read: {sorted(missing)}"
    return found


def log_fields():
    found = {}
    for path, text in sources():
        module = path.relative_to(ROOT / "src").parts[0]
        for call in LOG_CALL.findall(text):
            for field in re.findall(r'\{\s*"(\w+)",', call):
                found.setdefault(field, set()).add(module)
    return found


def tables():
    rows = [f"| `{name}` | {kind} | {help} |" for name, (kind, help) in sorted(metrics().items())]
    yield "metrics", "\n".join(["| Metric | Type | What it is |", "|---|---|---|", *rows])
    rows = [f"| `{field}` | {', '.join(sorted(modules))} |" for field, modules in sorted(log_fields().items())]
    yield "log fields", "\n".join(["| Field | Said by |", "|---|---|", *rows])


def main():
    page = PAGE.read_text()
    made = page
    for name, table in tables():
        made, count = re.subn(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)",
                              lambda marks: marks.group(1) + table + "\n" + marks.group(2), made, flags=re.S)
        assert count == 1, f"{PAGE.name} has no place for {name}"
    if "--check" in sys.argv:
        print("observability: the page is what the source says" if made == page
              else "observability: docs/observability.md is out of date; run tools/observability.py")
        return 0 if made == page else 1
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
