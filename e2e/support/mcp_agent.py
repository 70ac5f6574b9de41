"""A program that uses the client of the published SDK of the Model Context Protocol, and its person, who presses Grant."""

import urllib.parse

import httpx2
from falconer_server import PATIENCE
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata
from oauth_applications import pressed

CALLBACK = "http://127.0.0.1/callback"
DOCUMENT = {"client_name": "An agent", "redirect_uris": [CALLBACK]}
REGISTERED = f"""
[[application]]
id = "agent"
name = "An agent"
redirect_uris = ["{CALLBACK}"]
scopes = ["notes:use", "notes:read:*"]
"""
AGENT = OAuthClientInformationFull(client_id="agent", token_endpoint_auth_method="none")


class Agent:
    """What a program gives the SDK: where it keeps things, and how a person comes to a page."""

    def __init__(self, server, client=None, host="localhost"):
        self.server, self.client, self.host, self.kept, self.pages = server, client, host, None, []

    async def get_tokens(self):
        return self.kept

    async def set_tokens(self, tokens):
        self.kept = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client

    async def goes_to(self, url):
        self.pages.append(url)

    async def comes_back(self):
        """The person presses Grant, for as much as they may do."""
        given = urllib.parse.parse_qs(urllib.parse.urlsplit(pressed(self.server, self.pages[-1], host=[self.host])).query)
        return AuthorizationCodeResult(code=given["code"][0], state=given["state"][0], iss=given["iss"][0])

    def calls(self, at, document=None):
        """A connection to the tool server."""
        metadata = OAuthClientMetadata(**DOCUMENT, token_endpoint_auth_method="none")
        auth = OAuthClientProvider(at, metadata, self, self.goes_to, self.comes_back, client_metadata_url=document)
        return httpx2.AsyncClient(auth=auth, timeout=PATIENCE)
