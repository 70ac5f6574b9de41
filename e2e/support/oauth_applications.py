"""Applications that ask ann for a grant by OAuth 2, and ann, who presses Grant."""

import pathlib
import subprocess

from falconer_server import BIN, PATIENCE, Server, clean_environment

CALLBACK = "https://app.example/cb"
SECRET = "0123456789abcdef0123456789abcdef%+ &"
PASSWORD = "a long password"


def server_of(folder, applications, ann_has=("notes:*",), **settings):
    """A server that has these sections of a configuration, these settings of its environment, and ann."""
    configuration = folder / "falconer.toml"
    configuration.write_text(applications)
    running = Server(folder, settings={"FALCONER_CONFIG": str(configuration), **settings})
    subprocess.run(
        [BIN, "account", "create", "ann", "--data-dir", running.data, "--password-stdin", *(part for scope in ann_has for part in ("--scope", scope))],
        input=PASSWORD, text=True, check=True, capture_output=True, env=clean_environment(), timeout=PATIENCE,
    )
    return running


def pressed(server, url, host=()):
    """Where the browser is sent after Grant. `host` is typed, for an application that nobody registered."""
    script = pathlib.Path(__file__).parent / "grant-over-http.mjs"
    done = subprocess.run(["node", str(script), "--authorize", server.root_url, "ann", PASSWORD, url, *host], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def typed(server, code):
    """Ann types the code that a device shows, and presses Grant."""
    script = pathlib.Path(__file__).parent / "grant-over-http.mjs"
    done = subprocess.run(["node", str(script), "--device", server.root_url, "ann", PASSWORD, code], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
