"""jq's published test cases against Weft's engine; each exception is named in src/mapping/jq_suite_test.cpp."""
from parts import jq_suite
from published_cases import run_cases, sentence

QUICK = True


def run():
    counts = run_cases("weft_mapping_tests", "JqSuite*", "WEFT_JQ_SUITE", jq_suite(), r"(\S+)\.test")
    assert counts["jq"][0] > 400 and counts["man"][0] > 200, counts
    return sentence(counts)
