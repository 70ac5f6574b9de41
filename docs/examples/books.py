# A backend that Falconer protects, with nothing but Python's standard library.
# FALCONER=https://auth.example.com ORIGIN=https://notes.example.com python3 books.py
# It listens on 127.0.0.1:8082, or where LISTEN says.
import base64, hashlib, json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen


def setting(name, what):
    """A URL of the environment, or the end with a sentence that says what is wrong with it."""
    text = os.environ.get(name, "")
    url = urlsplit(text)
    try:
        if url.scheme in ("http", "https") and url.hostname and url.port != 0:
            return url
    except ValueError:
        pass  # a port that is none
    sys.exit(f"Set {name} to {what}, such as https://{name.lower()}.example.com. It is {text!r}.")


FALCONER = setting("FALCONER", "the root URL of Falconer").geturl().rstrip("/")
ORIGIN = setting("ORIGIN", "where callers reach this service")  # never taken from the Host header
HOST = f"[{ORIGIN.hostname}]" if ":" in ORIGIN.hostname else ORIGIN.hostname
PORT = ORIGIN.port or {"https": 443, "http": 80}[ORIGIN.scheme]
BODY_LIMIT = 100_000


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def check(method, resource, authorization, required, content_type, body):
    """Whether whoever signed a request may do what needs `required`. `resource` is path and query exactly as on the request line."""
    arrived = payload_hash(content_type, body)
    question = {"request": {"method": method.lower(), "resource": resource, "host": HOST, "port": PORT}, "required": required, "identity": True}
    if authorization:
        question["request"]["authorization"] = authorization
    if body:
        question["payloadHash"] = arrived  # so that it has to be signed
    request = Request(FALCONER + "/api/falconer/v1/check", json.dumps(question).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=5) as response:
            answer = json.load(response)
        if answer["status"] == "failed":
            raise Refused(401, "AuthenticationFailed", answer["message"])
        if answer["status"] == "denied":
            raise Refused(403, "InsufficientScopes", f"The call needs {required}")
        if answer["status"] != "allowed":
            raise ValueError("that was not Falconer")
    except HTTPError as error:
        # Falconer's 400 is about the request of the caller, and has a code. Another's is not: a proxy's, say.
        if error.code == 400 and has_code(error):
            raise Refused(400, "InputError", "The request cannot be verified")
        raise away(error)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise away(error)
    if answer.get("hash", arrived) != arrived:  # a body that was taken away
        raise Refused(401, "AuthenticationFailed", "The body is not the one that was signed")
    return answer


def has_code(answer):
    try:
        return isinstance(json.load(answer)["code"], str)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def away(cause):
    print(f"Falconer cannot be asked at {FALCONER}: {type(cause).__name__}: {cause}", file=sys.stderr, flush=True)  # the caller is not told
    return Refused(503, "ServiceUnavailable", "The authorization server cannot be asked at the moment")


def payload_hash(content_type, body):
    kind = content_type.split(";")[0].strip().lower()
    text = b"hawk.1.payload\n" + kind.encode() + b"\n" + body + b"\n"
    return base64.b64encode(hashlib.sha256(text).digest()).decode()


class Books(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer("notes:read:", lambda book, body, caller: {"book": book, "notes": []})

    def do_PUT(self):
        # Who it was: only if the person agreed to tell. The clientId is for the log.
        self.answer("notes:write:", lambda book, body, caller: {"book": book, "author": caller.get("identity", {}).get("id")})

    def do_OPTIONS(self):
        self.send(204, None)

    def answer(self, scope, handle):
        try:
            length = self.headers.get("Content-Length") or "0"
            if not length.isdigit() or "Transfer-Encoding" in self.headers:
                raise Refused(400, "InputError", "The body needs a Content-Length")
            length = int(length)
            if length > BODY_LIMIT:
                raise Refused(413, "InputTooLarge", "The body is too large")
            body = self.rfile.read(length)
            path = urlsplit(self.path).path
            if not path.startswith("/books/"):
                raise Refused(404, "ResourceNotFound", "There is nothing here")
            book = unquote(path.removeprefix("/books/"))
            content_type = self.headers.get("Content-Type", "")
            caller = check(self.command, self.path, self.headers.get("Authorization"), scope + book, content_type, body)
            self.send(200, handle(book, body, caller))
        except Refused as refused:
            self.send(refused.status, {"code": refused.code, "message": str(refused)})

    def send(self, status, value):
        text = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, content in [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(text))),
            ("Cache-Control", "no-store"),
            ("Access-Control-Allow-Origin", "*"),  # pages of other origins may call; no cookies are involved
            ("Access-Control-Allow-Methods", "GET, PUT"),
            ("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP"),
        ]:
            self.send_header(name, content)
        self.end_headers()
        self.wfile.write(text)

    def log_request(self, code="-", size="-"):
        print(self.command, urlsplit(self.path).path, code)  # never the query: it may hold a signature


if __name__ == "__main__":
    listen = os.environ.get("LISTEN", "127.0.0.1:8082")
    host, _, port = listen.rpartition(":")
    try:
        server = ThreadingHTTPServer((host, int(port)), Books)
    except (OSError, ValueError, OverflowError) as problem:
        sys.exit(f"LISTEN: {listen}: {problem}")
    print(f"bound to {host}:{server.server_port}, for calls to {ORIGIN.geturl()}", flush=True)
    server.serve_forever()
