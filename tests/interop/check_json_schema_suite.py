"""The published JSON-Schema-Test-Suite, draft 2020-12 and the older ones, against the validator of the doors."""
from parts import json_schema_suite
from published_cases import run_cases, sentence

QUICK = True


def run():
    counts = run_cases("weft_contracts_tests", "*JsonSchemaSuite*", "WEFT_JSON_SCHEMA_SUITE", json_schema_suite(), r"(draft\S+)")
    assert counts["draft2020-12"][0] > 1000 and len(counts) == 5, counts
    return sentence(counts)
