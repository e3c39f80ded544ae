"""The order demo says twice what an order is: in its OpenAPI document and in the event's schema."""
import decimal
import json
import pathlib
import subprocess

import pytest

yaml = pytest.importorskip("yaml")
jsonschema = pytest.importorskip("jsonschema")

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples/orders"


def schema():
    return json.loads((FOLDER / "estate/order.schema.json").read_text(), parse_float=decimal.Decimal)


def orders(*options):
    command = [str(FOLDER / "shop.py"), "--print", "--seed", "3", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_api_and_event_have_the_same_contract():
    definitions = {**schema()["$defs"], "order": schema()}
    api = yaml.safe_load((FOLDER / "estate/order.openapi.yaml").read_text())["components"]["schemas"]

    def comparable(node):
        text = json.dumps({k: v for k, v in node.items() if k not in ("$schema", "$id", "$defs", "examples")}, sort_keys=True,
                          default=float)
        for name in definitions:
            text = text.replace(f"#/$defs/{name}\"", f"#/components/schemas/{name.capitalize()}\"")
        return text

    for name, definition in definitions.items():
        assert comparable(definition) == comparable(api[name.capitalize()]), name


def test_the_shop_posts_what_the_contract_allows_and_the_invalid_ones_it_does_not():
    validator = jsonschema.Draft202012Validator(schema())

    def is_valid(order):
        return not list(validator.iter_errors(json.loads(order, parse_float=decimal.Decimal)))

    example = (FOLDER / "order.json").read_text()
    assert is_valid(example)
    assert schema()["examples"] == [json.loads(example, parse_float=decimal.Decimal)]
    assert all(map(is_valid, orders("--count", "500", "--invalid", "0")))
    assert not any(map(is_valid, orders("--count", "100", "--invalid", "1")))
