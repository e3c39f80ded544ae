"""The README's tour, line by line: each command must succeed and print what the README shows, where "…" stands for
anything. The tour runs in one shell, as a reader would."""
import os
import re
import shutil
import subprocess

from weft_process import BINARY, ROOT

END = "__end_of_command__"


def steps(text):
    """(command, expected output) of every console block."""
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        command, shown = None, []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command is not None:
                    yield command, shown
                command, shown = line[2:], []
            else:
                shown.append(line)
        if command is not None:
            yield command, shown


def matches(shown, printed):
    pattern = ".*".join(re.escape(part) for part in "\n".join(shown).split("…"))
    return re.fullmatch(pattern, printed.rstrip("\n"), re.S) is not None


class Shell:
    def __init__(self, folder, environment):
        self.process = subprocess.Popen(["bash"], cwd=folder, env=environment, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, command):
        self.process.stdin.write(f"{command}\necho {END} $?\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith(END):
                return "".join(lines), int(line.split()[1])
            lines.append(line)
        raise AssertionError(f"the shell ended in: {command}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def test_the_tour_prints_what_the_readme_shows():
    # As the README says: in the clone itself, on the default ports, from a first start.
    data = ROOT / "weft-data"
    assert not (data / "node.json").exists(), "a Weft uses ./weft-data: end it with `weft down`"
    shutil.rmtree(data, ignore_errors=True)
    shell = Shell(ROOT, dict(os.environ))
    try:
        for command, shown in steps((ROOT / "README.md").read_text()):
            printed, status = shell.run(command)
            assert status == 0, f"{command}\nended with {status}:\n{printed}"
            assert matches(shown, printed), f"{command}\nshould print\n" + "\n".join(shown) + f"\nand printed\n{printed}"
    finally:
        shell.run(f"{BINARY} down >/dev/null 2>&1 || true")
        shell.close()
        shutil.rmtree(data, ignore_errors=True)
