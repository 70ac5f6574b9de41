"""A host with documents of applications that nobody registered, over TLS: what `grant.client_documents` names."""

import http.server
import json
import ssl
import subprocess
import threading


class DocumentHost:
    """Every path has a document that says so much of the application. `host` is the name that the server has to allow, `certificate` the file that it has to trust."""

    def __init__(self, folder, application):
        key, self.certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", self.certificate],
            check=True, capture_output=True,
        )
        self.asked = asked = []

        class Document(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):
                asked.append(handler.path)
                text = json.dumps({"client_id": self.at(handler.path), "token_endpoint_auth_method": "none", **application}).encode()
                handler.send_response(200)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), "Cache-Control": "max-age=600"}.items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Document)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.host = f"localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def at(self, path):
        return f"https://{self.host}{path}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
