"""The TLS listeners of the real binary, with certificates that openssl made: curl at the gateway and the hub, kcat at
the Kafka listener."""
import json
import re
import subprocess

import pytest
from certificates import Authority
from weft_process import BINARY

TOPIC = "tls.test.sent.v1"
ESTATE = f"""apiVersion: weft/v1
kind: Stream
metadata: {{name: {TOPIC}, owner: tests}}
spec: {{opaque: true, partitions: 1}}
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def tls_settings(pair, where="tls"):
    certificate, key = pair
    return [f"{where}.certificateFile={certificate}", f"{where}.keyFile={key}"]


@pytest.fixture
def estate(tmp_path):
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "streams.yaml").write_text(ESTATE)
    return folder


@pytest.fixture
def weft(authority, estate, weft_factory):
    settings = [*tls_settings(authority.issue("common")), "kafka.anonymous=true", "kafka.rebalanceDelay=0s"]
    return weft_factory(estate=estate, settings=settings).start()


def curl(url, *words):
    return subprocess.run(["curl", "-sS", "--max-time", "20", *map(str, words), url], text=True, capture_output=True,
                          timeout=60)


@pytest.mark.parametrize("option, version", [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")])
def test_curl_publishes_over_each_version_that_is_offered(weft, authority, option, version):
    event = ["-H", f"Authorization: Bearer {weft.token}", "-H", "ce-specversion: 1.0", "-H", "ce-id: 1",
             "-H", "ce-source: /tests", "-H", "ce-type: sent", "-H", "Content-Type: application/json", "-d", '{"a": 1}']
    said = curl(f"{weft.node['gatewayTls']}/events/{TOPIC}", "--cacert", authority.ca, f"--tlsv{option}", "--tls-max",
                option, "-v", *event)

    assert said.returncode == 0, said.stderr
    assert f"SSL connection using {version}" in said.stderr
    assert re.search(r"< HTTP/1.1 20[0-9]", said.stderr), said.stderr
    assert '{"a": 1}' in kcat(weft.kafka, "-C", "-t", TOPIC, "-e", "-q").stdout


def test_tls_1_1_is_refused_by_the_server(weft, authority):
    # Security level 0, since the client's own library would refuse to try.
    words = ["--cacert", authority.ca, "--tlsv1.1", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0"]
    said = curl(weft.node["gatewayTls"] + "/", *words)

    assert said.returncode == 35, said.stderr  # CURLE_SSL_CONNECT_ERROR
    assert "alert protocol version" in said.stderr


def test_a_client_that_does_not_know_the_authority_refuses_the_server(weft):
    assert curl(weft.node["gatewayTls"] + "/").returncode == 60  # CURLE_PEER_FAILED_VERIFICATION


def test_the_hub_and_the_admin_api_answer_over_tls_with_a_secure_cookie(weft, authority):
    hub = weft.node["adminTls"]
    page = curl(f"{hub}/", "--cacert", authority.ca, "-o", "/dev/null", "-w", "%{http_code}")
    health = curl(f"{hub}/api/v1/health", "--cacert", authority.ca, "-H", f"Authorization: Bearer {weft.token}")
    signed_in = curl(f"{hub}/api/v1/session", "--cacert", authority.ca, "-D", "-", "-d", json.dumps({"token": weft.token}))

    assert page.stdout == "200"
    told = {listener["name"]: listener["url"] for listener in json.loads(health.stdout)["listeners"]}
    assert told["hub over TLS"] == hub and told["gateway over TLS"] == weft.node["gatewayTls"]
    cookie = re.search(r"Set-Cookie: (weft_session_\d+_tls=[^;]+);.*Secure", signed_in.stdout)
    assert cookie, signed_in.stdout
    session = curl(f"{hub}/api/v1/session", "--cacert", authority.ca, "-b", cookie[1])
    assert json.loads(session.stdout)["tenant"]


def kcat(broker, *words, text=None):
    return subprocess.run(["kcat", "-b", broker, "-m", "10", *map(str, words)], input=text, text=True,
                          capture_output=True, timeout=60)


def test_kcat_produces_and_consumes_in_a_group_over_tls(weft, authority):
    secure = ["-X", "security.protocol=ssl", "-X", f"ssl.ca.location={authority.ca}"]
    broker = weft.node["kafkaTls"]
    lines = [f"line {i} " + "x" * 2000 for i in range(500)]

    listing = kcat(broker, "-L", *secure)
    sent = kcat(broker, "-P", "-t", TOPIC, *secure, text="\n".join(lines))
    read = kcat(broker, "-G", "readers", "-e", "-q", "-X", "auto.offset.reset=earliest", *secure, TOPIC)

    # Clients are sent to the same listener, not to the plain one.
    assert f" at {broker}" in listing.stdout, listing.stdout + listing.stderr
    assert sent.returncode == 0, sent.stderr
    assert read.stdout.splitlines() == lines
    assert kcat(weft.kafka, "-C", "-t", TOPIC, "-e", "-q").stdout.splitlines() == lines


def test_an_api_key_opens_the_kafka_listener_over_tls(authority, estate, weft_factory):
    weft = weft_factory(estate=estate, settings=tls_settings(authority.issue("kafka"), "tls.kafka")).start()
    words = ["-X", "security.protocol=SASL_SSL", "-X", f"ssl.ca.location={authority.ca}", "-X", "sasl.mechanisms=PLAIN",
             "-X", "sasl.username=me", "-X", f"sasl.password={weft.token}"]

    assert TOPIC in kcat(weft.node["kafkaTls"], "-L", *words).stdout
    # A certificate for one listener opens no other one.
    assert "gatewayTls" not in weft.node and "adminTls" not in weft.node


def test_without_certificates_nothing_listens_for_tls(weft_factory):
    node = weft_factory().start().node
    assert not [name for name in node if name.endswith("Tls")]


def start(tmp_path, settings, environment=None):
    words = [str(BINARY), "serve", "--data", str(tmp_path / "data"), "--ports", "auto"]
    for setting in settings:
        words += ["--set", setting]
    return subprocess.run(words, text=True, capture_output=True, timeout=30, cwd=tmp_path, env=environment,
                          stdin=subprocess.DEVNULL)


def test_the_start_names_the_file_that_cannot_be_used(authority, tmp_path):
    certificate, key = authority.issue("one")
    other = authority.issue("other")[1]
    locked = authority.issue("locked", passphrase="open sesame")
    for settings, says in [
        ([f"tls.certificateFile={certificate}"], "tls.certificateFile is set without tls.keyFile"),
        (tls_settings((tmp_path / "gone.pem", key)), f"{tmp_path}/gone.pem cannot be read: No such file or directory"),
        (tls_settings((certificate, tmp_path / "gone.key")), f"{tmp_path}/gone.key cannot be read: No such file"),
        (tls_settings((certificate, other)), f"key file {other} is not the key of the certificate in {certificate}"),
        (tls_settings((key, certificate)), f"certificate file {key} holds no usable PEM certificate"),
        (tls_settings(locked), f"key file {locked[1]} is encrypted: give its passphrase"),
    ]:
        said = start(tmp_path, settings)
        assert said.returncode == 1, said.stdout
        assert says in said.stderr


def test_an_encrypted_key_opens_with_the_passphrase_of_a_file(authority, tmp_path, weft_factory):
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("open sesame\n")
    weft = weft_factory(settings=tls_settings(authority.issue("kept", passphrase="open sesame")),
                        environment={"WEFT_TLS__KEY_PASSPHRASE_FILE": str(passphrase)}).start()

    said = curl(f"{weft.node['gatewayTls']}/", "--cacert", authority.ca, "-w", "%{http_code}")
    assert said.stdout.endswith("404")


def test_an_expired_certificate_is_a_warning_and_names_the_day(authority, weft_factory):
    weft = weft_factory(settings=tls_settings(authority.issue("late", days=-1), "tls.gateway")).start()

    assert re.search(r"the certificate expired at 20\d\d-\d\d-\d\dT.*CN=late", weft.log_text())
    assert curl(weft.node["gatewayTls"] + "/", "--cacert", authority.ca).returncode == 60


def test_the_print_out_names_the_tls_listeners(weft):
    said = weft.log_text()
    for listener in ("adminTls", "gatewayTls", "kafkaTls"):
        assert f"           {weft.node[listener]}" in said
