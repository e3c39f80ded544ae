"""Requests whose framing or routing two servers might read in two ways (RFC 9112, RFC 9110), and what Weft makes of each.

`{n}` is the case's own number, so that every request can be told in every log. A case is sent as it stands, then the
sentinel, both on one connection. `answers` is what comes back before the sentinel's own answer: a status, or the
"METHOD /path" that the upstream echoed. `ends` says that the connection is closed behind them, so that neither the
smuggled request nor the sentinel is ever read. `forwarded`: paths that the upstream is to see.
"""
from dataclasses import dataclass

SMUGGLED = b"GET /smuggled/{n} HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
POST = b"POST /c/{n} HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /c/{n} HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass
class Case:
    name: str
    data: bytes
    answers: tuple
    ends: bool = False
    forwarded: tuple = ()
    half_closes: bool = False  # the client ends its side behind the case, without a sentinel

    def text(self, number):
        return self.data.replace(b"{n}", str(number).encode())


def refused(name, data, status=400):
    """The head is refused: nothing is forwarded, the connection ends."""
    return Case(name, data + SMUGGLED, (status,), ends=True)


def refused_body(name, chunks):
    """The head was good and is forwarded; the body is found to be bad, and the connection ends."""
    return Case(name, CHUNKED + chunks + SMUGGLED, (400,), ends=True, forwarded=("/c/{n}",))


def plain(name, data, method="POST"):
    """Nothing ambiguous: the request and the one behind it are two requests for everybody."""
    return Case(name, data + SMUGGLED, (f"{method} /c/{{n}}", "GET /smuggled/{n}"), forwarded=("/c/{n}", "/smuggled/{n}"))


def unrouted(name, data, status):
    """Refused by the routes; what follows on the connection is an ordinary request."""
    return Case(name, data + SMUGGLED, (status, "GET /smuggled/{n}"), forwarded=("/smuggled/{n}",))


def length(value, name=b"Content-Length", body=b"hello"):
    return POST + name + b": " + value + b"\r\n\r\n" + body


def coding(field, body=CHUNKS):
    return POST + field + b"\r\n\r\n" + body


