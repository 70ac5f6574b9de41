"""The service behind: it says what arrived, and has no protection of its own."""

import http.server
import json
import threading
from urllib.parse import unquote, urlsplit


class Behind:
    """Listens until `stop`. Pages of `cors` may read its answers."""

    def __init__(self, cors):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if "chunked" not in (self.headers.get("Transfer-Encoding") or "") else self.chunks()
                path = urlsplit(self.path).path
                said = {"book": unquote(path.rsplit("/", 1)[-1]), "path": self.path, "method": self.command, "headers": [[k.lower(), v] for k, v in self.headers.items()]}
                if body:
                    said["body"] = body.decode(errors="replace")
                data = b"" if self.command in ("HEAD", "OPTIONS") else json.dumps(said).encode()
                self.send_response(204 if self.command == "OPTIONS" else 200)
                allowed = "*" if cors == ["*"] else self.headers.get("Origin") if self.headers.get("Origin") in cors else None
                if allowed:
                    self.send_header("Access-Control-Allow-Origin", allowed)
                    self.send_header("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
                if cors != ["*"]:
                    self.send_header("Vary", "Origin")
                if self.command != "OPTIONS":
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def chunks(self):
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """Clients that go away in the middle are what some tests are about."""

        self.server = Listener(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
