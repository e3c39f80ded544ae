"""Bad input at the Kafka door of the real binary, byte by byte: what each is answered (docs/kafka-compatibility.md, bad input), and that
the node goes on. Expired tokens are in kafka_tokens_test.py, certificates of nobody in kafka_certificates_test.py."""
import gzip
import random
import socket
import struct
import subprocess

import pytest
from certificates import Authority
from weft_process import wait_until

TOPIC, CHECKED = "shop.order.placed.v1", "shop.order.checked.v1"
ESTATE = f"""apiVersion: weft/v1
kind: Stream
metadata: {{name: {TOPIC}, owner: tests}}
spec: {{opaque: true, partitions: 1}}
---
apiVersion: weft/v1
kind: Schema
metadata: {{name: {CHECKED}, owner: tests}}
spec: {{format: json-schema, definition: {{type: object}}}}
---
apiVersion: weft/v1
kind: Stream
metadata: {{name: {CHECKED}, owner: tests}}
spec: {{schema: {CHECKED}, validation: every, partitions: 1}}
"""
PRODUCE, FETCH, METADATA, API_VERSIONS = 0, 1, 3, 18
NONE, CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, UNSUPPORTED_VERSION, INVALID_RECORD = 0, 2, 10, 35, 87
MIB = 1024 * 1024


def crc_table():
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        yield number


