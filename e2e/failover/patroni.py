"""PostgreSQL as an organisation runs it: two servers under Patroni, which keeps who leads in etcd."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.request

from falconer_server import PATIENCE, clean_environment, held_port

# As short as Patroni takes: this long after its leader was lost the other one leads.
TTL = 20


def programs():
    """The folder of the newest PostgreSQL's programs: Debian keeps them out of the path."""
    found = [path for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    assert found, "no PostgreSQL below /usr/lib/postgresql"
    return max(found, key=lambda path: int(path.parent.name))


def eventually(what, look):
    """What `look` says as soon as it says something. Who is asked may not be there yet."""
    deadline, last = time.monotonic() + PATIENCE, None
    while time.monotonic() < deadline:
        try:
            found = look()
        except (OSError, ValueError) as error:
            last = error
        else:
            if found:
                return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: never, {last}")


class Watched:
    """A program with its log, in a group of its own: its children go with it."""

    def __init__(self, command, log, environment=None):
        self.log = log
        # PostgreSQL refuses to run as root: then it runs as the user that its package made.
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
        self.process = subprocess.Popen(
            [*as_user, *command], stdout=log.open("a"), stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=environment or clean_environment(), start_new_session=True, cwd="/",
        )

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def kill(self):
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait(PATIENCE)


class Member:
    """A server of PostgreSQL and the Patroni that watches over it."""

    def __init__(self, number, folder, etcd):
        self.name, self.folder = f"member-{number}", folder / f"member-{number}"
        self.folder.mkdir()
        self.port, self.rest = held_port(), held_port()
        self.patroni = None
        self.postgres = 0
        (self.folder / "patroni.yml").write_text(json.dumps(self.settings(etcd)))
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")

    def settings(self, etcd):
        # JSON is YAML.
        return {
            "scope": "falconer",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.rest}", "connect_address": f"127.0.0.1:{self.rest}"},
            "etcd3": {"host": f"127.0.0.1:{etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL, "loop_wait": 1, "retry_timeout": 3,
                    # What was acknowledged is on both.
                    "synchronous_mode": True,
                    "postgresql": {"use_pg_rewind": True, "parameters": {"wal_log_hints": "on", "max_connections": 60}},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, {"auth": "trust"}, "no-sync"],
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self.folder / "data"), "bin_dir": str(programs()), "pgpass": str(self.folder / "pgpass"),
                "authentication": {name: {"username": user, "password": "unused"} for name, user in (("superuser", "postgres"), ("replication", "replicator"), ("rewind", "rewind"))},
                "parameters": {"unix_socket_directories": ""},
            },
        }

    def start(self):
        self.patroni = Watched(["patroni", str(self.folder / "patroni.yml")], self.folder / "log")

    def says(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.rest}/{path}", timeout=5) as answer:
            return answer.read()

    def find_postgres(self):
        """Its number, also once Patroni is gone."""
        self.postgres = int((self.folder / "data/postmaster.pid").read_text().split()[0])

    def lose(self):
        """As when its machine loses power: nobody says goodbye."""
        self.find_postgres()
        self.patroni.kill()
        os.kill(self.postgres, signal.SIGKILL)

    def freeze(self):
        """As when its machine stands still: what listens still takes connections, and nothing answers."""
        self.find_postgres()
        self.patroni.signal(signal.SIGSTOP)
        for number in [self.postgres, *children_of(self.postgres)]:
            os.kill(number, signal.SIGSTOP)

    def thaw(self):
        for number in [self.postgres, *children_of(self.postgres)]:
            os.kill(number, signal.SIGCONT)
        self.patroni.signal(signal.SIGCONT)

    def stop(self):
        if self.patroni:
            self.patroni.kill()
        if (self.folder / "data/postmaster.pid").exists():
            self.find_postgres()
            for number in [*children_of(self.postgres), self.postgres]:
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    pass


def children_of(number):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{number}/task/{number}/children").read_text().split()]
    except FileNotFoundError:
        return []


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        etcd, peer = held_port(), held_port()
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
            for parent in [folder, *folder.parents]:
                if parent.owner() == "root" and parent != pathlib.Path("/"):
                    parent.chmod(parent.stat().st_mode | 0o011)
        urls = ["--listen-client-urls", f"http://127.0.0.1:{etcd}", "--advertise-client-urls", f"http://127.0.0.1:{etcd}"]
        peers = ["--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}", "--initial-cluster", f"default=http://127.0.0.1:{peer}"]
        self.etcd = Watched(["etcd", "--data-dir", str(folder / "etcd"), *urls, *peers], folder / "etcd.log")
        self.members = [Member(number, folder, etcd) for number in range(2)]

    def start(self):
        first, second = self.members
        first.start()
        self.leads(first)
        second.start()
        self.follows(second, first)

    def leads(self, member):
        eventually(f"{member.name} leads", lambda: member.says("leader"))

    def follows(self, member, leader):
        """Nothing is acknowledged that is not on it too."""
        eventually(f"{member.name} has all that {leader.name} acknowledges", lambda: member.says("sync"))

    def hosts(self):
        return ",".join(f"127.0.0.1:{member.port}" for member in self.members)

    def stop(self):
        for member in self.members:
            member.stop()
        self.etcd.kill()
