"""Services of the kit on real servers: their logs, and bodies of each kind."""

from __future__ import annotations

import pytest
import requests
from flask import Flask, request
from services import Uvicorn, Waitress, fastapi_service, flask_service

import falconer.flask
from falconer import Signer
from falconer.requests import HawkAuth



@pytest.mark.parametrize("kit", ["FastAPI", "Flask"])
def test_the_log_says_which_origin_a_caller_meant_and_no_secret(server, kit, caplog):
    caplog.set_level("INFO", "falconer")
    start, make = (Uvicorn, fastapi_service) if kit == "FastAPI" else (Waitress, flask_service)
    service = start(lambda origin: make(server.root_url, "https://notes.example.com:8443"))
    try:
        reader = HawkAuth(server.client(["notes:*"]))
        refused = [requests.get(service.origin + "/books/red?secret=1", auth=reader, timeout=60) for _ in range(2)]
        assert [answer.status_code for answer in refused] == [401, 401]
        said = [record.getMessage() for record in caplog.records]
        found = f"verified for {service.origin.split('//')[1]}, your configured origin is notes.example.com:8443 (looked for at most once a minute) {refused[0].json()['id']}"
        assert [line for line in said if "verified for" in line] == [found]
        assert len([line for line in said if "refused: 401 bad-mac" in line]) == 2
        assert "secret" not in caplog.text and "mac=" not in caplog.text
    finally:
        service.stop()


@pytest.mark.parametrize("kit", ["FastAPI", "Flask"])
def test_the_log_says_nothing_of_origins_where_the_signature_is_wrong_in_any_case(server, kit, caplog):
    caplog.set_level("INFO", "falconer")
    start, make = (Uvicorn, fastapi_service) if kit == "FastAPI" else (Waitress, flask_service)
    service = start(lambda origin: make(server.root_url, "https://notes.example.com:8443"))
    try:
        stranger = HawkAuth({**server.client(["notes:*"]), "accessToken": "x" * 44})
        assert requests.get(service.origin + "/books/red", auth=stranger, timeout=60).status_code == 401
        assert "bad-mac" in caplog.text and "verified for" not in caplog.text
    finally:
        service.stop()


def test_forms_and_json_are_still_there_for_a_view(server):
    """Flask: as data, JSON, a form, a file; FastAPI: as a model and as a form's raw body."""
    writer = server.client(["notes:*"])
    auth = HawkAuth(writer)

    def with_flask(origin):
        app = Flask(__name__)
        guard = falconer.flask.Guard(server.root_url, origin, payload_hash_required=True).install(app)

        @app.post("/form")
        @guard.requires("notes:write")
        def form():
            return {"text": request.form["text"], "file": request.files["file"].read().decode() if request.files else None}

        @app.post("/json")
        @guard.requires("notes:write")
        def as_json():
            return {"json": request.json, "data": request.data.decode()}

        @app.get("/anybody")
        @guard.identifies
        def anybody():
            return {"signed": falconer.flask.caller().client_id, "may": falconer.flask.caller().has("notes:write")}

        return app

    service = Waitress(with_flask)
    try:
        assert requests.post(service.origin + "/form", data={"text": "ä"}, auth=auth, timeout=60).json() == {"text": "ä", "file": None}
        files = {"file": ("a.txt", b"content")}
        assert requests.post(service.origin + "/form", data={"text": "ä"}, files=files, auth=auth, timeout=60).json() == {"text": "ä", "file": "content"}
        assert requests.post(service.origin + "/json", json={"a": 1}, auth=auth, timeout=60).json() == {"json": {"a": 1}, "data": '{"a": 1}'}
        assert requests.get(service.origin + "/anybody", timeout=60).json() == {"signed": None, "may": False}
        assert requests.get(service.origin + "/anybody", auth=auth, timeout=60).json() == {"signed": writer["clientId"], "may": True}
        assert requests.get(service.origin + "/anybody", auth=HawkAuth({**writer, "accessToken": "x" * 44}), timeout=60).status_code == 401
    finally:
        service.stop()


def test_chunked_bodies(server):
    """A body without a length: its hash is compared, and where a hash is needed an unsigned one is refused."""
    writer = server.client(["notes:*"])
    for start, make in ((Uvicorn, fastapi_service), (Waitress, flask_service)):
        for strict in (False, True):
            service = start(lambda origin, make=make, strict=strict: make(server.root_url, origin, payload_hash_required=strict))
            try:
                url = service.origin + "/books/red"
                header = Signer(writer).authorization("PUT", url, "text/plain", b"hello")
                headers = {"Authorization": header, "Content-Type": "text/plain"}
                assert requests.put(url, data=iter([b"hel", b"lo"]), headers=headers, timeout=60).json() == {"book": "red", "body": "hello"}
                assert requests.put(url, data=iter([b"hel", b"p"]), headers=headers, timeout=60).json()["reason"] == "payload-differs"
                unsigned = requests.put(url, data=iter([b"hel", b"lo"]), auth=HawkAuth(writer, payload_hash=False), headers={"Content-Type": "text/plain"}, timeout=60)
                assert (unsigned.status_code, unsigned.json().get("reason")) == ((401, "payload-not-signed") if strict else (200, None))
            finally:
                service.stop()
