"""What would fail at each call is an error when the route is made."""

from __future__ import annotations

import uuid

import pytest

from falconer import Refused, Requirement, SettingsError, Verifier

WRONG = [
    ("notes:read:<boook>", "no parameter <boook>, it has <book>"),
    ("", "a scope is empty"),
    ("<", "`<` has a `<`"),
    ("notes:read:<book", "`notes:read:<book` has a `<`"),
    ("notes:read:book>", "`notes:read:book>`"),
    ("notes:read:<..>", "`notes:read:<..>`"),
    ("notes:read:<>", "`notes:read:<>`"),
    ("notes:réad", "is not a scope"),
    ("notes:read\n", "is not a scope"),
    ({"AnyOf": []}, "nobody satisfies"),
    ({"AllOf": ["a", {"AnyOf": ["b", ""]}]}, "a scope is empty"),
    ({"AllOf": []}, "asks for nothing"),
    ({"AllOf": "ab"}, "holds a list"),
    ({"AllOf": [{"for": "s", "in": "book", "each": "<s>"}]}, "AllOf or AnyOf"),
    ({"AllOff": ["a"]}, "AllOf or AnyOf"),
    ({"AllOf": ["a"], "AnyOf": ["b"]}, "AllOf or AnyOf"),
    (7, "neither a string nor an object"),
    (None, "neither a string nor an object"),
]


@pytest.mark.parametrize(("expression", "named"), WRONG, ids=[repr(one) for one, _ in WRONG])
def test_refused_with_the_reason(expression, named):
    with pytest.raises(SettingsError, match="^The scope expression .* cannot be used: .*\\.$") as error:
        Requirement(expression, ["book"])
    assert named in str(error.value)


def test_no_parameters_at_all():
    with pytest.raises(SettingsError, match="it has no parameters"):
        Requirement("a:<b>", [])
    deep = "a"
    for _ in range(9):
        deep = {"AllOf": [deep]}
    with pytest.raises(SettingsError, match="more than 8 deep"):
        Requirement(deep)


def test_values_are_put_in_as_they_are():
    requirement = Requirement({"AnyOf": ["notes:read:<book>", "notes:*", "<book>:<name>"]}, ["book", "name"])
    assert requirement.parameters == ("book", "name")
    assert requirement.fill({"book": "a/<name>*b", "name": 7}) == {"AnyOf": ["notes:read:a/<name>*b", "notes:*", "a/<name>*b:7"]}
    number = uuid.UUID(int=5)
    assert Requirement("x:<id>").fill({"id": number}) == f"x:{number}"


@pytest.mark.parametrize("value", ["", "*", "red*", "r\ud800", "réd", "a\nb", "a\x00", "a\x7f"])
def test_values_that_no_scope_may_hold_are_refused(value):
    with pytest.raises(Refused) as refused:
        Requirement("notes:<book>:x").fill({"book": value})
    assert (refused.value.refusal.status, refused.value.refusal.reason) == (400, "parameter")


@pytest.mark.parametrize("values", [{}, {"book": None}, {"book": True}, {"book": 1.5}, {"book": ["a"]}])
def test_a_parameter_that_is_not_there_lets_nobody_through(values):
    with pytest.raises(Refused) as refused:
        Requirement("notes:<book>").fill(values)
    assert (refused.value.refusal.status, refused.value.refusal.reason) == (500, "misconfigured")
    assert "book" not in refused.value.refusal.message


@pytest.mark.parametrize("url", ["", "auth.example.com", "ftp://a", "https://", "https://a:0", "https://a:b", "https://u:p@a", "https://a?b", "https://a/ b", 7, None])
def test_urls_that_are_none(url):
    with pytest.raises(SettingsError, match="^Falconer's root URL cannot be used: .* It looks like https://auth.example.com.$"):
        Verifier(url, "https://notes.example.com")
    with pytest.raises(SettingsError, match="^The public origin of this service cannot be used: .* It looks like https://notes.example.com.$"):
        Verifier("https://auth.example.com", url)


def test_origins():
    def shown(url):
        origin = Verifier("https://auth.example.com/", url).origin
        return origin.host, origin.port

    assert shown("https://Notes.Example.com") == ("notes.example.com", 443)
    assert shown("http://[2001:DB8:0:0::1]/") == ("[2001:db8::1]", 80)
    assert shown("http://127.0.0.1:8080") == ("127.0.0.1", 8080)
    with pytest.raises(SettingsError, match="path"):
        shown("https://notes.example.com/api")


@pytest.mark.parametrize("reveal", ["assume:", ["notes"], ["notes:*"], ["a:b"] * 17, ["é:"]])
def test_prefixes_that_are_none(reveal):
    with pytest.raises(SettingsError, match="reveal"):
        Verifier("https://a", "https://b", reveal=reveal)


def test_a_setting_with_a_typing_error():
    with pytest.raises(TypeError, match="no setting 'payload_hash_reqired'"):
        Verifier("https://a", "https://b", payload_hash_reqired=True)


def test_fastapi_holds_scopes_against_paths_when_it_starts():
    import anyio
    from fastapi import APIRouter, FastAPI

    from falconer.fastapi import Caller, Guard

    def application(scope, prefix="", path="/books/{book}"):
        app, router = FastAPI(), APIRouter()
        guard = Guard("https://a.example", "https://b.example").install(app)

        @router.get(path)
        async def read(caller: Caller = guard.requires(scope)):
            return {}

        app.include_router(router, prefix=prefix)
        return app

    def start(app):
        told, asked = [], iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive():
            return next(asked)

        async def send(message):
            told.append(message)

        anyio.run(app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        return told[0]

    assert start(application("notes:read:<book>"))["type"] == "lifespan.startup.complete"
    assert start(application("notes:read:<user>:<book>", "/users/{user}"))["type"] == "lifespan.startup.complete"
    assert start(application("notes:read:<book>", path="/books/{book:path}"))["type"] == "lifespan.startup.complete"
    failed = start(application("notes:read:<boook>", "/users/{user}"))
    assert failed["type"] == "lifespan.startup.failed"
    assert failed["message"] == '/users/{user}/books/{book}: The scope expression "notes:read:<boook>" cannot be used: the path of the route has no parameter <boook>, it has <user>, <book>.'


def test_starlette_and_flask_hold_scopes_against_parameters():
    from falconer.flask import Guard as FlaskGuard
    from falconer.starlette import Guard as StarletteGuard
    from falconer.wsgi import Guard as WSGIGuard

    async def endpoint(request):
        raise AssertionError

    starlette = StarletteGuard("https://a.example", "https://b.example")
    with pytest.raises(SettingsError, match="no parameter <boook>, it has <book>"):
        starlette.route("/books/{book:path}", "notes:read:<boook>", endpoint)
    starlette.route("/books/{book}", "notes:read:<user>:<book>", endpoint, prefix="/users/{user}")
    with pytest.raises(SettingsError, match="has no parameters"):
        starlette.protect(endpoint, "notes:<book>")
    flask = FlaskGuard("https://a.example", "https://b.example")
    with pytest.raises(SettingsError, match="no parameter <boook>, it has <book>"):
        flask.requires("notes:read:<boook>")(lambda book: book)
    with pytest.raises(SettingsError, match="has no parameters"):
        flask.requires("notes:read:<book>")(lambda **rest: rest)
    with pytest.raises(SettingsError, match="has no parameters"):
        WSGIGuard("https://a.example", "https://b.example").protect(lambda environ, start: [], "notes:<book>")