CASES = [
    # Content-Length against Transfer-Encoding
    refused("length then chunked", POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"),
    refused("chunked then length", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n"),
    refused("length 0 with chunked", POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS),
    refused("length with an unknown coding", POST + b"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\nhello", 501),
    refused("length with identity", POST + b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\nhello", 501),
    refused("chunked on HTTP/1.0", b"POST /c/{n} HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS),
    refused("chunked on HTTP/1.0 that stays open", b"POST /c/{n} HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS),
    # Transfer-Encoding in disguise
    refused("coding xchunked", coding(b"Transfer-Encoding: xchunked"), 501),
    refused("coding chunk", coding(b"Transfer-Encoding: chunk"), 501),
    refused("coding identity", coding(b"Transfer-Encoding: identity"), 501),
    refused("coding chunked twice in a list", coding(b"Transfer-Encoding: chunked, chunked")),
    refused("coding chunked not last", coding(b"Transfer-Encoding: chunked, identity")),
    refused("coding with one before chunked", coding(b"Transfer-Encoding: cow, chunked")),
    refused("gzip before chunked", coding(b"Transfer-Encoding: gzip, chunked")),
    refused("coding with a parameter", coding(b"Transfer-Encoding: chunked;q=1")),
    refused("coding with a comma behind", coding(b"Transfer-Encoding: chunked,")),
    refused("coding in quotes", coding(b'Transfer-Encoding: "chunked"')),
    refused("coding behind a vertical tab", coding(b"Transfer-Encoding: \x0bchunked")),
    refused("coding behind a form feed", coding(b"Transfer-Encoding: \x0cchunked")),
    refused("coding before NUL", coding(b"Transfer-Encoding: chunked\x00")),
    refused("coding behind a no-break space", coding(b"Transfer-Encoding: \xa0chunked")),
    refused("coding that is empty", coding(b"Transfer-Encoding:")),
    refused("coding in two fields", coding(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x")),
    refused("coding twice the same", coding(b"Transfer-Encoding: chunked\r\nTransfer-encoding: chunked")),
    refused("space before the colon of the coding", coding(b"Transfer-Encoding : chunked")),
    refused("tab before the colon of the coding", coding(b"Transfer-Encoding\t: chunked")),
    refused("coding on a folded line", coding(b"Transfer-Encoding:\r\n chunked")),
    refused("coding behind a bare line feed", coding(b"X: x\nTransfer-Encoding: chunked")),
    refused("coding behind a bare carriage return", coding(b"X: x\rTransfer-Encoding: chunked")),
    refused("coding with a bare carriage return before its name", coding(b"\rTransfer-Encoding: chunked")),
    refused("coding whose name starts with a space", coding(b" Transfer-Encoding: chunked")),
    refused("coding whose name holds NUL", coding(b"Transfer-Encoding\x00: chunked")),
    # Content-Length in disguise
    refused("two lengths", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    refused("two equal lengths", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    refused("lengths as a list", length(b"5, 5")),
    refused("lengths as a list that differ", length(b"5,6")),
    refused("length with plus", length(b"+5")),
    refused("length with minus", length(b"-5")),
    refused("length in hexadecimal", length(b"0x5")),
    refused("length with an underscore", length(b"5_0")),
    refused("length with a fraction", length(b"5.0")),
    refused("length with an exponent", length(b"5e0")),
    refused("length with a space inside", length(b"5 0")),
    refused("length with a vertical tab", length(b"\x0b5")),
    refused("length in quotes", length(b'"5"')),
    refused("length that is empty", length(b"")),
    refused("length beyond 64 bits", length(b"18446744073709551621")),
    refused("length of other digits", length("\u0665".encode())),
    refused("space before the colon of the length", length(b"5", b"Content-Length ")),
    refused("length on a folded line", POST + b"Content-Length:\r\n 5\r\n\r\nhello"),
    # Lines
    refused("bare line feeds for every line", b"GET /c/{n} HTTP/1.1\nHost: a\n\n"),
    refused("bare line feed behind the request line", b"GET /c/{n} HTTP/1.1\nHost: a\r\n\r\n"),
    refused("bare line feed as the end of the head", b"GET /c/{n} HTTP/1.1\r\nHost: a\r\n\n"),
    refused("bare line feed inside a value", GET + b"X: y\nContent-Length: 40\r\n\r\n"),
    refused("two carriage returns", GET + b"X: y\r\r\n\r\n"),
    refused("folded line", GET + b"X: y\r\n z\r\n\r\n"),
    refused("folded line with a tab", GET + b"X: y\r\n\tz\r\n\r\n"),
    refused("space before the first field", b"GET /c/{n} HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n"),
    refused("field without a colon", GET + b"Content-Length 40\r\n\r\n"),
    refused("field without a name", GET + b": 40\r\n\r\n"),
    refused("NUL in a value", GET + b"X: \x00\r\n\r\n"),
    refused("name with a bracket", GET + b"Content[Length]: 40\r\n\r\n"),
    refused("empty lines in place of a request", b"\r\n\r\n\r\n" + GET + b"\r\n"),
    # The request line and Host
    refused("two versions", b"GET /c/{n} HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("no version", b"GET /c/{n}\r\nHost: a\r\n\r\n"),
    refused("HTTP/1.2", b"GET /c/{n} HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    refused("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    refused("tab in the request line", b"GET\t/c/{n}\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("two spaces in the request line", b"GET  /c/{n} HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("space in the target", b"GET /c/{n} /smuggled/{n} HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("fragment in the target", b"GET /c/{n}#x HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("CONNECT", b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
    refused("absolute target against Host", b"GET http://b/c/{n} HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("absolute target with user information", b"GET http://a@b/c/{n} HTTP/1.1\r\nHost: b\r\n\r\n"),
    refused("two hosts", b"GET /c/{n} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    refused("no host", b"GET /c/{n} HTTP/1.1\r\nX: y\r\n\r\n"),
    refused("host with a path", b"GET /c/{n} HTTP/1.1\r\nHost: a/smuggled\r\n\r\n"),
    refused("host as a list", b"GET /c/{n} HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    refused("unknown expectation", POST + b"Expect: 200-maybe\r\nContent-Length: 5\r\n\r\nhello", 417),
    # Chunks
    refused_body("chunk size beyond 64 bits", b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size of 2^64 - 1", b"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size with many zeros before it", b"0000000000000000000005\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size with plus", b"+5\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size with minus", b"-1\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size with 0x", b"0x5\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size behind a space", b" 5\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size before a space", b"5 \r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size before a tab", b"5\t\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size that is empty", b"\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size with NUL", b"5\x00\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk size before a bare line feed", b"5\nhello\r\n0\r\n\r\n"),
    refused_body("chunk that ends with a bare line feed", b"5\r\nhello\n0\r\n\r\n"),
    refused_body("chunk longer than its size", b"4\r\nhello\r\n0\r\n\r\n"),
    refused_body("chunk shorter than its size", b"7\r\nhello\r\n0\r\n\r\n"),
    refused_body("extension with a bare line feed", b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    refused_body("extension with a bare carriage return", b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
    refused_body("extension with NUL", b"5;\x00\r\nhello\r\n0\r\n\r\n"),
    refused_body("extension too long", b"5;" + b"x" * 17_000 + b"\r\nhello\r\n0\r\n\r\n"),
    refused_body("last chunk that ends with a bare line feed", b"5\r\nhello\r\n0\r\n\n"),
    refused_body("trailer on a folded line", b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n"),
    refused_body("trailer with a space before the colon", b"5\r\nhello\r\n0\r\nX : y\r\n\r\n"),
    refused_body("a request in place of a trailer", b"5\r\nhello\r\n0\r\nGET /smuggled/{n} HTTP/1.1\r\nHost: a\r\n\r\n"),
    # Routing
    unrouted("dot segments", b"GET /c/{n}/../../smuggled/{n} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    unrouted("encoded dot segments", b"GET /c/%2e%2e/smuggled/{n} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    unrouted("two slashes", b"GET //c/{n} HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    unrouted("backslash", b"GET /c\\{n} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    # Unusual, and still one meaning for everybody
    plain("length", length(b"5")),
    plain("length with zeros before it", length(b"0000005")),
    plain("length with spaces around", length(b"  5 \t")),
    plain("length 0", length(b"0", body=b"")),
    plain("length in an odd case", length(b"5", b"cOnTeNt-LeNgTh")),
    plain("chunked", CHUNKED + CHUNKS),
    plain("chunked without a space", coding(b"Transfer-Encoding:chunked")),
    plain("chunked behind a tab", coding(b"Transfer-Encoding:\tchunked")),
    plain("chunked in an odd case", coding(b"tRANSFER-eNCODING: CHUNKED")),
    plain("chunked with extensions", CHUNKED + b'5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n'),
    plain("chunk size in capitals", CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n"),
    plain("chunk size with some zeros before it", CHUNKED + b"0005\r\nhello\r\n000\r\n\r\n"),
    plain("chunked with trailers", CHUNKED + b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    plain("trailers that would frame", CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: 50\r\nTransfer-Encoding: x\r\n\r\n"),
    plain("a request inside a body", length(b"41", body=b"GET /smuggled/x HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n")),
    plain("GET with a body", GET + b"Content-Length: 5\r\n\r\nhello", "GET"),
    plain("GET with chunks", GET + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, "GET"),
    plain("Connection names the length", POST + b"Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello"),
    plain("Connection names the coding", POST + b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS),
    plain("Connection names Host", GET + b"Connection: Host\r\n\r\n", "GET"),
    plain("TE alone", GET + b"TE: chunked\r\n\r\n", "GET"),
    plain("length with an underscore in its name", POST + b"Content_Length: 40\r\nContent-Length: 5\r\n\r\nhello"),
    plain("coding with an underscore in its name", POST + b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello"),
    plain("other names that end alike", POST + b"X-Content-Length: 40\r\nX-Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello"),
    plain("expected continue", POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
    plain("one empty line before the request", b"\r\n" + GET + b"\r\n", "GET"),
    plain("absolute target", b"GET http://a/c/{n} HTTP/1.1\r\nHost: a\r\n\r\n", "GET"),
    plain("HTTP/1.0 that stays open", b"POST /c/{n} HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
    plain("upgrade to h2c", GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n", "GET"),
    plain("line breaks encoded in a query", b"GET /c/{n}?x=%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\n\r\n", "GET"),
    plain("HEAD", b"HEAD /c/{n} HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD"),
    Case("HTTP/1.0 that closes", b"GET /c/{n} HTTP/1.0\r\nHost: a\r\n\r\n" + SMUGGLED, ("GET /c/{n}",), ends=True, forwarded=("/c/{n}",)),
    Case("Connection: close", GET + b"Connection: close\r\n\r\n" + SMUGGLED, ("GET /c/{n}",), ends=True, forwarded=("/c/{n}",)),
    Case("a body that ends early", length(b"500", body=SMUGGLED), (400,), ends=True, forwarded=("/c/{n}",), half_closes=True),
    Case("chunks that end early", CHUNKED + b"500\r\n" + SMUGGLED, (400,), ends=True, forwarded=("/c/{n}",), half_closes=True),
]
