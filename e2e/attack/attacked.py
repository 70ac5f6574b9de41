"""Running services and the attack on them."""

import json
import os
import subprocess
import sys
import threading

from falconer_server import BIN, PATIENCE, clean_environment, held_port


class Running:
    """A program until `stop`, which says `ready` when it listens, on stdout or stderr."""

    def __init__(self, command, ready, environment=None, cwd=None, log=None):
        out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT if log is None else log.open("w")}
        self.process = subprocess.Popen(command, text=True, env={**clean_environment(), **(environment or {})}, cwd=cwd, **out)
        said = []
        late = threading.Timer(PATIENCE, self.process.kill)
        late.start()
        try:
            for line in self.process.stdout:
                said.append(line)
                if ready in line:
                    self.said = line
                    return
        finally:
            late.cancel()
        raise RuntimeError(f"{command} ended: {''.join(said)}")

    def stop(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


def broken(name, server, folder, falconer=None):
    """A service of `broken.py`: its origin, the program, its log. `falconer`: whom it asks, if not the server."""
    port, log = held_port(), folder / f"{name}.log"
    log.touch()
    origin = f"http://127.0.0.1:{port}"
    environment = {"FALCONER": falconer or server.root_url, "ORIGIN": origin, "PORT": str(port), "ACCESS_LOG": str(log)}
    here = os.path.dirname(os.path.abspath(__file__))
    return origin, Running([sys.executable, os.path.join(here, "broken.py"), name], "listening", environment), log


def attack(service, *arguments, server=None, credentials=None, stdin=subprocess.DEVNULL):
    """`falconer attack`, with the credentials of whom the test says; the root client's if nobody is said."""
    environment = clean_environment()
    if server is not None:
        credentials = credentials or server.credentials
        environment |= {"TASKCLUSTER_ROOT_URL": server.root_url, "TASKCLUSTER_CLIENT_ID": credentials["clientId"], "TASKCLUSTER_ACCESS_TOKEN": credentials["accessToken"]}
        if "certificate" in credentials:
            environment["TASKCLUSTER_CERTIFICATE"] = credentials["certificate"]
    return subprocess.run([BIN, "attack", service, *map(str, arguments)], capture_output=True, text=True, env=environment, stdin=stdin, timeout=PATIENCE)


class Attacked:
    """What `falconer attack --json` said."""

    def __init__(self, done):
        assert done.stdout, done.stderr
        self.code, self.said, self.stderr = done.returncode, json.loads(done.stdout), done.stderr
        self.rows = self.said["rows"]

    def with_outcome(self, outcome):
        return {row["attack"]: row for row in self.rows if row["outcome"] == outcome}

    def named(self, attack):
        return [row for row in self.rows if row["attack"] == attack]
