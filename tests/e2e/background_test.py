"""`weft up --background` and `weft down`: the node of a data folder is ended, and nobody else."""
import json
import subprocess

import pytest

from weft_process import call


@pytest.fixture
def stranger():
    """A process that has nothing to do with Weft."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def name_process(node, pid):
    path = node.data / "node.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": pid}))


def test_down_ends_what_up_began(weft_factory):
    node = weft_factory()
    node.cli("up", "--background", "--ports", "auto")
    about = json.loads((node.data / "node.json").read_text())

    node.cli("down")

    assert not (node.data / "node.json").exists()
    with pytest.raises(OSError):
        call("GET", about["ops"] + "/readyz")
    again = node.cli("down", check=False)
    assert again.returncode == 1
    assert "no running node" in again.stderr


def test_down_leaves_a_process_alone_that_has_the_id_of_a_killed_node(weft_factory, stranger):
    node = weft_factory().start()
    node.kill()
    name_process(node, stranger.pid)

    down = node.cli("down", check=False)

    assert down.returncode == 1
    assert f"no running node in {node.data}" in down.stderr
    assert f"process {stranger.pid}" in down.stderr
    assert stranger.poll() is None
    assert not (node.data / "node.json").exists()


def test_down_leaves_a_process_alone_that_does_not_hold_the_folder_of_a_running_node(weft_factory, stranger):
    node = weft_factory().start()
    name_process(node, stranger.pid)

    down = node.cli("down", check=False)

    assert down.returncode == 1
    assert "another one holds the folder" in down.stderr
    assert stranger.poll() is None
    assert call("GET", node.node["ops"] + "/readyz").status == 200
