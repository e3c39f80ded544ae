"""Completion and the manual page, in the shells and formatters that people have."""
import os
import pty
import re
import select
import subprocess
import time

import pytest

from weft_process import BINARY

SECONDS_MAX = 20
# Stands for weft in the shell, so that what the Tab key made of a line can be read.
SHOW_WORDS = "weft() { printf '<%s>' \"$@\"; echo; }\n"


def weft(*words, code=0):
    result = subprocess.run([BINARY, *words], text=True, capture_output=True, timeout=30)
    assert result.returncode == code, result.stderr
    return result.stdout if code == 0 else result.stderr


class Terminal:
    """A shell at a terminal of its own."""

    def __init__(self, command, folder):
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "LANG": "C.UTF-8"}
        main, side = pty.openpty()
        self.main = main
        self.process = subprocess.Popen(command, stdin=side, stdout=side, stderr=side, env=environment, cwd=folder,
                                        start_new_session=True)
        os.close(side)
        self.seen = ""

    def type(self, text):
        os.write(self.main, text.encode())

    def wait_for(self, pattern):
        deadline = time.monotonic() + SECONDS_MAX
        while not (found := re.search(pattern, self.seen)):
            left = deadline - time.monotonic()
            assert left > 0, f"the terminal never showed {pattern}:\n{self.seen}"
            if select.select([self.main], [], [], left)[0]:
                self.seen += os.read(self.main, 65536).decode(errors="replace")
        self.seen = self.seen[found.end():]
        return found

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.main)


@pytest.fixture(params=["bash", "zsh"])
def shell(request, tmp_path):
    script = tmp_path / f"weft.{request.param}"
    script.write_text(weft("completion", request.param))
    if request.param == "bash":
        terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path)
        terminal.type(f"PS1='ready> '; {SHOW_WORDS}. {script}; echo set-$((40+2))\n")
    else:
        terminal = Terminal(["zsh", "-f", "-i"], tmp_path)
        terminal.type("PS1='ready> '; autoload -Uz compinit; compinit -u -D\n"
                      f"{SHOW_WORDS}. {script}; echo set-$((40+2))\n")
    terminal.wait_for("set-42")
    yield terminal
    terminal.close()


@pytest.mark.parametrize("typed, meant", [
    ("weft str\tli\t-o js\t", "<stream><list><-o><json>"),
    ("weft client key rev\tshop k1", "<client><key><revoke><shop><k1>"),
    ("weft stream produce orders --part\t3", "<stream><produce><orders><--partition><3>"),
    ("weft validate est\t", "<validate><estate/>"),
    ("weft up --conf\tset\t", "<up><--config><settings.yaml>"),
    ("weft completion z\t", "<completion><zsh>"),
    ("weft stream consume orders --output=js\t", "<stream><consume><orders><--output=json>"),
])
def test_the_tab_key_completes_commands_flags_values_and_paths(shell, tmp_path, typed, meant):
    (tmp_path / "estate").mkdir()
    (tmp_path / "settings.yaml").touch()

    shell.type(typed + "\n")

    got = shell.wait_for(r"(<[^\r\n]*>)\r\n").group(1)
    # zsh joins a flag and its value with the sign, which means the same.
    assert re.sub(r"(<--[a-z]+)=(?!json)", r"\1><", got).replace("<estate>", "<estate/>") == meant


@pytest.mark.parametrize("typed, offered", [
    ("weft str", {"stream"}),
    ("weft stream ", {"list", "describe", "produce", "consume", "rejects", "replay"}),
    ("weft stream list --ou", {"--output"}),
    ("weft stream list -o ", {"table", "json", "yaml"}),
    ("weft stream produce orders --key ", set()),
    ("weft completion ", {"bash", "zsh", "fish"}),
    ("weft trace 5b --ser", {"--server"}),
])
def test_fish_offers_the_same(tmp_path, typed, offered):
    script = tmp_path / "weft.fish"
    script.write_text(weft("completion", "fish"))

    lines = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{typed}'"], text=True, check=True,
                           capture_output=True, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)}).stdout

    assert {line.split("\t")[0] for line in lines.splitlines()} - {"weft.fish"} == offered


def test_a_shell_that_is_not_known_is_refused():
    assert "bash, zsh or fish" in weft("completion", "tcsh", code=1)


def test_the_manual_page_is_sound_roff_and_shows_every_command(tmp_path):
    page = tmp_path / "weft.1"
    page.write_text(weft("man"))
    commands = [line.split("  ")[1] for line in weft("help").splitlines() if line.startswith("  ")]

    checked = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-z", page], text=True, capture_output=True)
    linted = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], text=True, capture_output=True)
    shown = subprocess.run(["man", "--warnings", "-l", page], text=True, capture_output=True, check=True,
                           env={**os.environ, "MANWIDTH": "100", "LANG": "C.UTF-8", "PAGER": "cat"})

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert [line for line in linted.stdout.splitlines() if "missing date" not in line] == []
    assert shown.stderr == ""
    assert len(commands) > 20
    for command in commands:
        assert "weft " + command.split(" <")[0].split(" [")[0] in re.sub(r".\x08", "", shown.stdout)


def test_help_knows_single_commands_and_names_the_nearest():
    assert weft("help", "stream", "list").startswith("weft stream list\n")
    assert "did you mean `weft stream list`" in weft("help", "stream", "lits", code=1)
