"""A server of the published SDK of the Model Context Protocol that knows tokens in the SDK's own way: its verifier asks Falconer's introspection, as it would that of anybody."""

import asyncio
import contextlib
import socket
import threading
from datetime import datetime, timedelta, timezone

import httpx
import pytest
import taskcluster
import uvicorn
from falconer import Credentials
from falconer.httpx import HawkAuth
from falconer_server import PATIENCE
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp_agent import AGENT, REGISTERED, Agent
from oauth_applications import server_of


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("mcp-verifier"), REGISTERED, ann_has=["notes:use", "notes:read:red"])
    yield running
    running.stop()


class Verifier:
    """Asks what a token is worth. The service at `own` signs the question with credentials that may do nothing else."""

    def __init__(self, server, own):
        self.at, self.own = f"{server.root_url}/login/oauth/introspect", own
        expires = datetime.now(timezone.utc) + timedelta(hours=1)
        client = {"expires": expires.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "description": "", "scopes": ["auth:introspect-token:*"]}
        made = taskcluster.Auth(server.options()).createClient(f"services/{own.rpartition(':')[2]}", client)
        self.auth = HawkAuth(Credentials(made["clientId"], made["accessToken"]), root_url=server.root_url)

    async def verify_token(self, token):
        async with httpx.AsyncClient(auth=self.auth, timeout=PATIENCE) as http:
            answer = await http.post(self.at, data={"token": token})
        worth = answer.raise_for_status().json()
        if not worth["active"]:
            return None
        resource = self.own if self.own in worth.get("aud", []) else None
        return AccessToken(token=token, client_id=worth["client_id"], scopes=worth["scope"].split(), expires_at=worth["exp"], resource=resource)


@contextlib.contextmanager
def tools(server):
    """Where the tool server is."""
    listener = socket.create_server(("127.0.0.1", 0))
    at = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    auth = AuthSettings(issuer_url=server.root_url, resource_server_url=at, required_scopes=["notes:use"], validate_token_resource=True)
    notes = MCPServer("notes", auth=auth, token_verifier=Verifier(server, at))

    @notes.tool()
    async def scopes() -> str:
        return " ".join(get_access_token().scopes)

    running = uvicorn.Server(uvicorn.Config(notes.streamable_http_app(stateless_http=True, json_response=True), access_log=False))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield at
    finally:
        running.should_exit = True
        thread.join(PATIENCE)


def test_a_server_that_asks_the_introspection(server):
    agent = Agent(server, AGENT)

    async def scopes(at):
        async with agent.calls(at) as http, Client(streamable_http_client(at, http_client=http)) as client:
            return (await client.call_tool("scopes", {})).content[0].text

    async def status(at):
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            return (await http.post(at, json={}, headers={"Authorization": f"Bearer {agent.kept.access_token}"})).status_code

    with tools(server) as at, tools(server) as other:
        assert asyncio.run(scopes(at)) == "auth:current-scopes notes:use"
        assert agent.kept.scope == "notes:use"
        assert asyncio.run(status(other)) == 401, "the token is for one of them"
        form = {"token": agent.kept.access_token, "client_id": "agent"}
        assert httpx.post(f"{server.root_url}/login/oauth/revoke", data=form, timeout=PATIENCE).status_code == 200
        assert asyncio.run(status(at)) == 401
