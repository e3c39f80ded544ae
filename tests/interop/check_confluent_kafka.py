"""The current confluent-kafka from PyPI, and the current librdkafka in its wheel, run the end-to-end tests that Debian's
older ones run."""
from parts import fetch, pytest_in, python, version

QUICK = True


def run():
    passed = pytest_in(python(), "tests/e2e/kafka_clients_test.py", "-k", "librdkafka or contract or described or transactional")
    assert passed == 5, passed
    librdkafka = fetch([str(python()), "-c", "import confluent_kafka as c; print(c.libversion()[0])"], "librdkafka").strip()
    return f"{version('confluent-kafka')} with librdkafka {librdkafka}, {passed} tests: codecs, range and cooperative groups, contracts"
