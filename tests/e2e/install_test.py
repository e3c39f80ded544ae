"""What cmake --install lays down is whole and works from where it stands, away from the source tree."""
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from weft_process import ROOT, call, wait_until

BUILD = ROOT / "build/release"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    staging = folder / "staging"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", "/opt/weft", "--strip"], check=True, capture_output=True,
                   env={**os.environ, "DESTDIR": str(staging)}, timeout=120)
    # A prefix can be moved: it does not know its own name.
    moved = folder / "elsewhere"
    (staging / "opt/weft").rename(moved)
    return moved


def test_it_stands_in_the_folders_of_the_gnu_standards(prefix):
    files = {path.relative_to(prefix).as_posix() for path in prefix.rglob("*") if path.is_file()}

    for needed in ("bin/weft", "share/weft/hub/index.html", "share/weft/examples/orders/crm.py", "share/man/man1/weft.1",
                   "share/doc/weft/LICENSE", "share/doc/weft/settings.md", "share/bash-completion/completions/weft",
                   "share/zsh/site-functions/_weft", "share/fish/vendor_completions.d/weft.fish"):
        assert needed in files
    assert not [name for name in files if "__pycache__" in name or name.endswith(".pyc")]
    assert {name.split("/")[0] for name in files} == {"bin", "share"}
    assert os.access(prefix / "bin/weft", os.X_OK)


def test_what_the_program_says_of_itself_is_what_it_installs(prefix):
    def says(*words):
        return subprocess.run([prefix / "bin/weft", *words], text=True, capture_output=True, check=True).stdout

    assert says("man") == (prefix / "share/man/man1/weft.1").read_text()
    assert says("completion", "bash") == (prefix / "share/bash-completion/completions/weft").read_text()
    assert says("completion", "zsh") == (prefix / "share/zsh/site-functions/_weft").read_text()
    assert says("completion", "fish") == (prefix / "share/fish/vendor_completions.d/weft.fish").read_text()


def test_it_runs_from_the_prefix_with_its_hub_and_its_examples(prefix, tmp_path):
    log = open(tmp_path / "weft.log", "wb")
    node = subprocess.Popen([prefix / "bin/weft", "up", "--demo", "--ports", "auto"], cwd=tmp_path, stdout=log, stderr=log)
    try:
        told = tmp_path / "weft-data/node.json"
        wait_until(lambda: node.poll() is not None or told.exists(), 20, "the start")
        assert node.poll() is None, (tmp_path / "weft.log").read_text()
        addresses = json.loads(told.read_text())
        hub = call("GET", addresses["admin"] + "/")
        wait_until(lambda: call("GET", addresses["ops"] + "/readyz").status == 200, 20, "ready")
    finally:
        node.send_signal(signal.SIGTERM)
        status = node.wait(30)
        log.close()

    assert status == 0
    assert hub.status == 200 and hub.body.decode() == (prefix / "share/weft/hub/index.html").read_text()
    assert f"{prefix}/share/weft/examples/orders/estate" in (tmp_path / "weft.log").read_text()


def test_the_hub_must_be_built_first(tmp_path):
    """An installation without the hub would look whole and show an empty page."""
    script = (BUILD / "cmake_install.cmake").read_text()
    source = str(ROOT / "web/dist/index.html")
    assert source in script
    changed = tmp_path / "install.cmake"
    changed.write_text(script.replace(source, str(tmp_path / "nothing")))

    done = subprocess.run(["cmake", f"-DCMAKE_INSTALL_PREFIX={tmp_path}/to", "-P", changed], text=True, capture_output=True)

    assert done.returncode != 0
    assert "./dev build" in done.stderr
    assert not Path(tmp_path, "to").exists()