CRC_TABLE = list(crc_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(number):
    number = number << 1 ^ number >> 63
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def batch_of(records, attributes=0, crc=None):
    """A batch that says it has one record."""
    signed = struct.pack(">hiqqqhii", attributes, 0, 1_700_000_000_000, 1_700_000_000_000, -1, -1, -1, 1) + records
    return struct.pack(">qiibI", 0, 9 + len(signed), -1, 2, crc32c(signed) if crc is None else crc) + signed


def record(value):
    body = b"\0" + varint(0) + varint(0) + varint(-1) + varint(len(value)) + value + varint(0)
    return varint(len(body)) + body


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


class Client:
    def __init__(self, weft, timeout=20):
        host, port = weft.kafka.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, api, version, body=b""):
        frame = struct.pack(">hhi", api, version, 7) + text("bad-input") + body
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def receive(self):
        """The answer behind its correlation id; None when the node ended the connection."""
        size = self._exactly(4)
        return None if size is None else self._exactly(struct.unpack(">i", size)[0])[4:]

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                part = self.socket.recv(count - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                return None
            data += part
        return data

    def is_ended(self):
        return self._exactly(1) is None

    def produce(self, batch, topic=TOPIC):
        self.send(PRODUCE, 7, struct.pack(">hhi", -1, -1, 10_000) + struct.pack(">i", 1) + text(topic) + struct.pack(">iii", 1, 0, len(batch))
                  + batch)
        answer = self.receive()
        return None if answer is None else struct.unpack_from(">h", answer, 4 + 2 + len(topic) + 4 + 4)[0]


@pytest.fixture
def weft(weft_factory):
    node = weft_factory(settings=["kafka.anonymous=true"]).start()
    assert node.admin("POST", "/apply", ESTATE, "application/yaml").status == 200
    yield node
    with Client(node) as client:  # it goes on
        assert client.produce(batch_of(record(b"good"))) == NONE


def resident_mib(weft):
    with open(f"/proc/{weft.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def test_what_is_no_request_ends_the_connection(weft):
    seeded = random.Random(7)
    for _ in range(50):
        with Client(weft) as client:
            body = seeded.randbytes(seeded.randrange(1, 200))
            client.socket.sendall(struct.pack(">i", len(body)) + body)
            assert client.is_ended(), body
    with Client(weft) as client:
        client.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.is_ended()
    assert "is this an HTTP client?" in weft.log_text()


@pytest.mark.parametrize("size", [0x7FFFFFFF, -1, 200 * MIB])
def test_a_length_beyond_the_limit_ends_the_connection_before_anything_is_held(weft, size):
    before = resident_mib(weft)
    with Client(weft) as client:
        client.socket.sendall(struct.pack(">i", size) + b"\0\0\0\x09")
        assert client.is_ended()
    assert resident_mib(weft) - before < 16
    wait_until(lambda: f"a request of {size} bytes, the limit is" in weft.log_text(), what="the line of the log")


def test_a_version_that_is_not_spoken_is_told_what_is(weft):
    with Client(weft) as client:
        client.send(API_VERSIONS, 99)
        code, count = struct.unpack_from(">hi", client.receive())
        assert code == UNSUPPORTED_VERSION and count > 40
        client.send(METADATA, 99)  # as a real broker does: a client that did not ask is not told
        assert client.is_ended()


BAD_BATCHES = {
    "wrong CRC": (batch_of(record(b"x"), crc=1), CORRUPT_MESSAGE),
    "cut": (batch_of(record(b"x"))[:-3], CORRUPT_MESSAGE),
    "none": (b"", INVALID_RECORD),
    "undefined attribute": (batch_of(record(b"x"), attributes=-0x8000), INVALID_RECORD),
    "control batch": (batch_of(record(b"x"), attributes=0x20), INVALID_RECORD),
    "two batches": (batch_of(record(b"x")) * 2, INVALID_RECORD),
    "oversized": (batch_of(record(bytes(2 * MIB)), crc=0), MESSAGE_TOO_LARGE),
}


@pytest.mark.parametrize("batch, code", BAD_BATCHES.values(), ids=BAD_BATCHES)
def test_a_bad_batch_is_refused_and_the_connection_goes_on(weft, batch, code):
    with Client(weft) as client:
        assert client.produce(batch) == code
        assert client.produce(batch_of(record(b"x"))) == NONE


def test_a_decompression_bomb_is_refused_without_being_unpacked(weft):
    bomb = batch_of(gzip.compress(bytes(512 * MIB), 9), attributes=1)
    assert len(bomb) < MIB
    before = resident_mib(weft)
    with Client(weft) as client:
        assert client.produce(bomb, CHECKED) == MESSAGE_TOO_LARGE
        assert resident_mib(weft) - before < 128
        assert client.produce(batch_of(record(b"{}")), CHECKED) == NONE


def test_who_never_reads_is_not_written_to_without_end_and_holds_nobody_up(weft):
    with Client(weft) as good:
        for _ in range(20):
            assert good.produce(batch_of(record(bytes(range(256)) * 2000))) == NONE
        before = resident_mib(weft)
        with Client(weft, timeout=1) as deaf:
            body = struct.pack(">iiiibii", -1, 0, 1, 50 * MIB, 0, 0, -1) + struct.pack(">i", 1) + text(TOPIC)
            body += struct.pack(">iiiqqi", 1, 0, -1, 0, -1, 50 * MIB) + struct.pack(">i", 0)
            with pytest.raises(TimeoutError):  # its requests are not read any more, either
                for _ in range(100_000):
                    deaf.send(FETCH, 9, body)
            assert resident_mib(weft) - before < 64
            assert good.produce(batch_of(record(b"x"))) == NONE


def test_an_expired_certificate_is_refused_by_the_handshake(weft_factory, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    weft = weft_factory(settings=[f"tls.certificateFile={certificate}", f"tls.keyFile={key}", "tls.kafka.clientCertificates=required",
                                  f"tls.kafka.clientCaFile={authority.ca}"]).start()
    expired = authority.issue("shop", days=0)
    words = [f"-X{name}={value}" for name, value in {
        "bootstrap.servers": weft.node["kafkaTls"], "security.protocol": "SSL", "ssl.ca.location": authority.ca,
        "ssl.certificate.location": expired[0], "ssl.key.location": expired[1]}.items()]
    listed = subprocess.run(["kcat", "-m", "4", "-L", *words], text=True, capture_output=True, timeout=60)
    assert listed.returncode != 0
    assert "expired" in listed.stderr.lower() or "expired" in weft.log_text().lower(), listed.stderr + weft.log_text()[-800:]
