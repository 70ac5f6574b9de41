"""The published SDK of the Model Context Protocol, unchanged: its client, which knows an address only, calls the tool server of docs/agents.md, which is the SDK's, too."""

import asyncio
import re
import subprocess
import urllib.parse

import httpx2
import pytest
from books_service import REPOSITORY, tools
from document_host import DocumentHost
from falconer_server import BIN, PATIENCE, clean_environment
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_agent import AGENT, DOCUMENT, REGISTERED, Agent
from oauth_applications import server_of


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    running = DocumentHost(tmp_path_factory.mktemp("documents"), DOCUMENT)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, documents):
    configuration = f'[grant]\nclient_documents = ["{documents.host}"]\n{REGISTERED}'
    running = server_of(tmp_path_factory.mktemp("mcp"), configuration, ann_has=["notes:use", "notes:read:red"], SSL_CERT_FILE=documents.certificate, FALCONER_GRANT__REGISTRATION="open")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def at(server):
    with tools(server.root_url) as origin:
        yield f"{origin}/mcp"


def text(result):
    return result.is_error, result.content[0].text


def parameters(page):
    return {name: value for name, [value] in urllib.parse.parse_qs(urllib.parse.urlsplit(page).query).items()}


@pytest.mark.parametrize("known", ["registered", "by a document", "registers itself"])
def test_a_client_that_knows_the_address_of_a_tool_server_only(server, documents, at, known):
    document = documents.at("/client.json") if known == "by a document" else None
    agent = Agent(server, AGENT if known == "registered" else None, "127.0.0.1" if known == "registers itself" else "localhost")

    async def steps():
        async with agent.calls(at, document) as http, Client(streamable_http_client(at, http_client=http)) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["read"]
            assert text(await client.call_tool("read", {"book": "red"})) == (False, "What stands in red.")
            # The person does not give these; the last is no name in a scope.
            for book in ["blue", "*", "\u00e4\n"]:
                assert text(await client.call_tool("read", {"book": book})) == (True, f"Error executing tool read: You were not given notes:read:{book}.")

    asyncio.run(steps())
    [page] = agent.pages
    asked = parameters(page)
    assert (asked["client_id"], asked["resource"]) == (document or agent.client.client_id, at)
    assert asked["scope"] == "notes:use notes:read:*", "what the service says that there is"
    assert agent.kept.scope == "notes:read:red notes:use"

    # A later run goes on with the tokens that were kept; revoked, they are worth nothing, and the person is asked.
    asyncio.run(steps())
    assert len(agent.pages) == 1
    form = {"token": agent.kept.access_token, "client_id": asked["client_id"]}
    assert httpx2.post(f"{server.root_url}/login/oauth/revoke", data=form, timeout=PATIENCE).status_code == 200
    asyncio.run(steps())
    assert len(agent.pages) == 2


def test_a_token_is_for_one_tool_server(server, at):
    agent = Agent(server, AGENT)

    async def status(at, **headers):
        async with httpx2.AsyncClient(timeout=PATIENCE) as http:
            return (await http.post(at, json={}, headers=headers)).status_code

    async def steps(other):
        async with agent.calls(at) as http, Client(streamable_http_client(at, http_client=http)) as client:
            await client.list_tools()
        shown = {"Authorization": f"Bearer {agent.kept.access_token}"}
        return await status(at), await status(other, **shown)

    with tools(server.root_url) as origin:
        assert asyncio.run(steps(f"{origin}/mcp")) == (401, 401)


@pytest.fixture
def reserved(tmp_path):
    """A server where ann may read, and use no tools."""
    running = server_of(tmp_path, REGISTERED, ann_has=["notes:read:red"])
    yield running
    running.stop()


def test_a_client_asks_for_what_is_missing(reserved):
    """The person may use no tools at first, later they may: the client reads which scope the answer names, and asks for it beside what it has."""
    agent = Agent(reserved, AGENT)

    async def read(at):
        async with agent.calls(at) as http, Client(streamable_http_client(at, http_client=http)) as client:
            return text(await client.call_tool("read", {"book": "red"}))

    with tools(reserved.root_url) as origin:
        with pytest.raises(Exception):
            asyncio.run(read(f"{origin}/mcp"))
        # It asked for all that there is, then for what was missing, and gave up.
        assert (len(agent.pages), agent.kept.scope) == (2, "notes:read:red")
        # The server itself changes it: what a command writes beside it is in force a moment later, and the page might be older.
        command = [BIN, "person", "update", "local/ann", f"--remote={reserved.root_url}", "--scope", "notes:read:red", "--scope", "notes:use"]
        credentials = {"TASKCLUSTER_CLIENT_ID": reserved.credentials["clientId"], "TASKCLUSTER_ACCESS_TOKEN": reserved.credentials["accessToken"]}
        subprocess.run(command, check=True, capture_output=True, env={**clean_environment(), **credentials}, timeout=PATIENCE)
        assert asyncio.run(read(f"{origin}/mcp")) == (False, "What stands in red.")
        assert set(parameters(agent.pages[2])["scope"].split()) == {"notes:read:red", "notes:use"}
        assert (len(agent.pages), agent.kept.scope) == (3, "notes:read:red notes:use")


def test_the_page_prints_the_server_and_it_takes_ten_lines():
    [diff] = re.findall(r"^```diff\n(.*?)^```$", (REPOSITORY / "docs/agents.md").read_text(), re.M | re.S)
    lines = diff.splitlines()
    assert len([line for line in lines if line.startswith("+") and line != "+"]) <= 10
    program = [line for line in (REPOSITORY / "docs/examples/tools.py").read_text().splitlines() if not line.startswith("# ")]
    assert [line[1:] for line in lines if not line.startswith("-")] == program
