"""Kafka clients that log in with signed tokens (OAUTHBEARER): confluent-kafka at the real binary, an issuer on loopback."""
import base64
import http.server
import json
import subprocess
import threading
import time

import pytest
from weft_process import wait_until

confluent_kafka = pytest.importorskip("confluent_kafka")

TOPIC = "shop.order.placed.v1"
ESTATE = f"""apiVersion: weft/v1
kind: Stream
metadata: {{name: {TOPIC}, owner: tests}}
spec: {{opaque: true, partitions: 1}}
---
apiVersion: weft/v1
kind: Client
metadata: {{name: shop, owner: tests}}
spec: {{grants: [{{action: "stream.*", resource: "shop.*"}}]}}
---
apiVersion: weft/v1
kind: TokenIssuer
metadata: {{name: loopback}}
spec: {{issuer: "https://id.test", keysUrl: "%s/keys", audience: weft, clockSkew: 0s}}
"""


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, text=None):
    return subprocess.run(["openssl", *map(str, words)], input=text, check=True, capture_output=True, timeout=60).stdout


class Issuer:
    """An RSA key made by openssl, its set of keys over HTTP, and tokens that it signs."""

    def __init__(self, folder):
        self.key = folder / "rsa.pem"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.key)
        modulus = openssl("rsa", "-in", self.key, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
        keys = {"keys": [{"kty": "RSA", "use": "sig", "kid": "one", "e": "AQAB", "n": base64url(bytes.fromhex(modulus))}]}
        issuer = self
        self.fetches = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.fetches += 1
                body = json.dumps(keys).encode()
                self.send_response(200 if self.path == "/keys" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def token(self, seconds=300, algorithm="RS256", **claims):
        claims = {"iss": "https://id.test", "aud": "weft", "sub": "shop", "exp": int(time.time()) + seconds, **claims}
        text = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": algorithm, "kid": "one"}, claims))
        signature = openssl("dgst", "-sha256", "-sign", self.key, text=text.encode())
        return f"{text}.{base64url(signature)}"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    issuer = Issuer(tmp_path_factory.mktemp("issuer"))
    yield issuer
    issuer.server.shutdown()


@pytest.fixture
def weft(weft_factory, issuer):
    node = weft_factory(settings=["egress.allow=127.0.0.1", "kafka.rebalanceDelay=0s"]).start()
    assert node.admin("POST", "/apply", ESTATE % issuer.url, "application/yaml").status == 200
    return node


def oauth(weft, give, errors=None):
    """`give` returns a token whenever the client asks for one."""
    return {"bootstrap.servers": weft.kafka, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER",
            "oauth_cb": lambda _: (give(), time.time() + 3600), "message.timeout.ms": 3000,
            "error_cb": lambda error: errors is not None and errors.append(error.str())}


def produce(producer):
    outcomes = []
    producer.produce(TOPIC, b"x", on_delivery=lambda error, _: outcomes.append(error))
    producer.poll(0)
    producer.flush(20)
    return outcomes[0] if outcomes else "no answer"


def test_a_token_logs_the_client_in_that_it_names(weft, issuer):
    producer = confluent_kafka.Producer(oauth(weft, issuer.token))
    assert produce(producer) is None
    again = confluent_kafka.Producer(oauth(weft, issuer.token))
    assert produce(again) is None
    [record] = [weft.admin("GET", f"/streams/{TOPIC}/records").json()["end"]]
    assert record == 2


@pytest.mark.parametrize("claims, why", [
    ({"seconds": -10}, "it expired at"), ({"aud": "crm"}, "its audience (aud) is not weft"),
    ({"iss": "https://other.test"}, "no TokenIssuer declares its issuer"), ({"sub": "nobody"}, "has no such Client"),
    ({"algorithm": "none"}, "is not signed by a key"), ({"algorithm": "HS256"}, "is not signed by a key")])
def test_a_token_that_is_not_right_is_refused_and_the_log_says_why(weft, issuer, claims, why):
    errors = []
    producer = confluent_kafka.Producer(oauth(weft, lambda: issuer.token(**claims), errors))
    assert produce(producer) is not None
    assert any("invalid_token" in error or "refused" in error for error in errors), errors
    assert why in weft.log_text()


def test_a_session_ends_with_its_token(weft, issuer):
    token = issuer.token(seconds=3)
    producer = confluent_kafka.Producer(oauth(weft, lambda: token))
    assert produce(producer) is None
    wait_until(lambda: produce(producer) is not None, seconds=30, what="the end of the session")
    assert "it expired at" in weft.log_text()


def test_without_its_issuers_keys_nobody_logs_in(weft_factory, issuer):
    # egress.allow does not let it through.
    weft = weft_factory(settings=["egress.allow=192.0.2.1"]).start()
    assert weft.admin("POST", "/apply", ESTATE % issuer.url, "application/yaml").status == 200
    producer = confluent_kafka.Producer(oauth(weft, issuer.token))
    assert produce(producer) is not None
    assert "the keys of a token issuer could not be fetched" in weft.log_text()
    assert "is not on the allow-list" in weft.log_text()


def test_a_token_issuer_that_cannot_be_is_refused_with_the_place(weft):
    document = ("apiVersion: weft/v1\nkind: TokenIssuer\nmetadata: {name: bad}\n"
                "spec: {issuer: x, keysUrl: \"%s\", audience: y%s}\n")
    for url, more, words in (("https://id.test/keys", ", algorithms: [HS256]", "algorithms"),
                             ("https://id.test/keys", ", clockSkew: 10m", "at most 5m"), ("ftp://id.test", "", "keysUrl")):
        refused = weft.admin("POST", "/plan", document % (url, more), "application/yaml")
        assert words in refused.body.decode(), refused.body
