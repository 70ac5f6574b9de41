"""Flask: a guard above the route wraps a function that nobody calls. The route was open, and nothing said so."""

from __future__ import annotations

import functools

import pytest
from flask import Blueprint, Flask

import falconer.flask
from falconer import SettingsError


def made(register):
    app = Flask(__name__)
    # Nothing listens there: whoever is asked about is refused.
    guard = falconer.flask.Guard("http://127.0.0.1:9", "https://notes.example.com", timeout=1).install(app)
    kept = register(app, guard)
    return app.test_client(), kept


def plain(app, guard):
    @guard.requires("notes:read:<book>")
    @app.get("/books/<book>")
    def read(book):
        return book

    return read


def thrown_away(app, guard):
    plain(app, guard)


def identified(app, guard):
    @guard.identifies
    @app.get("/books/<book>")
    def read(book):
        return book

    return read


def of_a_blueprint(app, guard):
    books = Blueprint("books", __name__)

    @guard.requires("notes:read:<book>")
    @books.get("/books/<book>")
    def read(book):
        return book

    app.register_blueprint(books)
    return read


def by_a_rule(app, guard):
    def read(book):
        return book

    app.add_url_rule("/books/<book>", view_func=read)
    return guard.requires("notes:read:<book>")(read)


def another_between(app, guard):
    def other(view):
        return functools.wraps(view)(lambda **parameters: view(**parameters))

    @guard.requires("notes:read:<book>")
    @other
    @app.get("/books/<book>")
    def read(book):
        return book

    return read


@pytest.mark.parametrize("register", [plain, thrown_away, identified, of_a_blueprint, by_a_rule, another_between])
def test_a_guard_above_its_route_is_said(register):
    client, _kept = made(register)
    client.application.testing = True
    for _ in range(2):
        with pytest.raises(SettingsError, match="read is registered without its guard"):
            client.get("/books/red")


def below(app, guard):
    @app.get("/books/<book>")
    @guard.requires("notes:read:<book>")
    def read(book):
        return book


def below_with_another_above(app, guard):
    @app.get("/books/<book>")
    @functools.lru_cache
    @guard.requires("notes:read:<book>")
    def read(book):
        return book


def twice(app, guard):
    @app.get("/books/<book>")
    @guard.requires("notes:read")
    @guard.requires("notes:read:<book>")
    def read(book):
        return book


def also_open_on_purpose(app, guard):
    def read(book="red"):
        return book

    app.add_url_rule("/open", view_func=read)
    app.add_url_rule("/books/<book>", "closed", guard.requires("notes:read")(read))


@pytest.mark.parametrize("register", [below, below_with_another_above, twice, also_open_on_purpose])
def test_a_guard_below_its_route_guards(register):
    client, _kept = made(register)
    assert client.get("/books/red").status_code == 503
    if register is also_open_on_purpose:
        assert client.get("/open").text == "red"


# A guard of one application stopped another one of the same process that shows the same view to everybody on purpose.
def test_a_guard_of_another_application_says_nothing():
    def read(book):
        return book

    public, internal = Flask("public"), Flask("internal")
    guards = [falconer.flask.Guard("http://127.0.0.1:9", "https://notes.example.com", timeout=1).install(app) for app in (public, internal)]
    public.add_url_rule("/books/<book>", view_func=guards[0].requires("notes:read:<book>")(read))
    internal.add_url_rule("/books/<book>", view_func=read)
    for app in (public, internal):
        app.testing = True
    assert internal.test_client().get("/books/red").data == b"red"
    assert public.test_client().get("/books/red").status_code in (401, 403, 502, 503)
