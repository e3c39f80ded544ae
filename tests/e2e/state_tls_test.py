"""A real node and a real PostgreSQL that takes only TLS and SCRAM passwords: what is let in, what is refused, and in which words."""
import itertools
import subprocess

import pytest
from certificates import Authority
from postgres_server import PostgresServer

PASSWORD = "correct%horse"
IN_URL = "correct%25horse"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def postgres(authority):
    server = PostgresServer()
    server.use_certificate(*authority.issue("db"))
    server.start()
    server.sql(f"ALTER USER weft PASSWORD '{PASSWORD}'")
    server.admit("hostssl all all 127.0.0.1/32 scram-sha-256")
    yield server
    server.remove()


@pytest.fixture(scope="module")
def databases(postgres):
    def names():
        for name in map("world_{}".format, itertools.count()):
            postgres.sql(f"CREATE DATABASE {name}")
            yield name

    return names()


@pytest.fixture
def node_for(weft_factory, postgres, authority, databases):
    """A node on a database of its own that signs in by parts; what is given here comes instead."""

    def make(password=PASSWORD, environment=None, **parts):
        wanted = {"host": "127.0.0.1", "port": postgres.port, "database": next(databases), "user": "weft", "sslMode": "verify-full",
                  "sslRootFile": authority.ca, **parts}
        settings = ["state.backend=postgres", *(f"state.postgres.{name}={value}" for name, value in wanted.items() if value)]
        variables = {} if password is None else {"WEFT_STATE__POSTGRES__PASSWORD": password}
        return weft_factory(f"node-{wanted['database']}", settings=settings, environment={**variables, **(environment or {})})

    return make


def why_not(node):
    """What a node says that cannot start."""
    ended = subprocess.run(node.command(), text=True, capture_output=True, timeout=60, env=node.environment, cwd=node.folder)
    assert ended.returncode == 1
    said = ended.stdout + ended.stderr
    assert PASSWORD not in said and IN_URL not in said
    return said


def is_encrypted(postgres):
    return postgres.sql("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'weft'")


def test_a_verified_server_and_a_right_password_are_all_it_needs(node_for, postgres):
    node = node_for().start()

    assert is_encrypted(postgres) == "t"
    assert node.stop() == 0
    assert PASSWORD not in node.log_text()


def test_the_password_may_come_from_a_file_or_in_the_url(node_for, postgres, authority, databases, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    node_for(password=None, environment={"WEFT_STATE__POSTGRES__PASSWORD_FILE": str(secret)}).start().stop()

    url = tmp_path / "url"
    url.write_text(f"postgresql://weft:{IN_URL}@127.0.0.1:{postgres.port}/{next(databases)}?sslmode=verify-full&sslrootcert={authority.ca}\n")
    nothing = dict.fromkeys(("host", "port", "database", "user", "sslMode", "sslRootFile"))
    node_for(password=None, environment={"WEFT_STATE__POSTGRES__URL_FILE": str(url)}, **nothing).start().stop()


def test_a_server_of_another_authority_is_refused(node_for, tmp_path):
    stranger = Authority(tmp_path)

    assert "certificate verify failed" in why_not(node_for(sslRootFile=stranger.ca))


def test_a_certificate_for_another_host_is_refused(node_for, postgres, authority):
    postgres.use_certificate(*authority.issue("elsewhere", names="DNS:db.elsewhere"))
    try:
        assert 'does not match host name "127.0.0.1"' in why_not(node_for())
        node_for(sslMode="verify-ca").start().stop()
    finally:
        postgres.use_certificate(*authority.issue("db"))


def test_a_wrong_password_is_named_and_not_told(node_for):
    said = why_not(node_for(password="wrong-secret"))

    assert 'password authentication failed for user "weft"' in said
    assert "wrong-secret" not in said


def test_without_a_password_the_message_says_that_one_is_missing(node_for):
    assert "no password supplied" in why_not(node_for(password=None))


def test_no_encryption_is_refused_by_a_server_that_takes_only_tls(node_for):
    said = why_not(node_for(sslMode="disable", sslRootFile=None))

    assert "no pg_hba.conf entry" in said and "no encryption" in said


@pytest.mark.parametrize("setting, value", [("sslMode", "verify_full"), ("url", f"postgresql://weft:{PASSWORD}@127.0.0.1/postgres")])
def test_settings_that_cannot_be_right_are_named_before_anything_is_tried(node_for, setting, value):
    environment = {"WEFT_STATE__POSTGRES__URL": value} if setting == "url" else {}
    parts = {} if setting == "url" else {setting: value}

    said = why_not(node_for(environment=environment, **parts))

    assert f"state.postgres.{setting}" in said
