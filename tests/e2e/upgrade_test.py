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
FORMATS = [1, 2]


def unpack(name, into):
    with tarfile.open(GOLDEN / name) as archive:
        archive.extractall(into)


def files_in(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.fixture(params=FORMATS)
def old_format(request):
    return request.param


@pytest.fixture
def kept(old_format):
    return f"before-upgrade-from-format-{old_format}"


@pytest.fixture
def old(weft_factory, old_format):
    made = weft_factory("old", estate=EXAMPLE / "estate", settings=SETTINGS, environment=ENVIRONMENT)
    unpack(f"data-folder-format-{old_format}.tar.gz", made.data)
    return made


def test_an_older_folder_is_upgraded_and_the_way_back_is_kept_whole(old, old_format, kept, tmp_path):
    unpack(f"data-folder-format-{old_format}.tar.gz", tmp_path / "as-it-was")
    as_it_was = files_in(tmp_path / "as-it-was")
    assert as_it_was["log/MANIFEST"][:12] == b"WEFTMAN\n\0\0\0" + bytes([old_format])

    old.start()

    assert sorted(stored(old)) == [f"SO-{number:08d}" for number in range(ORDERS)]
    again = post(old, 7, key="golden-7")
    assert again.status == 201 and again.headers["Idempotency-Replayed"] == "true"
    assert '"golden"' in old.cli("client", "list", "-o", "json").stdout
    old.cli("audit", "verify")
    assert (old.data / "FORMAT").read_text() == "weft data folder 3\n"
    assert "the data folder was upgraded" in old.log_text()
    assert post(old, 90_000_000).status == 201
    old.stop()
    assert (old.data / "log/MANIFEST").read_bytes()[:12] == b"WEFTMAN\n\0\0\0\3"

    assert files_in(old.data / kept) == as_it_was

    # Once more: nothing is left to upgrade.
    old.start()
    assert len(stored(old)) == ORDERS + 1
    assert old.log_text().count("the data folder was upgraded") == 1
    old.stop()

    # The way back, as docs/upgrade.md has it: what came after the upgrade is not in it.
    old.data.rename(tmp_path / "upgraded")
    (tmp_path / "upgraded" / kept).rename(old.data)
    assert files_in(old.data) == as_it_was
    old.start()
    assert len(stored(old)) == ORDERS
    old.stop()


def test_an_upgrade_that_was_cut_off_begins_again(old, old_format, kept):
    (old.data / (kept + ".part") / "log").mkdir(parents=True)
    (old.data / (kept + ".part") / "log/MANIFEST").write_text("half")

    old.start()

    assert len(stored(old)) == ORDERS
    assert not (old.data / (kept + ".part")).exists()
    assert (old.data / kept / "log/MANIFEST").read_bytes()[:12] == b"WEFTMAN\n\0\0\0" + bytes([old_format])
