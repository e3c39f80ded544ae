"""A receiver of webhooks for tests."""
import http.server
import threading


class Receiver:
    """Keeps what it is sent; answers with the statuses that it was told, then 204. `answer` may decide instead."""

    def __init__(self, path="/hooks/orders", answer=None):
        self.requests = []
        self.statuses = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                request = {"headers": dict(self.headers), "body": self.rfile.read(int(self.headers["Content-Length"])),
                           "path": self.path}
                if answer:
                    request["status"] = answer(request)
                else:
                    request["status"] = receiver.statuses.pop(0) if receiver.statuses else 204
                receiver.requests.append(request)
                self.send_response(request["status"])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}{path}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def accepted(self):
        return [r for r in list(self.requests) if r["status"] < 300]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
