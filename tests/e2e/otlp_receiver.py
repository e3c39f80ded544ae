"""An OTLP/HTTP receiver that owes nothing to Weft: it decodes the Protobuf wire format by the field numbers of the
published opentelemetry-proto 1.x (trace/v1/trace.proto, common/v1/common.proto, resource/v1/resource.proto)."""
import gzip
import http.server
import threading
from dataclasses import dataclass, field

KINDS = {0: "unspecified", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        assert shift < 70, "a varint of more than ten bytes"


def fields(data):
    """(number, value) of a message; whatever does not fit the wire format is an error."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        assert number > 0, "field number 0"
        if wire == 0:
            value, at = varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = int.from_bytes(data[at:at + size], "little"), at + size
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size, "a field longer than its message"
        else:
            raise AssertionError(f"wire type {wire}")
        assert at <= len(data), "a cut message"
        yield number, value


def any_value(data):
    for number, value in fields(data):
        match number:
            case 1: return value.decode()
            case 2: return bool(value)
            case 3: return value if value < 1 << 63 else value - (1 << 64)
            case 7: return value
    return None


def attributes(pairs):
    made = {}
    for data in pairs:
        parts = dict(fields(data))
        made[parts[1].decode()] = any_value(parts.get(2, b""))
    return made


@dataclass
class Span:
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    attributes: dict
    failed: bool
    resource: dict = field(default_factory=dict)
    scope: str = ""


def span(data):
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    one = {number: values[-1] for number, values in found.items()}
    assert len(one[1]) == 16 and len(one[2]) == 8, "ids have 16 and 8 bytes"
    assert len(one.get(4, b"")) in (0, 8)
    status = dict(fields(one.get(15, b"")))
    return Span(one[1].hex(), one[2].hex(), one.get(4, b"").hex(), one[5].decode(), KINDS[one.get(6, 0)], one[7], one[8],
                attributes(found.get(9, [])), status.get(3) == 2)


def spans(data):
    """Those of an ExportTraceServiceRequest."""
    made = []
    for number, resource_spans in fields(data):
        assert number == 1
        parts = list(fields(resource_spans))
        resource = attributes(pair for n, value in parts if n == 1 for m, pair in fields(value) if m == 1)
        for number, scope_spans in parts:
            if number != 2:
                continue
            scope = next((value for n, value in fields(scope_spans) if n == 1), b"")
            name = next((value.decode() for n, value in fields(scope) if n == 1), "")
            for n, value in fields(scope_spans):
                if n == 2:
                    made.append(span(value))
                    made[-1].resource, made[-1].scope = resource, name
    return made


class OtlpReceiver:
    """Answers with the statuses that it was told, then 200; keeps the requests that it answered with 200."""

    def __init__(self):
        self.requests, self.refused, self.statuses = [], [], []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                kept = receiver.requests if status == 200 else receiver.refused
                kept.append({"path": self.path, "headers": dict(self.headers), "body": body})
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")  # an ExportTraceServiceResponse with nothing to say
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans_of(self, trace_id):
        return [each for request in self.of("traces") for each in spans(request["body"]) if each.trace_id == trace_id]

    def of(self, signal):
        return [request for request in list(self.requests) if request["path"] == f"/v1/{signal}"]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
