"""Services with one fault each, as they are written in practice. FOUND says which attack has to find it."""

import base64
import json
import re
import sys

from frame import PATHS, Refused, Service, serve


class ForgottenGuard(Service):
    """A route was added, and nobody thought of the guard."""

    def admit(self, scope):
        if self.command != "GET":
            super().admit(scope)


class ListedExport(Service):
    """What the frontend never calls is listed, and open."""

    paths = [*PATHS, "/export"]

    def route(self, path):
        return (None, lambda: self.notes) if path == "/export" else super().route(path)


class SignedIsEnough(Service):
    """It asks who it is, and not whether they may."""

    def ask(self, scope):
        answer = super().ask(scope)
        return {**answer, "status": "allowed"} if "clientId" in answer else answer


class NameIsEnough(Service):
    """The administrator is known by name."""

    def admit(self, scope):
        if 'id="static/falconer/root"' not in self.headers.get("Authorization", ""):
            super().admit(scope)


class ReadsCertificates(Service):
    """It saves the question to Falconer where the certificate says already what the caller may."""

    def admit(self, scope):
        found = re.search(r'ext="([^"]+)"', self.headers.get("Authorization", ""))
        try:
            claimed = json.loads(base64.b64decode(found[1]))["certificate"]["scopes"] if found else []
        except (ValueError, KeyError, TypeError):
            claimed = []
        if scope not in claimed:
            super().admit(scope)


class BeginsAlike(Service):
    """It compares scopes by itself, by how they begin."""

    def ask(self, scope):
        answer = super().ask({"AllOf": []})
        alike = any(scope.startswith(held.rstrip("*")) for held in answer.get("revealed", []))
        return answer if alike or answer["status"] == "failed" else {**answer, "status": "denied"}


class StarIsSomebody(Service):
    """Falconer said that the scope is satisfied, so that is who it is."""

    also = ["GET /people/ann@example.com"]

    def is_person(self, scope, answer):
        return True


class CallerSaysWhere(Service):
    """Its origin is what the Host header says."""

    def host_and_port(self):
        host, _, port = self.headers["Host"].partition(":")
        return host, int(port or 80)


class ProxySaysWhere(Service):
    """It was behind a proxy once."""

    def host_and_port(self):
        host, port = super().host_and_port()
        https = self.headers.get("X-Forwarded-Proto") == "https"
        return self.headers.get("X-Forwarded-Host", host), int(self.headers.get("X-Forwarded-Port", 443 if https else port))


class PathWithoutQuery(Service):
    """Its framework gives it the path, and it asks Falconer about that."""

    def target(self):
        return self.path.split("?")[0]


class ReadingIsWriting(Service):
    """What holds as a GET is good for everything: links in mails did not work otherwise."""

    def ask(self, scope):
        answer = super().ask(scope)
        if answer["status"] == "failed":
            self.method = lambda: "get"
            answer = super().ask(scope)
        return answer


class BodyNotCompared(Service):
    """Falconer does not see the body, and neither does the verification."""

    def compare(self, answer):
        pass


class BodyComparedWhereThereIsOne(Service):
    """No body, nothing to compare; and then there is a default."""

    def compare(self, answer):
        if self.body:
            super().compare(answer)

    def put(self, book, name):
        self.body = self.body or b'{"text": ""}'
        return super().put(book, name)


class TypeNotCompared(Service):
    """Everything is JSON to it, whatever is said."""

    def payload_hash(self):
        self.headers.replace_header("Content-Type", "application/json") if "Content-Type" in self.headers else None
        return super().payload_hash()


class AddedTwice(Service):
    """Each request makes another note."""

    also = ["POST /books/red/notes"]

    def new_name(self, book):
        return str(len(self.notes.get(book, {})))


class SlashDoesNotMatter(Service):
    """The guard knows the paths that it was told; the router reads them more generously."""

    def route(self, path):
        scope, does = super().route(path.rstrip("/") or "/")
        return (None if path.endswith("/") else scope), does


class BelievesTheGateway(Service):
    """It was to be reached through the gateway only."""

    def admit(self, scope):
        if "Falconer-Caller" not in self.headers:
            super().admit(scope)


