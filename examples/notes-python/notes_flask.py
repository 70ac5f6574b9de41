"""The same idea with Flask, in a few lines: FALCONER=https://auth.example.com ORIGIN=https://notes.example.com waitress-serve --call notes_flask:application"""

import os

from flask import Flask, request

from falconer.flask import Guard


def application(falconer: str | None = None, origin: str | None = None) -> Flask:
    app, notes = Flask(__name__), {}
    guard = Guard(falconer or os.environ["FALCONER"], origin or os.environ["ORIGIN"], payload_hash_required=True).install(app)

    @app.get("/books/<book>")
    @guard.requires("notes:read:<book>")
    def read(book):
        return {"book": book, "text": notes.get(book)}

    @app.put("/books/<book>")
    @guard.requires("notes:write:<book>")
    def write(book):
        notes[book] = request.json["text"]
        return {"book": book, "text": notes[book]}

    return app
