#!/usr/bin/env python3
"""The rules of the house that a program can check, in seconds: include layers, file and function sizes,
one wrapper per third-party library, banned words with their replacement, the coroutine traps of our
compiler, pages that name every module and header, the rooms of app, and clang-format. Prints one line per finding as
file:line: what. Exit status 1 when there is any."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"

FILE_LINES_MAX = 600
HEADER_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
TABLE_MARK = "check: table"  # in the first 20 lines: a table or generated file, exempt from sizes

# Third-party header prefix -> the folders that may include it.
WRAPPERS = {
    "boost/asio": ["src/runtime", "src/http", "cmake", "src/app"],
    "boost/beast": [],
    "boost/": ["src/runtime", "src/http", "cmake", "src/app"],
    "openssl/": ["src/crypto", "src/runtime"],
    "sqlite3": ["src/storage"],
    "libpq": ["src/storage"],
    "yaml.h": ["src/base"],
    # Two wrappers: JSON Schema's patterns and jq's are different languages with different answers.
    "re2/": ["src/contracts", "src/mapping"],
    "zstd": ["src/eventlog/core"],
    "lz4": ["src/eventlog/core"],
    "snappy": ["src/eventlog/core"],
    "zlib": ["src/eventlog/core"],
    "librdkafka/": ["src/eventlog/kafka_cluster"],
}

# Of a module: nobody else includes from them. What stands in its other folders is a door when its README names it.
PRIVATE_FOLDERS = ("core", "edge")

BANNED = [
    (r"\bstd::regex\b", "std::regex is slow and overflows the stack: RE2 in contracts"),
    (r"\bstd::cout\b|\bprintf\(", "use fmt::print in app, log_line elsewhere"),
    (r"\bspdlog\b", "log through runtime/log.h"),
    (r"\basio::detached\b", "no detached coroutines: a TaskGroup owns each task"),
    (r"\bthrow\b(?!\()", "failures travel as Result"),
    (r"\bsleep_for\(std::this_thread|std::this_thread::sleep", "time comes from runtime::Clock"),
    (r"\bsystem_clock::now|steady_clock::now", "time comes from runtime::Clock"),
    (r"\bFIXME\b|\bXXX\b|\bHACK\b", "finish it or file an issue"),
    (r"\bTODO\b(?!\(#\d+\))", "TODO needs an issue number: TODO(#12)"),
]
BANNED_EXEMPT = {
    r"\bsystem_clock::now|steady_clock::now": ("src/runtime/",),
    r"\bstd::cout\b|\bprintf\(": ("src/app/", "src/base/result.cpp"),
}

TRAPS = [
    (r" \? [^;]*co_await", "co_await in an arm of ?: is a use after free in g++ 12: write if/else"),
    (r"co_await\s+[\w:>.\-]+\((?:[^()]|\([^()]*\))*\b[A-Z]\w*\s*\{[^}]", "braced temporary inside a co_await expression is a double free in g++ 12: name it"),
    (r"\[[^\]\n]*[&=\w][^\]\n]*\]\s*\([^)]*\)\s*(?:mutable\s*)?->\s*(?:weft::)?Task<", "capturing lambda coroutine: write a named function that takes its data by value"),
]


def tracked(pattern):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", pattern], cwd=ROOT, text=True,
                         capture_output=True, check=True).stdout
    return [ROOT / line for line in out.splitlines() if (ROOT / line).is_file()]


def declared_modules():
    text = (SOURCE / "CMakeLists.txt").read_text()
    modules = {}
    for name, body in re.findall(r"weft_module\((\w+)([^)]*)\)", text):
        uses = re.search(r"USES\s+([\w\s]+?)(?:LINKS|$)", body)
        modules[name] = set(uses.group(1).split()) if uses else set()
    return modules


def strip_comments(text):
    """Comments and string contents blanked, line structure kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    text = re.sub(r'R"(\w*)\((?:.|\n)*?\)\1"', blank, text)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', lambda m: '"' + " " * (len(m.group(0)) - 2) + '"', text)
    return re.sub(r"//[^\n]*|/\*(?:.|\n)*?\*/", blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def check_layers(path, raw, modules, report):
    rel = path.relative_to(SOURCE).as_posix()
    module = rel.split("/")[0]
    for match in re.finditer(r'^#include\s+"([\w]+)/', raw, re.M):
        used = match.group(1)
        if used in modules and used != module and used not in modules.get(module, set()):
            report(path, line_of(raw, match.start()), f"module {module} does not declare that it uses {used}")
    for match in re.finditer(r'^#include\s+"(\w+)/((\w+)/[^"]+)"', raw, re.M):
        used, header, folder = match.groups()
        if used not in modules or used == module:
            continue
        if folder in PRIVATE_FOLDERS:
            report(path, line_of(raw, match.start()), f"{used}/{folder}/ is private to {used}: use a header of its top")
        elif header not in (SOURCE / used / "README.md").read_text():
            report(path, line_of(raw, match.start()), f"{header} is no door of {used}: its README does not name it")
    for match in re.finditer(r"^#include\s+<([^>]+)>", raw, re.M):
        for prefix, folders in WRAPPERS.items():
            if match.group(1).startswith(prefix):
                where = path.relative_to(ROOT).as_posix()
                if not any(where.startswith(folder + "/") for folder in folders):
                    report(path, line_of(raw, match.start()),
                           f"<{match.group(1)}> has a wrapper in {', '.join(folders) or 'no module'}: use that")
                break


def check_functions(path, text, report):
    """A function is a block opened at the end of a line that has a parameter list, at namespace or class level."""
    depth_start = []
    for number, line in enumerate(text.splitlines(), 1):
        for char in line:
            if char == "{":
                opener = re.search(r"\)[\w\s:<>&*,\->()]*\{\s*$", line) is not None and not re.match(
                    r"\s*(if|for|while|switch|else|do|catch|namespace)\b", line) and "[" not in line
                depth_start.append((number, opener))
            elif char == "}" and depth_start:
                start, is_function = depth_start.pop()
                if is_function and number - start + 1 > FUNCTION_LINES_MAX:
                    report(path, start, f"function of {number - start + 1} lines: split at {FUNCTION_LINES_MAX}")


def check_source(path, modules, report):
    raw = path.read_text(errors="replace")
    text = strip_comments(raw)
    rel = path.relative_to(ROOT).as_posix()
    lines = raw.count("\n")
    exempt = TABLE_MARK in "\n".join(raw.splitlines()[:20])
    is_test = re.search(r"_(test|fuzz|bench)\.cpp$", rel)
    limit = HEADER_LINES_MAX if rel.endswith(".h") else FILE_LINES_MAX
    if lines > limit and not exempt:
        report(path, 1, f"{lines} lines: split at {limit}")
    if not exempt and not is_test:
        check_functions(path, text, report)
    check_layers(path, raw, modules, report)
    if rel.endswith(".h") and "#pragma once" not in raw:
        report(path, 1, "header without #pragma once")
    for pattern, advice in BANNED:
        searched = raw if "TODO" in pattern or "FIXME" in pattern else text
        if any(rel.startswith(prefix) for prefix in BANNED_EXEMPT.get(pattern, ())):
            continue
        for match in re.finditer(pattern, searched):
            report(path, line_of(searched, match.start()), advice)
    for pattern, advice in TRAPS:
        for match in re.finditer(pattern, text):
            report(path, line_of(text, match.start()), advice)


def check_uses(modules, report):
    """Every use that a module declares is an include of one of its files, tests too."""
    text = (SOURCE / "CMakeLists.txt").read_text()
    for module, uses in modules.items():
        included = set()
        for kind in ("h", "cpp"):
            for path in tracked(f"src/{module}/*.{kind}"):
                included.update(re.findall(r'^#include\s+"(\w+)/', path.read_text(errors="replace"), re.M))
        line = line_of(text, re.search(rf"weft_module\({module}\b", text).start())
        for used in sorted(uses - included):
            report(SOURCE / "CMakeLists.txt", line, f"module {module} says that it uses {used} and includes nothing of it")


def check_modules_page(modules, report):
    """docs/modules.md draws every module and says of each what CMake says of its uses."""
    page = ROOT / "docs/modules.md"
    text = page.read_text()
    drawing = text.split("```")[1]
    for module, uses in modules.items():
        row = re.search(rf"^\| `{module}` \|[^|\n]*\|([^|\n]*)\|", text, re.M)
        if row is None or re.search(rf"\b{module}\b", drawing) is None:
            report(page, 1, f"module {module} is missing in the table or the drawing")
        elif row.group(1).strip() != "all" and set(row.group(1).split()) != uses:
            report(page, line_of(text, row.start()), f"module {module} uses {' '.join(sorted(uses))} in src/CMakeLists.txt")


def check_readmes(modules, report):
    """Every module has a README, which names every header of its public face."""
    for module in modules:
        readme = SOURCE / module / "README.md"
        if not readme.is_file():
            report(readme, 1, f"module {module} has no README")
            continue
        words = readme.read_text()
        for header in tracked(f"src/{module}/*.h"):
            if header.parent == readme.parent and re.search(rf"(?<![\w/]){re.escape(header.name)}\b", words) is None:
                report(readme, 1, f"{header.name} is not named")


def check_rooms(report):
    """The rooms of app stand in its README, lowest first: each includes only rooms above its own, and those that it names."""
    readme = SOURCE / "app/README.md"
    text = readme.read_text()
    rooms = {}
    for row in re.finditer(r"^\| `(\w+)/` \|[^|\n]*\|([^|\n]*)\|$", text, re.M):
        room, uses = row.group(1), set(row.group(2).split())
        for used in sorted(uses - rooms.keys()):
            report(readme, line_of(text, row.start()), f"{room} includes {used}, which does not stand above it")
        rooms[room] = uses
    used_by = {room: set() for room in rooms}
    for path in tracked("src/app/*.h") + tracked("src/app/*.cpp"):
        if path.parent == readme.parent:
            continue
        room = path.parent.name
        if room not in rooms:
            report(path, 1, f"{room} is no room of src/app/README.md")
            continue
        source = path.read_text(errors="replace")
        for match in re.finditer(r'^#include\s+"app/(\w+)/', source, re.M):
            used_by[room].add(match.group(1))
            if match.group(1) not in rooms[room] | {room}:
                report(path, line_of(source, match.start()), f"{room} may not include {match.group(1)}: src/app/README.md")
    for room, uses in rooms.items():
        for used in sorted(uses - used_by[room]):
            report(readme, 1, f"{room} says that it includes {used} and includes nothing of it")


def check_names(report):
    for path in tracked("*"):
        rel = path.relative_to(ROOT)
        if any(part in ("common", "utils", "helpers", "misc") or re.match(r"(common|utils|helpers|misc)\.", part)
               for part in rel.parts):
            report(path, 1, "name the idea: no folder or file called common, utils, helpers or misc")


def check_format(report):
    """As `./dev fmt` writes it: clang-format of Debian 12, .clang-format."""
    files = [path for folder in ("src", "bench") for kind in ("h", "cpp") for path in tracked(f"{folder}/*.{kind}")]
    try:
        result = subprocess.run(["clang-format", "--dry-run", *files], cwd=ROOT, text=True, capture_output=True)
    except FileNotFoundError:
        return report(ROOT / ".clang-format", 1, "clang-format is not installed: ./dev check installs it")
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: warning: code should be clang-formatted", result.stderr, re.M):
        report(Path(path), line, "not as clang-format writes it: run ./dev fmt")


def main():
    findings = []

    def report(path, line, what):
        findings.append(f"{path.relative_to(ROOT)}:{line}: {what}")

    modules = declared_modules()
    for folder in SOURCE.iterdir():
        if folder.is_dir() and folder.name not in modules and any(folder.iterdir()):
            report(folder, 1, "folder is not declared by weft_module() in src/CMakeLists.txt")
    for pattern in ("src/*.h", "src/*.cpp"):
        for path in tracked(pattern):
            check_source(path, modules, report)
    check_uses(modules, report)
    check_modules_page(modules, report)
    check_readmes(modules, report)
    check_rooms(report)
    check_names(report)
    check_format(report)
    for finding in sorted(findings):
        print(finding)
    print(f"check: {len(findings)} findings" if findings else "check: clean")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
