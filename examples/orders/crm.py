#!/usr/bin/python3
"""A CRM: receives orders as signed webhooks, and fails now and then as real receivers do.

Checks the Standard Webhooks signature and the age of each message, keeps the ids that it has taken, and
answers some requests with 500, with 429 and Retry-After, or too late; which ones is decided by --seed.
A message that comes again (same webhook-id) is acknowledged and not counted twice. Standard library only.

  crm.py --port 7001 --secret whsec_…        POST /hooks/orders   GET /stats   GET /received
"""

import argparse
import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import random
import signal
import socket
import sys
import threading
import time

TOLERANCE_SECONDS = 300
BODY_MAX = 4 * 1024 * 1024


class Refused(Exception):
    pass


def key_of(secret):
    if not secret.startswith("whsec_"):
        raise SystemExit("a secret starts with whsec_")
    return base64.b64decode(secret[len("whsec_"):])


def verify(keys, headers, body, now):
    """Standard Webhooks 1.0: raises Refused unless one signature of one key is right and the time is near."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isdigit():
        raise Refused("webhook-id or webhook-timestamp is missing")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refused("webhook-timestamp is too far from now")
    signed = f"{message_id}.{timestamp}.".encode() + body
    given = [part[3:] for part in headers.get("webhook-signature", "").split(" ") if part.startswith("v1,")]
    for key in keys:
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(expected, candidate) for candidate in given):
            return message_id
    raise Refused("no signature is right")


class Crm:
    def __init__(self, options):
        self.options = options
        self.keys = [key_of(secret) for secret in options.secret]
        self.chance = random.Random(options.seed)
        self.lock = threading.Lock()
        self.answers = collections.Counter()
        self.received = {}
        self.duplicates = 0
        self.refused = 0
        self.orders = collections.OrderedDict()

    def fault(self):
        with self.lock:
            draw = self.chance.random()
        for name, share in (("500", self.options.fail), ("429", self.options.busy), ("timeout", self.options.slow)):
            if draw < share:
                return name
            draw -= share
        return None

    def take(self, message_id, body, headers):
        event = json.loads(body)
        with self.lock:
            if message_id in self.received:
                self.duplicates += 1
                return
            self.received[message_id] = headers.get("traceparent", "")
            order = event.get("data", event)
            self.orders[order.get("orderId", event.get("id", message_id))] = message_id

    def stats(self):
        with self.lock:
            return {"received": len(self.received), "orders": len(self.orders), "duplicates": self.duplicates,
                    "refusedSignatures": self.refused, "answers": dict(sorted(self.answers.items()))}

    def listing(self):
        with self.lock:
            return {"ids": list(self.received), "orders": list(self.orders), "traces": dict(self.received)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 75
    # Without it the body waits for the acknowledgement of the head, 40 ms on Linux.
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self, status, content=b"", **fields):
        with self.server.crm.lock:
            if self.command == "POST":
                self.server.crm.answers[str(status)] += 1
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def answer_json(self, value):
        self.answer(200, json.dumps(value).encode() + b"\n", Content_Type="application/json")

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline(100).split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline(10)
            self.rfile.readline(10)
            return b"".join(parts)
        length = int(self.headers.get("Content-Length", "0"))
        if length > BODY_MAX:
            raise Refused("the body is too large")
        return self.rfile.read(length)

    def do_POST(self):
        crm = self.server.crm
        body = self.body()
        try:
            message_id = verify(crm.keys, self.headers, body, time.time())
        except Refused as refused:
            with crm.lock:
                crm.refused += 1
            return self.answer(401, str(refused).encode() + b"\n", Content_Type="text/plain")
        fault = crm.fault()
        if fault == "500":
            return self.answer(500, b"database is locked\n", Content_Type="text/plain")
        if fault == "429":
            return self.answer(429, b"slow down\n", Content_Type="text/plain", Retry_After="1")
        if fault == "timeout":
            time.sleep(crm.options.slow_seconds)
        try:
            crm.take(message_id, body, self.headers)
        except (ValueError, AttributeError):
            return self.answer(422, b"not a JSON event\n", Content_Type="text/plain")
        return self.answer(204)

    def do_GET(self):
        if self.path == "/stats":
            return self.answer_json(self.server.crm.stats())
        if self.path == "/received":
            return self.answer_json(self.server.crm.listing())
        return self.answer(404, b"POST /hooks/orders, GET /stats, GET /received\n", Content_Type="text/plain")

    def log_message(self, format, *args):
        if self.server.crm.options.verbose:
            super().log_message(format, *args)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        # A sender that gave up waiting is no error of ours.
        if not isinstance(sys.exc_info()[1], (ConnectionError, socket.timeout)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7001, help="0 takes a free one; it is printed")
    parser.add_argument("--secret", action="append", help="whsec_…, may repeat; default $CRM_WEBHOOK_SECRET")
    parser.add_argument("--seed", type=int, default=1, help="decides which requests fail")
    parser.add_argument("--fail", type=float, default=0.03, help="share answered with 500")
    parser.add_argument("--busy", type=float, default=0.01, help="share answered with 429 and Retry-After: 1")
    parser.add_argument("--slow", type=float, default=0.005, help="share answered too late")
    parser.add_argument("--slow-seconds", type=float, default=20)
    parser.add_argument("--address-file", help="file to write the address to once it listens")
    parser.add_argument("--verbose", action="store_true", help="log each request")
    options = parser.parse_args()
    options.secret = options.secret or [os.environ.get("CRM_WEBHOOK_SECRET", "")]
    crm = Crm(options)
    server = Server((options.host, options.port), Handler)
    server.crm = crm
    address = f"http://{options.host}:{server.server_port}/hooks/orders"
    if options.address_file:
        with open(options.address_file, "w") as file:
            file.write(address + "\n")
    print(address, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    print(json.dumps(crm.stats()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
