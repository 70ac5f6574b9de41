"""Starts the real binary for the tests in Python."""

import json
import os
import pathlib
import re
import socket
import subprocess
import threading

BIN = os.environ["FALCONER_BIN"]


# How long anything may take that a test waits for, in seconds: a busy machine takes longer than a quiet one.
PATIENCE = float(os.environ.get("FALCONER_TEST_PATIENCE") or 120)


# Ports that are held, so that they stay what they are until this process ends.
_HELD = []


def held_port(host="127.0.0.1"):
    """A port that the system gives to nobody. Who connects is refused, until a server listens there that was told of it and sets SO_REUSEADDR, as servers do."""
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((host.strip("[]"), 0))
    _HELD.append(one)
    return one.getsockname()[1]


def root_url_of(process):
    """Waits for the line with which `falconer serve` says that it is ready; None where it ended, or was ended because it took too long."""
    late = threading.Timer(PATIENCE, process.kill)
    late.start()
    try:
        for line in process.stdout:
            match = re.search(r"listening on (\S+)", line)
            if match:
                return match.group(1)
        return None
    finally:
        late.cancel()


def clean_environment():
    return {k: v for k, v in os.environ.items() if not re.match(r"(FALCONER|TASKCLUSTER)_", k)}


class Server:
    """A running `falconer serve` and the credentials of its root client. `listen` may be a fixed address; `settings` are FALCONER_ variables;
    `bare` leaves out the roles that a new deployment has."""

    def __init__(self, folder, listen="127.0.0.1:0", settings=None, bare=False):
        self.data = data = str(folder / "data")
        made = subprocess.run([BIN, "init", "--data-dir", data, "--json", *(["--bare"] if bare else [])], check=True, capture_output=True, text=True, env=clean_environment(), timeout=PATIENCE)
        init = json.loads(made.stdout)
        self.credentials = {"clientId": init["clientId"], "accessToken": init["accessToken"]}
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [BIN, "serve", "--data-dir", data, "--listen", listen],
            stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True, env={**clean_environment(), **(settings or {})},
        )
        self.root_url = root_url_of(self.process)
        if self.root_url is None:
            raise RuntimeError(f"falconer serve did not listen within {PATIENCE:.0f} s:\n{self.log.read_text()}")

    def options(self, **credentials):
        return {"rootUrl": self.root_url, "credentials": credentials or self.credentials, "maxRetries": 0}

    def grant(self, target, scopes, identity=False, person="ann", person_has=("notes:read:*",)):
        """Credentials from an access grant, as a browser would bring them back. `identity`: the service may know who it is. `person` is made for it, with the scopes of `person_has`."""
        subprocess.run(
            [BIN, "account", "create", person, "--data-dir", self.data, "--password-stdin", *(part for scope in person_has for part in ("--scope", scope))],
            input="a long password", text=True, check=True, capture_output=True, env=clean_environment(), timeout=PATIENCE,
        )
        script = pathlib.Path(__file__).parent / "grant-over-http.mjs"
        made = subprocess.run(["node", str(script), self.root_url, person, "a long password", target, *scopes, *(["--identity"] if identity else [])], check=True, capture_output=True, text=True, timeout=PATIENCE)
        granted = json.loads(made.stdout)
        return {key: granted[key] for key in ("clientId", "accessToken", "certificate")}

    def stop(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
