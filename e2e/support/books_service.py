"""The service of docs/backend.md in Python, started for a test."""

import contextlib
import pathlib
import subprocess
import sys

from falconer_server import PATIENCE, clean_environment, root_url_of

EXAMPLES = pathlib.Path(__file__).parents[2] / "docs/examples"
# Bound before it learns its origin, so that the port is free for certain.
SERVICE = """
import http.server, os, sys
sys.path.insert(0, sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), None)
os.environ["ORIGIN"] = f"http://127.0.0.1:{server.server_address[1]}"
import books
server.RequestHandlerClass = books.Books
print("listening on", os.environ["ORIGIN"], flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def books(falconer):
    """Where it is, while it asks this Falconer."""
    arguments = [sys.executable, "-B", "-c", SERVICE, str(EXAMPLES)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**clean_environment(), "FALCONER": falconer})
    try:
        yield root_url_of(process)
    finally:
        process.kill()
        process.wait(PATIENCE)
