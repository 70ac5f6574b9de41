"""What the guards add to a request besides one round trip to Falconer.

    FALCONER_BIN=<the binary> <python with the package's extra `test`> sdk/python/tests/timing.py [rounds]

The same question goes to the same server in turn: by a plain socket, by httpx as it comes (the library that the package asks with), and by each guard. Medians, in
microseconds. Ends with 1 where a guard adds more than 300 to the trip by httpx; what httpx itself costs is a line of its own.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import pathlib
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE), str(HERE.parents[2] / "e2e/support")]

import httpx  # noqa: E402
from conftest import Falconer  # noqa: E402
from falconer_server import Server  # noqa: E402

import falconer.asgi  # noqa: E402
import falconer.wsgi  # noqa: E402
from falconer import Signer  # noqa: E402

MOST_OWN = 300
ORIGIN = "https://notes.example.com"
PATH = "/api/falconer/v1/check"
BODY = b'{"text": "hello"}'
JSON = {"Content-Type": "application/json"}


async def main(root_url: str, credentials: dict, rounds: int) -> int:
    header = Signer(credentials).authorization("PUT", ORIGIN + "/books/red", "application/json", BODY)
    request = {"method": "put", "resource": "/books/red", "host": "notes.example.com", "port": 443, "authorization": header, "sourceIp": "192.0.2.1"}
    question = json.dumps({"request": request, "required": "notes:write:red"}).encode()
    bare = http.client.HTTPConnection(root_url.split("//")[1])
    plain, plain_async = httpx.Client(), httpx.AsyncClient()

    async def by_socket():
        bare.request("POST", PATH, question, JSON)
        assert b'"allowed"' in bare.getresponse().read()

    async def by_httpx():
        assert b'"allowed"' in plain.post(root_url + PATH, content=question, headers=JSON).content

    async def by_httpx_async():
        assert b'"allowed"' in (await plain_async.post(root_url + PATH, content=question, headers=JSON)).content

    async def asgi_app(scope, receive, send):
        assert (await receive())["body"] == BODY
        await falconer.asgi.respond(204, [], b"", send)

    asgi = falconer.asgi.Guard(root_url, ORIGIN).protect(asgi_app, "notes:write:<book>", ["book"])
    headers = [(b"authorization", header.encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "PUT", "path": "/books/red", "raw_path": b"/books/red", "query_string": b"", "headers": headers, "path_params": {"book": "red"}, "client": ("192.0.2.1", 1)}

    async def receive():
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def by_asgi():
        status = []

        async def send(message):
            status.append(message.get("status"))

        await asgi(dict(scope), receive, send)
        assert status[0] == 204, status

    def wsgi_app(environ, start):
        assert environ["wsgi.input"].read() == BODY
        start("204 No Content", [])
        return [b""]

    wsgi = falconer.wsgi.Guard(root_url, ORIGIN).protect(wsgi_app, "notes:write:red")

    async def by_wsgi():
        import io

        status = []
        environ = {
            "REQUEST_METHOD": "PUT", "RAW_URI": "/books/red", "PATH_INFO": "/books/red", "HTTP_AUTHORIZATION": header, "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(BODY)), "REMOTE_ADDR": "192.0.2.1", "wsgi.input": io.BytesIO(BODY),
        }
        wsgi(environ, lambda line, *_: status.append(line))
        assert status == ["204 No Content"], status

    ways = {"socket": by_socket, "httpx": by_httpx, "httpx, asyncio": by_httpx_async, "WSGI": by_wsgi, "ASGI": by_asgi}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 200):
        for name, way in ways.items():
            began = time.perf_counter()
            await way()
            if turn >= 200:
                times[name].append((time.perf_counter() - began) * 1e6)
    medians = {name: statistics.median(each) for name, each in times.items()}
    for name, median in medians.items():
        print(f"{name:16}{median:9.0f} us")
    own = {"WSGI": medians["WSGI"] - medians["httpx"], "ASGI": medians["ASGI"] - medians["httpx, asyncio"]}
    for name, added in own.items():
        print(f"the {name} guard adds {added:.0f} us to the trip by httpx, {medians[name] - medians['socket']:.0f} us to one by a socket")
    return int(max(own.values()) > MOST_OWN)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        running = Server(pathlib.Path(folder))
        try:
            made = Falconer(running).client(["notes:*"])
            sys.exit(asyncio.run(main(running.root_url, made, int(sys.argv[1]) if len(sys.argv) > 1 else 2000)))
        finally:
            running.stop()
