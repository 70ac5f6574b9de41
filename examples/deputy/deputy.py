"""A deputy: a service that counts the words of a book's notes, which it reads from the notes service for its caller.

FALCONER=https://auth.example.com ORIGIN=https://words.example.com NOTES=https://notes.example.com python3 deputy.py

Its own credentials are those of the environment (TASKCLUSTER_CLIENT_ID, TASKCLUSTER_ACCESS_TOKEN), and may read every book. Each call that it makes is restricted to what its caller may do, so nobody reads
through it what they may not read themselves. It listens on 127.0.0.1:8083, or where LISTEN says.
"""

import os
import re
import sys
from urllib.parse import quote

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException

from falconer import Credentials, SettingsError
from falconer.fastapi import Caller, Guard
from falconer.httpx import HawkAuth

# A service that answers more than this is not read to the end.
LARGEST_ANSWER_BYTES = 1_000_000


def application(falconer: str, origin: str, notes: str, credentials: Credentials) -> FastAPI:
    """The service. `notes` is the origin of the service that it reads from, `credentials` are its own."""
    app = FastAPI()
    guard = Guard(falconer, origin).install(app)
    own = HawkAuth(credentials, root_url=falconer)

    @app.get("/books/{book}/words")
    async def words(book: str, caller: Caller = guard.identify()) -> dict:
        # Refused here with 403 where the caller may not read the book. The list is what the call below is restricted to, whatever else these credentials may do.
        scopes = await caller.authorized_scopes(f"notes:read:{book}")
        url = f"{notes}/books/{quote(book, safe='')}/notes"
        try:
            async with httpx.AsyncClient(auth=own.restricted(scopes), timeout=10) as client, client.stream("GET", url) as answer:
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > LARGEST_ANSWER_BYTES:
                        raise HTTPException(502, "The notes service answers with more than is read here.")
                if answer.status_code != 200:
                    # The caller was let in above: it is this service's client that the other one refuses, or the other one is ill.
                    raise HTTPException(502, "The notes service does not give the notes.")
        except httpx.HTTPError:
            raise HTTPException(503, "The notes service can't be reached.", {"Retry-After": "1"}) from None
        text = [note["text"] for note in httpx.Response(200, content=body).json()]
        return {"book": book, "notes": len(text), "words": sum(len(re.findall(r"\w+", note)) for note in text)}

    return app


if __name__ == "__main__":
    host, _, port = os.environ.get("LISTEN", "127.0.0.1:8083").rpartition(":")
    try:
        service = application(os.environ.get("FALCONER", ""), os.environ.get("ORIGIN", ""), os.environ.get("NOTES", ""), Credentials.from_environment())
    except (SettingsError, ValueError) as problem:
        sys.exit(f"FALCONER, ORIGIN or the credentials: {problem}")
    # Its own log would hold queries, and a query may hold a signature.
    uvicorn.run(service, host=host.strip("[]"), port=int(port), access_log=False)
