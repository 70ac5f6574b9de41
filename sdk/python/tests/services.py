"""The service of `vectors/ours/scenarios.json`, behind each kit, on real servers."""

import json
import os
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import uvicorn
import waitress
from fastapi import FastAPI, Request
from flask import Flask, request
from starlette.applications import Starlette
from starlette.responses import JSONResponse

from falconer import fastapi as for_fastapi
from falconer import flask as for_flask
from falconer import starlette as for_starlette



def fastapi_service(falconer, origin, cors=None, **settings):
    app = FastAPI()
    guard = for_fastapi.Guard(falconer, origin, cors=cors, **settings).install(app)

    @app.get("/books/{book}")
    async def read(book: str, caller: for_fastapi.Caller = guard.requires("notes:read:<book>")):
        return {"book": book}

    @app.put("/books/{book}")
    async def write(book: str, request: Request, caller: for_fastapi.Caller = guard.requires("notes:write:<book>")):
        return {"book": book, "body": (await request.body()).decode(errors="replace")}

    return app


def starlette_service(falconer, origin, cors=None, **settings):
    guard = for_starlette.Guard(falconer, origin, cors=cors, **settings)

    async def read(request):
        assert for_starlette.caller(request).expires
        return JSONResponse({"book": request.path_params["book"]})

    async def write(request):
        return JSONResponse({"book": request.path_params["book"], "body": (await request.body()).decode(errors="replace")})

    routes = [guard.route("/books/{book}", "notes:read:<book>", read), guard.route("/books/{book}", "notes:write:<book>", write, methods=["PUT"])]
    return guard.cors(Starlette(routes=routes))


def flask_service(falconer, origin, cors=None, **settings):
    app = Flask(__name__)
    guard = for_flask.Guard(falconer, origin, cors=cors, **settings).install(app)

    @app.get("/books/<book>")
    @guard.requires("notes:read:<book>")
    def read(book):
        assert for_flask.caller().expires
        return {"book": book}

    @app.put("/books/<book>")
    @guard.requires("notes:write:<book>")
    def write(book):
        return {"book": book, "body": request.stream.read().decode(errors="replace")}

    return app


def bound(host):
    """A socket on a free port, and the origin that callers write for it."""
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listener = socket.socket(family)
    listener.bind((host.strip("[]"), 0))
    return listener, f"http://{host}:{listener.getsockname()[1]}"


class Uvicorn:
    """An ASGI application in a thread."""

    def __init__(self, make, host="127.0.0.1", http="h11"):
        listener, self.origin = bound(host)
        self._server = uvicorn.Server(uvicorn.Config(make(self.origin), log_level="warning", http=http))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        listener.listen()
        self._thread.start()

    def stop(self):
        self._server.should_exit = True
        self._thread.join()


class Waitress:
    """A WSGI application in a thread."""

    def __init__(self, make, host="127.0.0.1"):
        listener, self.origin = bound(host)
        listener.listen()
        self._server = waitress.create_server(make(self.origin), sockets=[listener], threads=4)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            self._server.run()
        except OSError:
            pass  # it was closed

    def stop(self):
        self._server.close()


class Gunicorn:
    """The Flask service in a process of its own, which gets the socket."""

    def __init__(self, falconer, settings, host="127.0.0.1"):
        listener, self.origin = bound(host)
        listener.listen()
        listener.set_inheritable(True)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SERVICE": json.dumps({"falconer": falconer, "origin": self.origin, **settings})}
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--threads", "2", "--log-level", "warning", "--no-control-socket", "gunicorn_app:app"]
        self._process = subprocess.Popen(command, env=environment, pass_fds=[listener.fileno()])
        listener.close()

    def stop(self):
        self._process.terminate()
        self._process.wait(30)


def started(kit, root, settings, host="127.0.0.1"):
    """The service behind a kit, by the name that tests give both."""
    if kit == "Flask on gunicorn":
        return Gunicorn(root, settings, host)
    if kit == "Flask on waitress":
        return Waitress(lambda origin: flask_service(root, origin, **settings), host)
    make = fastapi_service if kit.startswith("FastAPI") else starlette_service
    return Uvicorn(lambda origin: make(root, origin, **settings), host, "httptools" if kit.endswith("httptools") else "h11")


def host_and_port(origin):
    url = urlsplit(origin)
    return url.hostname, url.port
