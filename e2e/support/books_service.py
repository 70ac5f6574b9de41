"""The services of docs/backend.md and docs/agents.md in Python, started for a test."""

import contextlib
import pathlib
import subprocess
import sys

from falconer_server import PATIENCE, clean_environment, root_url_of

REPOSITORY = pathlib.Path(__file__).parents[2]
# Bound before they learn their origin, so that the port is free for certain.
BOOKS = """
import http.server, os, sys
sys.path.insert(0, sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), None)
os.environ["ORIGIN"] = f"http://127.0.0.1:{server.server_address[1]}"
import books
server.RequestHandlerClass = books.Books
print("listening on", os.environ["ORIGIN"], flush=True)
server.serve_forever()
"""


TOOLS = """
import os, socket, sys, uvicorn
sys.path[:0] = sys.argv[1:]
listener = socket.create_server(("127.0.0.1", 0))
os.environ["ORIGIN"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
import tools
print("listening on", os.environ["ORIGIN"], flush=True)
uvicorn.Server(uvicorn.Config(tools.app, access_log=False)).run(sockets=[listener])
"""


@contextlib.contextmanager
def running(script, falconer):
    """Where the service of this script is, while it asks this Falconer."""
    arguments = [sys.executable, "-B", "-c", script, str(REPOSITORY / "docs/examples"), str(REPOSITORY / "sdk/python/src")]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**clean_environment(), "FALCONER": falconer})
    try:
        yield root_url_of(process)
    finally:
        process.kill()
        process.wait(PATIENCE)


def books(falconer):
    """Where docs/examples/books.py is."""
    return running(BOOKS, falconer)


def tools(falconer):
    """Where docs/examples/tools.py is."""
    return running(TOOLS, falconer)
