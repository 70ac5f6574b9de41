"""The published Python client, unchanged, against the real binary."""

import datetime
import http.server
import json
import threading
import urllib.error
import urllib.request

import pytest
import taskcluster
import taskcluster.utils


@pytest.fixture
def auth(server):
    return taskcluster.Auth(server.options())


def in_an_hour():
    return taskcluster.fromNow("1 hour")


def temporary(server, scopes, name=None):
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    made = taskcluster.createTemporaryCredentials(
        server.credentials["clientId"], server.credentials["accessToken"],
        now - datetime.timedelta(minutes=1), now + datetime.timedelta(hours=1), scopes, name=name,
    )
    # The client hands out bytes, and wants text back.
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in made.items()}


def test_current_scopes_with_permanent_credentials(auth):
    assert auth.currentScopes() == {"scopes": ["*"]}


def test_ping(auth):
    assert auth.ping()["alive"] is True


def test_wrong_token_is_refused_without_a_hint(server):
    for client_id in ("static/falconer/root", "nobody"):
        stranger = taskcluster.Auth(server.options(clientId=client_id, accessToken="x" * 44))
        with pytest.raises(taskcluster.exceptions.TaskclusterAuthFailure, match="Bad mac"):
            stranger.currentScopes()


def test_clients(server, auth):
    payload = {"expires": in_an_hour(), "description": "from a test", "scopes": ["notes:read:*", "auth:current-scopes"]}
    made = auth.createClient("py/one", payload)
    assert auth.createClient("py/one", payload)["accessToken"] == made["accessToken"]
    mine = taskcluster.Auth(server.options(clientId="py/one", accessToken=made["accessToken"]))
    assert mine.currentScopes()["scopes"] == ["assume:anonymous", "auth:current-scopes", "notes:read:*"]
    with pytest.raises(taskcluster.exceptions.TaskclusterRestFailure) as failure:
        mine.client("py/one")
    assert failure.value.status_code == 403
    auth.updateClient("py/one", {**payload, "scopes": []})
    assert auth.client("py/one")["scopes"] == []
    auth.disableClient("py/one")
    with pytest.raises(taskcluster.exceptions.TaskclusterAuthFailure, match="is disabled"):
        mine.currentScopes()
    auth.enableClient("py/one")
    auth.resetAccessToken("py/one")
    with pytest.raises(taskcluster.exceptions.TaskclusterAuthFailure):
        mine.currentScopes()
    assert auth.deleteClient("py/one") is None
    with pytest.raises(taskcluster.exceptions.TaskclusterRestFailure) as failure:
        auth.client("py/one")
    assert failure.value.status_code == 404


def test_listing_with_pages(auth):
    for number in range(5):
        auth.createClient(f"py/page/{number}", {"expires": in_an_hour(), "description": "", "scopes": []})
    seen = []
    auth.listClients(query={"prefix": "py/page/", "limit": 2}, paginationHandler=lambda page: seen.extend(page["clients"]))
    assert [client["clientId"] for client in seen] == [f"py/page/{number}" for number in range(5)]


def test_roles(auth):
    auth.createRole("py:*", {"description": "d", "scopes": ["badge:<..>"]})
    assert auth.expandScopes({"scopes": ["assume:py:red"]})["scopes"] == ["assume:py:red", "badge:red"]
    auth.updateRole("py:*", {"description": "d", "scopes": ["badge:<..>", "door:open"]})
    assert auth.role("py:*")["expandedScopes"] == ["assume:py:*", "badge:*", "door:open"]
    assert "py:*" in auth.listRoleIds()["roleIds"]
    assert "py:*" in [role["roleId"] for role in auth.listRoles()]
    auth.deleteRole("py:*")
    assert auth.expandScopes({"scopes": ["assume:py:red"]})["scopes"] == ["assume:py:red"]


@pytest.mark.parametrize("name", [None, "py/temporary/named"])
def test_temporary_credentials(server, name):
    credentials = temporary(server, ["auth:current-scopes", "notes:read:a"], name)
    client = taskcluster.Auth(server.options(**credentials))
    assert client.currentScopes()["scopes"] == ["assume:anonymous", "auth:current-scopes", "notes:read:a"]
    with pytest.raises(taskcluster.exceptions.TaskclusterRestFailure) as failure:
        client.listRoles()
    assert failure.value.status_code == 403


def test_credentials_from_a_grant(server):
    credentials = server.grant("https://notes.example.com/cb", ["notes:read:zap"])
    client = taskcluster.Auth(server.options(**credentials))
    held = ["assume:anonymous", "auth:current-scopes", "notes:read:zap"]
    assert client.currentScopes()["scopes"] == held
    with urllib.request.urlopen(client.buildSignedUrl("currentScopes")) as response:
        assert json.load(response)["scopes"] == held
    with pytest.raises(taskcluster.exceptions.TaskclusterRestFailure) as failure:
        client.listClients()
    assert failure.value.status_code == 403


def test_authorized_scopes(server):
    options = {**server.options(), "authorizedScopes": ["auth:current-scopes"]}
    client = taskcluster.Auth(options)
    assert client.currentScopes()["scopes"] == ["assume:anonymous", "auth:current-scopes"]
    with pytest.raises(taskcluster.exceptions.TaskclusterRestFailure):
        client.listClients()


def test_signed_url(auth):
    url = auth.buildSignedUrl("currentScopes")
    with urllib.request.urlopen(url) as response:
        assert b'"*"' in response.read()
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(url.replace("/scopes/current", "/roles/"))
    assert failure.value.code == 401


def test_authenticate_hawk_as_a_backend_does(server):
    seen = []

    class Backend(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(taskcluster.Auth({"rootUrl": server.root_url}).authenticateHawk({
                "method": self.command.lower(), "resource": self.path, "host": "127.0.0.1",
                "port": self.server.server_port, "authorization": self.headers["authorization"], "sourceIp": self.client_address[0],
            }))
            body = b'{"scopes": []}'
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    backend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    try:
        credentials = temporary(server, ["notes:read:a"], "py/backend/test")
        options = {**server.options(**credentials), "rootUrl": f"http://127.0.0.1:{backend.server_port}"}
        taskcluster.Auth(options).currentScopes()
    finally:
        backend.shutdown()
    assert seen[0]["status"] == "auth-success"
    assert seen[0]["clientId"] == "py/backend/test"
    assert seen[0]["scopes"] == ["assume:anonymous", "notes:read:a"]
    # The Python client signs the hash of its (empty) payload with every request.
    assert seen[0]["hash"]


def test_testAuthenticate(server):
    tester = taskcluster.Auth(server.options(clientId="tester", accessToken="no-secret"))
    reply = tester.testAuthenticate({"clientScopes": ["b:*", "a"], "requiredScopes": ["b:1"]})
    assert reply == {"clientId": "tester", "scopes": ["assume:anonymous", "b:*", "a"]}
    assert tester.testAuthenticateGet()["clientId"] == "tester"
