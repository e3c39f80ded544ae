"""Kafka clients that log in with a certificate, made by openssl: kcat at the TLS listener of the real binary."""
import subprocess

import pytest
from certificates import Authority
from weft_process import wait_until

confluent_kafka = pytest.importorskip("confluent_kafka")

TOPIC = "shop.order.placed.v1"
SHOP = """apiVersion: weft/v1
kind: Client
metadata: {name: shop, owner: tests}
spec: {grants: [{action: "stream.*", resource: "shop.*"}], certificates: %s}
"""
ESTATE = f"""apiVersion: weft/v1
kind: Stream
metadata: {{name: {TOPIC}, owner: tests}}
spec: {{opaque: true, partitions: 1}}
---
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def start(weft_factory, authority, mode, certificates='["CN=shop, O=Acme", "dns:shop.acme.test"]'):
    certificate, key = authority.issue("server")
    weft = weft_factory(settings=[
        f"tls.certificateFile={certificate}", f"tls.keyFile={key}", f"tls.kafka.clientCertificates={mode}",
        f"tls.kafka.clientCaFile={authority.ca}", "kafka.rebalanceDelay=0s"]).start()
    assert weft.admin("POST", "/apply", ESTATE + SHOP % certificates, "application/yaml").status == 200
    return weft


def tls(weft, authority, pair=None):
    config = {"bootstrap.servers": weft.node["kafkaTls"], "security.protocol": "SSL", "ssl.ca.location": str(authority.ca)}
    if pair:
        config |= {"ssl.certificate.location": str(pair[0]), "ssl.key.location": str(pair[1])}
    return config


def kcat(config, *words, text=None):
    settings = [f"-X{name}={value}" for name, value in config.items()]
    return subprocess.run(["kcat", "-m", "4", *settings, *words], input=text, text=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("subject, names", [("/O=Acme/CN=shop", "DNS:other.test"), ("/CN=any", "DNS:Shop.acme.test")])
def test_a_certificate_logs_its_client_in_by_subject_or_name(weft_factory, authority, subject, names):
    weft = start(weft_factory, authority, "required")
    config = tls(weft, authority, authority.issue("client", subject=subject, names=names))
    written = kcat(config, "-P", "-t", TOPIC, text="one\n")
    assert written.returncode == 0, written.stderr
    assert kcat(config, "-C", "-t", TOPIC, "-e", "-q").stdout == "one\n"
    # What its document does not grant it may not do either.
    refused = kcat(config, "-G", "other", TOPIC, "-e")
    assert "no grant of group.describe or group.use" in refused.stderr, refused.stderr


def test_who_has_no_certificate_or_one_of_nobody_stays_outside(weft_factory, authority, tmp_path):
    weft = start(weft_factory, authority, "required")
    assert kcat(tls(weft, authority), "-L").returncode != 0
    assert "peer did not return a certificate" in weft.log_text()

    nobody = authority.issue("nobody", subject="/O=Acme/CN=nobody", names="DNS:nobody.test")
    assert kcat(tls(weft, authority, nobody), "-L").returncode != 0
    assert "no Client names the certificate CN=nobody,O=Acme, dns:nobody.test" in weft.log_text()

    (tmp_path / "other").mkdir()
    forged = Authority(tmp_path / "other").issue("forged", subject="/O=Acme/CN=shop")
    assert kcat(tls(weft, authority, forged), "-L").returncode != 0
    assert weft.log_text().count("TLS handshake failed") >= 2


def test_where_certificates_are_only_requested_others_log_in_by_password(weft_factory, authority):
    weft = start(weft_factory, authority, "requested")
    assert subprocess.run([weft.command()[0], "client", "password", "set", "shop", "--data", str(weft.data)], input="pencil\n",
                          text=True, capture_output=True, timeout=60).returncode == 0
    login = {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-256", "sasl.username": "shop",
             "sasl.password": "pencil"}
    by_password = kcat(tls(weft, authority) | login, "-L")
    assert TOPIC in by_password.stdout, by_password.stderr
    by_certificate = kcat(tls(weft, authority, authority.issue("client", subject="/O=Acme/CN=shop")), "-L")
    assert TOPIC in by_certificate.stdout, by_certificate.stderr
    assert kcat(tls(weft, authority), "-L").returncode != 0, "neither"


def test_a_certificate_that_its_document_no_longer_names_ends_its_connections(weft_factory, authority):
    weft = start(weft_factory, authority, "required")
    config = tls(weft, authority, authority.issue("client", subject="/O=Acme/CN=shop"))
    producer = confluent_kafka.Producer({**config, "message.timeout.ms": 3000})
    outcomes = []

    def produce():
        producer.produce(TOPIC, b"x", on_delivery=lambda error, _: outcomes.append(error))
        producer.flush(20)
        return outcomes[-1]

    assert produce() is None
    assert weft.admin("POST", "/apply", SHOP % "[]", "application/yaml").status == 200
    wait_until(produce, seconds=30, what="the refusal")
    assert "no Client names the certificate CN=shop,O=Acme" in weft.log_text()
