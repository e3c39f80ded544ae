"""The current confluent-kafka from PyPI, and the current librdkafka in its wheel, run the end-to-end tests that Debian's
older ones run, transactions among them."""
from parts import fetch, pytest_in, python, version

QUICK = True


def run():
    passed = pytest_in(python(), "tests/e2e/kafka_clients_test.py", "tests/e2e/kafka_transactions_test.py",
                       "-k", "not kcat and not kafka_python and not opens_the_listener and not survive_a_kill")
    # A skipped or failed one is told by pytest_in(); this one is against a filter that matches nothing any more.
    assert passed >= 8, passed
    librdkafka = fetch([str(python()), "-c", "import confluent_kafka as c; print(c.libversion()[0])"], "librdkafka").strip()
    return (f"{version('confluent-kafka')} with librdkafka {librdkafka}, {passed} tests: codecs, range and cooperative "
            "groups, contracts, transactions also under kill -9")
