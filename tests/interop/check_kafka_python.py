"""The current kafka-python from PyPI runs the end-to-end tests that Debian's older one runs."""
from parts import pytest_in, python, version

QUICK = True


def run():
    passed = pytest_in(python(), "tests/e2e/kafka_clients_test.py", "-k", "kafka_python or opens_the_listener")
    assert passed >= 2, passed
    return f"{version('kafka-python')}, {passed} tests: codecs, a group that rebalances, keys"
