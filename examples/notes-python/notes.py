"""A small notes service that Falconer protects, with FastAPI and SQLite.

FALCONER=https://auth.example.com ORIGIN=https://notes.example.com python3 notes.py

It listens on 127.0.0.1:8082, or where LISTEN says, and keeps its notes in notes.sqlite, or where NOTES says. Scopes: `notes:read:<book>`,
`notes:write:<book>`.
"""

import os
import sqlite3
import sys
import threading

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from falconer import SettingsError
from falconer.fastapi import Caller, Guard

TABLE = "CREATE TABLE IF NOT EXISTS notes (book TEXT, name TEXT, text TEXT NOT NULL, author TEXT, PRIMARY KEY (book, name)) STRICT"


class Note(BaseModel):
    text: str = Field(max_length=10_000)


class Notes:
    """What is kept. Each call is one statement, so that each is whole or not there."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._lock = threading.Lock()
        self.run(TABLE)

    def run(self, statement: str, *values: str | None) -> list[tuple]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()


def application(falconer: str, origin: str, path: str) -> FastAPI:
    """The service. `falconer` is Falconer's root URL, `origin` is where callers reach the service: it is what they sign."""
    app, notes = FastAPI(), Notes(path)
    guard = Guard(falconer, origin, payload_hash_required=True, identity=True).install(app)

    @app.get("/books")
    async def books(caller: Caller = guard.identify()) -> list[str]:
        names = [book for (book,) in notes.run("SELECT DISTINCT book FROM notes ORDER BY book LIMIT 1000")]
        # One question for the whole list: the caller sees the books that the caller may read.
        allowed = await caller.has_each([f"notes:read:{book}" for book in names])
        return [book for book, fine in zip(names, allowed) if fine]

    @app.get("/books/{book}/notes")
    async def read(book: str, caller: Caller = guard.requires("notes:read:<book>")) -> list[dict]:
        rows = notes.run("SELECT name, text, author FROM notes WHERE book = ? ORDER BY name", book)
        return [{"name": name, "text": text, "author": author} for name, text, author in rows]

    # PUT of a whole note under its name: made twice, it does no harm, so a request that is repeated does none either.
    @app.put("/books/{book}/notes/{name}")
    async def write(book: str, name: str, note: Note, caller: Caller = guard.requires("notes:write:<book>")) -> dict:
        # Who it was: only if the person agreed to tell. The clientId is for the log.
        author = caller.identity.id if caller.identity else None
        notes.run("INSERT INTO notes VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET text = excluded.text, author = excluded.author", book, name, note.text, author)
        return {"name": name, "text": note.text, "author": author}

    @app.delete("/books/{book}/notes/{name}", status_code=204)
    async def delete(book: str, name: str, caller: Caller = guard.requires("notes:write:<book>")) -> None:
        if not notes.run("DELETE FROM notes WHERE book = ? AND name = ? RETURNING name", book, name):
            raise HTTPException(404, "There is no such note.")

    return app


if __name__ == "__main__":
    host, _, port = os.environ.get("LISTEN", "127.0.0.1:8082").rpartition(":")
    try:
        service = application(os.environ.get("FALCONER", ""), os.environ.get("ORIGIN", ""), os.environ.get("NOTES", "notes.sqlite"))
    except SettingsError as problem:
        sys.exit(f"FALCONER or ORIGIN: {problem}")
    # Its own log would hold queries, and a query may hold a signature.
    uvicorn.run(service, host=host.strip("[]"), port=int(port), access_log=False)
