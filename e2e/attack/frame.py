"""A small service that Falconer protects, each step of it a method, so that a broken service is the same with one step done wrong. Standard library only.

    python3 broken.py NAME     with FALCONER, ORIGIN, PORT and ACCESS_LOG in the environment

Routes: `/` for everybody; `/books/<book>/notes` to read (`notes:read:<book>`) and to add to (POST, `notes:write:<book>`); below it a note by name, to put
(`notes:write:<book>`); `/people/<person>` for that person; `/openapi.json` names them."""

import base64
import hashlib
import hmac
import http.cookies
import http.server
import json
import os
import re
import sys
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

PATHS = ["/books/{book}/notes", "/people/{person}"]
# Of the sessions of browsers, which everybody here has who may do everything.
KEY = b"a key of the tests, which is no secret"


def session_cookie(host, who="ann"):
    """What a browser sends along that is signed in at a host: all services here have one key."""
    said = f"{who}~{host}"
    return f"session={said}.{sealed(said)}"


def sealed(said):
    return hmac.new(KEY, said.encode(), hashlib.sha256).hexdigest()


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Service(http.server.BaseHTTPRequestHandler):
    """Nothing is wrong with it."""

    protocol_version = "HTTP/1.1"
    falconer = os.environ.get("FALCONER", "")
    origin = urlsplit(os.environ.get("ORIGIN", ""))
    notes: dict = {}
    ended: set = set()
    paths = PATHS

    # The steps.

    def host_and_port(self):
        return self.origin.hostname, self.origin.port

    def method(self):
        return self.command.lower()

    def target(self):
        return self.path

    def route(self, path):
        """What a path needs, as a scope; None: everybody may. And what it does."""
        parts = [unquote(part) for part in path.split("/")[1:]]
        match self.command, parts:
            case "GET", [""]:
                return None, lambda: {"hello": "everybody"}
            case "GET", ["openapi.json"]:
                return None, lambda: {"openapi": "3.1.0", "paths": {path: {"get": {}} for path in self.paths}}
            case "GET", ["books", book, "notes"]:
                return f"notes:read:{book}", lambda: {"book": book, "notes": self.notes.get(book, {})}
            case "PUT", ["books", book, "notes", name]:
                return f"notes:write:{book}", lambda: self.put(book, name)
            case "POST", ["books", book, "notes"]:
                return f"notes:write:{book}", lambda: self.put(book, self.new_name(book))
            case "POST", ["sign-out"]:
                return None, self.sign_out
            case "GET", ["people", person]:
                return f"assume:mozilla-user:{person}", lambda: {"person": person}
        raise Refused(404, "There is nothing here.")

    def new_name(self, book):
        """The same request has the same nonce, and so the same name."""
        if "Authorization" not in self.headers:
            return f"of-a-page-{len(self.notes.get(book, {}))}"
        name = re.search(r'nonce="([^"]+)"', self.headers["Authorization"])[1]
        if name in self.notes.get(book, {}):
            raise Refused(409, "This was added already.")
        return name

    def session(self):
        """Who is signed in with a browser, by a cookie that this service wrote; None: nobody."""
        sent = http.cookies.SimpleCookie(self.headers.get("Cookie", "")).get("session")
        said, _, seal = sent.value.rpartition(".") if sent else ("", "", "")
        who, _, host = said.partition("~")
        return who if sent and self.is_sealed(said, seal) and self.is_of_here(host) and not self.has_ended(sent.value) else None

    def is_sealed(self, said, seal):
        return hmac.compare_digest(sealed(said), seal)

    def is_of_here(self, host):
        return host == self.origin.netloc

    def has_ended(self, value):
        return value in self.ended

    def sign_out(self):
        if not self.session() or self.headers.get("Origin") != self.origin.geturl():
            raise Refused(403, "Nobody signs out here.")
        self.ended.add(http.cookies.SimpleCookie(self.headers["Cookie"])["session"].value)
        return {"signed": "out"}

    def is_from_here(self):
        """What changes something comes from a page of this service."""
        return self.command == "GET" or self.headers.get("Origin") == self.origin.geturl()

    def cookie(self):
        """What a browser is given to begin a sign-in with."""
        return "sign-in=1; Path=/; HttpOnly; SameSite=Lax"

    def admit(self, scope):
        """Whether the caller may; else it is refused."""
        if "Authorization" not in self.headers and self.session():
            if not self.is_from_here():
                raise Refused(403, "This came from another site.")
            return
        answer = self.ask(scope)
        if answer["status"] == "failed":
            raise Refused(401, answer["message"])
        if answer["status"] != "allowed":
            raise Refused(403, f"The call needs {scope}.")
        if scope.startswith("assume:") and not self.is_person(scope, answer):
            raise Refused(403, "This is somebody else's.")
        self.compare(answer)

    def ask(self, scope):
        host, port = self.host_and_port()
        request = {"method": self.method(), "resource": self.target(), "host": host, "port": port}
        if self.headers.get("Authorization"):
            request["authorization"] = self.headers["Authorization"]
        question = {"request": request, "required": scope, "reveal": ["assume:mozilla-user:", "notes:"]}
        sent = Request(self.falconer + "/api/falconer/v1/check", json.dumps(question).encode(), {"Content-Type": "application/json"})
        try:
            with urlopen(sent, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise Refused(400 if error.code == 400 else 503, "The request cannot be verified.")
        except OSError:
            raise Refused(503, "Falconer cannot be asked.")

    def is_person(self, scope, answer):
        return scope in answer.get("revealed", [])

    def compare(self, answer):
        """The body that arrived is the one that was signed."""
        if (self.body or "hash" in answer) and answer.get("hash") != self.payload_hash():
            raise Refused(401, "The body is not the one that was signed.")

    def payload_hash(self):
        kind = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        return base64.b64encode(hashlib.sha256(b"hawk.1.payload\n%s\n%s\n" % (kind.encode(), self.body)).digest()).decode()

    def put(self, book, name):
        try:
            text = json.loads(self.body)["text"]
        except (ValueError, KeyError, TypeError):
            raise Refused(400, 'A note is {"text": "..."}.')
        self.notes.setdefault(book, {})[name] = text
        return {"name": name, "text": text}

    def problem(self, refused):
        return {"message": str(refused)}

    def cors(self):
        return {"Access-Control-Allow-Origin": "*"}

    def logged(self):
        return f"{self.command} {urlsplit(self.path).path}"

    # What is around them.

    def handle_request(self):
        try:
            self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            scope, does = self.route(urlsplit(self.path).path)
            if scope:
                self.admit(scope)
            status, said = 200, does()
        except Refused as refused:
            status, said = refused.status, self.problem(refused)
        self.send(status, json.dumps(said).encode())
        with open(os.environ["ACCESS_LOG"], "a") as log:
            print(self.logged(), status, file=log)

    do_GET = do_PUT = do_POST = handle_request

    def do_OPTIONS(self):
        self.send(204, b"")

    def send(self, status, body):
        self.send_response(status)
        if "text/html" in self.headers.get("Accept", ""):
            self.send_header("Set-Cookie", self.cookie())
        for name, value in {"Content-Type": "application/json", "Content-Length": len(body), **self.cors()}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(service):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), service)
    print("listening", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit()