class SessionByName(Service):
    """The cookie says who it is."""

    def is_sealed(self, said, seal):
        return True


class SessionOfAnyHost(Service):
    """All hosts have one key, so that one sign-in was to be enough for all of them."""

    def is_of_here(self, host):
        return True


class SignsTheBrowserOut(Service):
    """Who has signed out has no cookie any more, so there was nothing to remember."""

    def has_ended(self, value):
        return False


class SessionFromAnywhere(Service):
    """Browsers were said to keep such cookies at home."""

    def is_from_here(self):
        return True


class CookieForScripts(Service):
    """A script of the page looked whether somebody is signed in."""

    def cookie(self):
        return "sign-in=1; Path=/; SameSite=Lax"


class AnyPageMay(Service):
    """Cookies were needed for something, and any origin was easiest."""

    def cors(self):
        return {"Access-Control-Allow-Origin": self.headers.get("Origin", "*"), "Access-Control-Allow-Credentials": "true"}


class ShowsTheRequest(Service):
    """Errors show the request: it helped, in development."""

    def problem(self, refused):
        return {"message": str(refused), "request": dict(self.headers)}


class LogsQueries(Service):
    """The access log has the whole line of the request."""

    def logged(self):
        return self.requestline


class FailsOnNonsense(Service):
    """A header that it cannot read is a failure of its own."""

    def admit(self, scope):
        header = self.headers.get("Authorization")
        if header and not header.startswith("Hawk id="):
            raise Refused(500, "IndexError: list index out of range")
        super().admit(scope)


class RemembersCallers(Service):
    """Who was verified once is not asked about again."""

    known: dict = {}

    def ask(self, scope):
        found = re.search(r'id="([^"]+)"', self.headers.get("Authorization", ""))
        key = (found and found[1], scope, self.command, self.path)
        if key not in self.known:
            answer = super().ask(scope)
            if answer["status"] != "allowed":
                return answer
            self.known[key] = answer
        return {**self.known[key], **({"hash": self.payload_hash()} if self.body else {})}


class OnceOnly(Service):
    """Nothing is wrong with it, but that what is put is there, and not put again: the right request is refused the second time."""

    def put(self, book, name):
        if name in self.notes.get(book, {}):
            raise Refused(409, "This is there already.")
        return super().put(book, name)


class OpenWithoutFalconer(Service):
    """Rather open than away: somebody was called at night."""

    def ask(self, scope):
        try:
            return super().ask(scope)
        except Refused as refused:
            if refused.status == 503:
                return {"status": "allowed", "hash": self.payload_hash()}
            raise


FOUND = {
    ForgottenGuard: "no-credentials",
    ListedExport: "listed-route",
    SignedIsEnough: "without-scope",
    NameIsEnough: "forged-client-id",
    ReadsCertificates: "foreign-certificate",
    BeginsAlike: "look-alike-scope",
    StarIsSomebody: "star-identity",
    CallerSaysWhere: "forged-host",
    ProxySaysWhere: "forged-host",
    PathWithoutQuery: "other-path",
    ReadingIsWriting: "other-method",
    BodyNotCompared: "changed-body",
    BodyComparedWhereThereIsOne: "dropped-body",
    TypeNotCompared: "other-content-type",
    AddedTwice: "replay",
    SlashDoesNotMatter: "other-spelling",
    BelievesTheGateway: "forged-caller",
    SessionByName: "altered-session",
    SessionOfAnyHost: "session-of-elsewhere",
    SignsTheBrowserOut: "ended-session",
    SessionFromAnywhere: "cross-site-session",
    CookieForScripts: "cookie-attributes",
    AnyPageMay: "cross-origin",
    ShowsTheRequest: "secrets-in-answers",
    LogsQueries: "secrets-in-logs",
    FailsOnNonsense: "garbage-header",
    RemembersCallers: "forged-client-id",
}

if __name__ == "__main__":
    serve({one.__name__: one for one in (Service, OnceOnly, OpenWithoutFalconer, *FOUND)}[sys.argv[1]])
