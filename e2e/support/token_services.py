"""Services that take tokens: the same route behind each kit, and behind the gateway, which is the Rust kit in a program of its own."""

import base64
import contextlib
import hashlib
import pathlib
import subprocess
import sys
import urllib.parse

import pytest
import requests
from falconer_server import PATIENCE, clean_environment, root_url_of
from oauth_applications import CALLBACK, pressed, server_of

REPOSITORY = pathlib.Path(__file__).parents[2]
PLACES = ["python", "node", "go", "gateway"]
# Each listens at a port of its own, takes tokens where it says where they come from, and needs `notes:read:red` for `/books/red`.
PYTHON = """
import os, socket, sys, uvicorn
sys.path.insert(0, sys.argv[1])
from falconer.asgi import Guard, caller_of
listener = socket.create_server(("127.0.0.1", 0))
origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
async def app(scope, receive, send):
    assert not await caller_of(scope).has("notes:write:red")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})
guard = Guard(os.environ["FALCONER"], origin, protected_resource={"scopes": ["notes:read:*"]})
print("listening on", origin, flush=True)
uvicorn.Server(uvicorn.Config(guard.protect(app, "notes:read:red"), access_log=False, lifespan="off")).run(sockets=[listener])
"""
NODE = """
import { createServer } from 'node:http';
const { Guard } = await import(process.argv[1]);
let listener;
const service = createServer((request, response) => listener(request, response));
service.listen(0, '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${service.address().port}`;
  const guard = new Guard({ rootUrl: process.env.FALCONER, origin, protectedResource: { scopes: ['notes:read:*'] } });
  listener = guard.pages(async (request, response) => {
    const caller = await guard.admit(request, guard.requirement('notes:read:red'));
    if (await caller.has('notes:write:red')) throw new Error();
    response.end('{}');
  });
  console.log('listening on', origin);
});
"""
GO = """
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"

	falconer "falconer.example/sdk/go"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	origin := "http://" + listener.Addr().String()
	guard, err := falconer.NewGuard(falconer.Config{
		Falconer: os.Getenv("FALCONER"), Origin: origin, ProtectedResource: &falconer.ProtectedResource{Scopes: []string{"notes:read:*"}},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	guard.HandleFunc(mux, "GET /books/{book}", "notes:read:<book>", func(w http.ResponseWriter, r *http.Request) {
		has, refusal := falconer.CallerFrom(r.Context()).Has(r.Context(), "notes:write:red")
		if has || refusal != nil {
			panic(refusal)
		}
		fmt.Fprint(w, "{}")
	})
	fmt.Println("listening on", origin)
	panic(http.Serve(listener, guard.CORS(mux)))
}
"""
RULES = '\n[[rule]]\nmethods = ["*"]\npath = "/books/{book}"\nscope = "notes:read:<book>"\n'
HEAD = 'protected_resource = { path = "", scopes = ["notes:read:*"] }'


def go_program(folder):
    """Builds it with what Go itself brings, and without asking anybody for anything."""
    (folder / "main.go").write_text(GO)
    kit = f"falconer.example/sdk/go v0.0.0\n\nreplace falconer.example/sdk/go => {REPOSITORY / 'sdk/go'}\n"
    (folder / "go.mod").write_text(f"module falconer.example/tokens\n\ngo 1.22\n\nrequire {kit}")
    offline = {**clean_environment(), "GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    subprocess.run(["go", "build", "-o", "service", "."], cwd=folder, env=offline, check=True, capture_output=True, timeout=10 * PATIENCE)
    return [str(folder / "service")]


def command(place, folder):
    match place:
        case "python":
            return [sys.executable, "-B", "-c", PYTHON, str(REPOSITORY / "sdk/python/src")]
        case "node":
            return ["node", "--input-type=module", "-e", NODE, str(REPOSITORY / "sdk/js/node/http.js")]
        case _:
            return go_program(folder)


@contextlib.contextmanager
def service(place, server, folder):
    """Its origin, while it runs."""
    if place == "gateway":
        sys.path.insert(0, str(REPOSITORY / "e2e/gateway"))
        from behind import Behind
        from proxies import Protected

        behind = Behind(["*"])
        protected = Protected("upstream", folder / "run", server.root_url, behind, "127.0.0.1", HEAD, RULES)
        try:
            yield protected.origin
        finally:
            protected.stop()
            behind.stop()
        return
    process = subprocess.Popen(
        command(place, folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**clean_environment(), "FALCONER": server.root_url}
    )
    try:
        yield root_url_of(process)
    finally:
        process.kill()
        process.wait(PATIENCE)


PAGE = f"""
[[application]]
id = "page"
name = "A page"
redirect_uris = ["{CALLBACK}"]
scopes = ["notes:read:*"]
"""
VERIFIER = "v" * 64


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("tokens"), PAGE)
    yield running
    running.stop()


@pytest.fixture(scope="module", params=PLACES)
def origin(request, server, tmp_path_factory):
    with service(request.param, server, tmp_path_factory.mktemp(request.param)) as at:
        yield at


def given(server, scope, headers=None, **more):
    """What the page gets at the token endpoint once ann has pressed Grant."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {"response_type": "code", "client_id": "page", "redirect_uri": CALLBACK, "state": "s", "scope": scope, **more}
    asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    back = pressed(server, f"{server.root_url}/login/oauth/authorize?{urllib.parse.urlencode(asked)}")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
    form = {"grant_type": "authorization_code", "client_id": "page", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    answer = requests.post(f"{server.root_url}/login/oauth/token", data=form, headers=headers or {}, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer.json()
