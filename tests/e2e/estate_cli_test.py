"""`weft validate`, `plan`, `apply` and `rollback` as a new user meets them: what docs/estate.md shows, and mistakes, each
answered with what, where (file, line, column, pointer) and how to mend it."""
import json
import re
import subprocess

import pytest
from weft_process import BINARY

NAME = "orders.order.created.v1"
STREAM = f"""apiVersion: weft/v1
kind: Stream
metadata: {{name: {NAME}, owner: shop-team}}
spec: {{opaque: true, partitions: 4}}
"""
CLIENT = """apiVersion: weft/v1
kind: Client
metadata: {name: shop}
spec:
  grants:
    - {action: stream.write, resource: "orders.*"}
"""
HOOK = f"""apiVersion: weft/v1
kind: Subscription
metadata: {{name: crm, owner: crm-team}}
spec:
  stream: {NAME}
  endpoint: {{url: "http://127.0.0.1:9/hooks"}}
  signing: {{secrets: ["${{env:CRM_SECRET}}"]}}
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "streams.yaml").write_text(STREAM)
    (folder / "clients.yaml").write_text(CLIENT)
    return folder


@pytest.fixture
def weft(weft_factory):
    return weft_factory(environment={"CRM_SECRET": "whsec_" + "A" * 32}).start()


def validate(folder):
    return subprocess.run([str(BINARY), "validate", str(folder)], text=True, capture_output=True, timeout=30)


def refused(tmp_path, text, name="a.yaml"):
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / name).write_text(text)
    said = validate(folder)
    assert said.returncode == 1, said.stdout
    return said.stderr.replace(str(folder) + "/", "")


def test_the_commands_of_the_page_in_their_order(weft, folder):
    assert validate(folder).stdout == "2 resources, no errors\n"
    planned = weft.cli("plan", str(folder), check=False)
    assert planned.returncode == 2  # changes pending
    assert f"+ Client shop\n+ Stream {NAME}\n2 to create" in planned.stdout
    assert weft.cli("apply", str(folder), "--message", "first").stdout.endswith("generation 1\n")
    again = weft.cli("apply", str(folder))
    assert "2 unchanged\ngeneration 1 stays: nothing to change" in again.stdout
    assert weft.cli("plan", str(folder), check=False).returncode == 0

    (folder / "clients.yaml").unlink()
    assert "- Client shop" in weft.cli("apply", str(folder)).stdout
    back = weft.cli("rollback", "1")
    assert "+ Client shop" in back.stdout and back.stdout.endswith("generation 3\n")
    assert "first" in weft.cli("generation", "list").stdout
    assert re.search(r"user:admin +rollback +Generation +3", weft.cli("audit", "list").stdout)
    assert weft.cli("audit", "verify").stdout.startswith("intact: ")


@pytest.mark.parametrize("text, says", [
    (STREAM.replace("partitions", "partitons"),
     'a.yaml:4:33: unknown field "partitons"; did you mean "partitions"?; known fields: description, partitions, '),
    (STREAM.replace("opaque: true, ", ""), "a.yaml:4:7: needs one of these fields: schema (Name of a Schema), opaque ("),
    (STREAM.replace("partitions: 4", "retention: 7 days"), ": forever, or a time such as 7d or 12h30m; 7d when absent (at /spec/retention)"),
    (STREAM.replace("Stream", "Steam"), 'a.yaml:2:7: unknown kind "Steam"; did you mean "Stream"?'),
    (STREAM.replace("opaque: true", "schema: nowhere"), "a.yaml:4:16: Schema nowhere does not exist (at /spec/schema)"),
    (STREAM + "---\n" + STREAM, f"a.yaml:8:18: Stream {NAME} is declared twice; first at a.yaml:3:18"),
    ("metadata:\n\tname: x\n", "a.yaml:2:1: found character that cannot start any token, while scanning for the next token; YAML indents "
                               "with spaces, not with tabs"),
], ids=["wrong field", "missing field", "wrong form", "unknown kind", "dangling reference", "duplicate name", "tab"])
def test_validate_says_what_where_and_how_to_mend_it(tmp_path, text, says):
    said = refused(tmp_path, text)
    assert says in said
    assert said.endswith("1 error\n")


def test_a_folder_that_is_none_is_named_with_what_to_do(tmp_path, folder):
    missing = validate(tmp_path / "gone")
    assert missing.returncode == 1 and "there is no folder" in missing.stderr and "name the folder" in missing.stderr
    file = validate(folder / "streams.yaml")
    assert file.returncode == 1 and "streams.yaml is a file; name the folder that holds it" in file.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    said = validate(empty)
    assert "empty: holds no resource: documents are files named *.yaml, *.yml or *.json" in said.stderr


def test_an_empty_folder_deletes_nothing_unless_that_is_said(weft, folder, tmp_path):
    weft.cli("apply", str(folder))
    empty = tmp_path / "empty"
    empty.mkdir()
    said = weft.cli("apply", str(empty), check=False)
    assert said.returncode == 1
    assert "which would delete everything" in said.stderr and "--allow-empty" in said.stderr
    assert "0 to create, 0 to update, 2 to delete" in weft.cli("apply", str(empty), "--allow-empty").stdout


def test_what_only_the_node_can_see_is_told_of_this_users_files(weft, folder):
    weft.cli("apply", str(folder))
    (folder / "streams.yaml").write_text(STREAM.replace("partitions: 4", "durability: memory, partitions: 4"))
    for command in ("plan", "apply"):
        said = weft.cli(command, str(folder), check=False)
        assert said.returncode == 1
        assert f"{folder}/streams.yaml:4:34: /spec/durability of Stream {NAME} cannot be changed: " in said.stderr
        assert "(at /spec/durability)" in said.stderr
    # Once, not once more in the summary.
    assert said.stderr.count("cannot be changed") == 1
    assert "nothing was changed: 1 error (VALIDATION_FAILED, trace " in said.stderr
    assert weft.cli("plan", str(folder), "-o", "json", check=False).returncode == 1


def test_a_deletion_names_who_still_needs_the_resource(weft, folder):
    (folder / "hook.yaml").write_text(HOOK)
    weft.cli("apply", str(folder))
    (folder / "streams.yaml").unlink()
    said = weft.cli("apply", str(folder), check=False)
    assert f"{folder}/hook.yaml:5:11: Subscription crm needs Stream {NAME}, which this change deletes" in said.stderr


def test_a_literal_reference_arrives_as_it_was_meant(weft, folder):
    (folder / "streams.yaml").write_text(STREAM.replace("opaque: true", 'opaque: true, description: "costs $${env:PRICE}"'))
    weft.cli("apply", str(folder))
    shown = weft.admin("GET", f"/resources/Stream/{NAME}").json()["document"]
    # What is shown can be sent again; what is stored is the text that was meant.
    assert shown["spec"]["description"] == "costs $${env:PRICE}"
    listed = json.loads(weft.cli("stream", "describe", NAME, "-o", "json").stdout)
    assert "costs ${env:PRICE}" in json.dumps(listed)
    assert "nothing to change" in weft.cli("apply", str(folder)).stdout
