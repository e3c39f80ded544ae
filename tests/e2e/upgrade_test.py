"""A data folder that an older version wrote: it is upgraded at start, all that it held is served, and what was kept is,
byte for byte, the data folder that the older version starts from. golden/ holds folders that those versions wrote."""
import tarfile
from pathlib import Path

import pytest
from backup_test import ENVIRONMENT, post, stored
from order_flow_test import EXAMPLE

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = ["egress.allow=127.0.0.0/8", "log.walFileBytes=64KiB"]
ORDERS = 40  # with the keys golden-0 to golden-39; a key of analyst with the note "golden"
KEPT = "before-upgrade-from-format-1"


def unpack(name, into):
    with tarfile.open(GOLDEN / name) as archive:
        archive.extractall(into)


def files_in(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.fixture
def old(weft_factory):
    made = weft_factory("old", estate=EXAMPLE / "estate", settings=SETTINGS, environment=ENVIRONMENT)
    unpack("data-folder-format-1.tar.gz", made.data)
    return made


def test_a_folder_of_format_1_is_upgraded_and_the_way_back_is_kept_whole(old, tmp_path):
    unpack("data-folder-format-1.tar.gz", tmp_path / "as-it-was")
    as_it_was = files_in(tmp_path / "as-it-was")
    assert as_it_was["log/MANIFEST"][:12] == b"WEFTMAN\n\0\0\0\1"

    old.start()

    assert sorted(stored(old)) == [f"SO-{number:08d}" for number in range(ORDERS)]
    again = post(old, 7, key="golden-7")
    assert again.status == 201 and again.headers["Idempotency-Replayed"] == "true"
    assert '"golden"' in old.cli("client", "list", "-o", "json").stdout
    old.cli("audit", "verify")
    assert (old.data / "FORMAT").read_text() == "weft data folder 2\n"
    assert "the data folder was upgraded" in old.log_text()
    assert post(old, 90_000_000).status == 201
    old.stop()
    assert (old.data / "log/MANIFEST").read_bytes()[:12] == b"WEFTMAN\n\0\0\0\2"

    assert files_in(old.data / KEPT) == as_it_was

    # Once more: nothing is left to upgrade.
    old.start()
    assert len(stored(old)) == ORDERS + 1
    assert old.log_text().count("the data folder was upgraded") == 1
    old.stop()

    # The way back, as docs/upgrade.md has it: what came after the upgrade is not in it.
    old.data.rename(tmp_path / "upgraded")
    (tmp_path / "upgraded" / KEPT).rename(old.data)
    assert files_in(old.data) == as_it_was
    old.start()
    assert len(stored(old)) == ORDERS
    old.stop()


def test_an_upgrade_that_was_cut_off_begins_again(old):
    (old.data / (KEPT + ".part") / "log").mkdir(parents=True)
    (old.data / (KEPT + ".part") / "log/MANIFEST").write_text("half")

    old.start()

    assert len(stored(old)) == ORDERS
    assert not (old.data / (KEPT + ".part")).exists()
    assert (old.data / KEPT / "log/MANIFEST").read_bytes()[:12] == b"WEFTMAN\n\0\0\0\1"
