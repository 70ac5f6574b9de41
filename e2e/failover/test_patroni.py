"""The database fails over, by Patroni and etcd, under two servers that nobody restarts: every answer is true, and nobody is let in who should not be."""

import json
import os
import subprocess
import threading
import time
import urllib.request

import pytest
import taskcluster
from falconer_server import BIN, PATIENCE, clean_environment, root_url_of
from patroni import Cluster, eventually

NOT_KNOWN = "may or may not have been made"
REFUSED = (taskcluster.exceptions.TaskclusterRestFailure, taskcluster.exceptions.TaskclusterAuthFailure)


@pytest.fixture
def cluster(tmp_path):
    running = Cluster(tmp_path)
    try:
        running.start()
        yield running
    finally:
        running.stop()


class Falconer:
    """One of the servers, on a data directory of its own."""

    def __init__(self, folder, number, environment):
        self.log = folder / f"falconer-{number}.log"
        self.process = subprocess.Popen(
            [BIN, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(folder / f"data-{number}")],
            stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True, env=environment,
        )
        self.root_url = root_url_of(self.process)
        assert self.root_url, self.log.read_text()

    def auth(self, credentials):
        return taskcluster.Auth({"rootUrl": self.root_url, "credentials": credentials, "maxRetries": 0})

    def is_well(self):
        with urllib.request.urlopen(f"{self.root_url}/__heartbeat__", timeout=PATIENCE) as answer:
            return answer.status == 200

    def stop(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0


def a_client(scopes=()):
    return {"expires": "2100-01-01T00:00:00.000Z", "description": "of a test", "scopes": list(scopes)}


class Writer(threading.Thread):
    """Makes clients all the time, and takes down what it is told of each."""

    def __init__(self, auth, number, over):
        super().__init__()
        self.auth, self.number, self.over = auth, number, over
        self.done, self.not_done, self.not_known, self.wrong = set(), set(), set(), []

    def run(self):
        count = 0
        while not self.over.is_set():
            name, count = f"writer-{self.number}/{count:06}", count + 1
            try:
                self.auth.createClient(name, a_client())
                self.done.add(name)
            except REFUSED as error:
                if error.status_code != 503:
                    self.wrong.append(str(error))
                (self.not_known if NOT_KNOWN in str(error) else self.not_done).add(name)
                time.sleep(0.02)
            except Exception as error:
                self.wrong.append(repr(error))
                return


class Caller(threading.Thread):
    """Uses credentials all the time; when they were accepted and when not."""

    def __init__(self, auth, over):
        super().__init__()
        self.auth, self.over, self.answers, self.wrong = auth, over, [], []

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            try:
                self.auth.currentScopes()
                self.answers.append((began, 200))
            except REFUSED as error:
                self.answers.append((began, error.status_code))
            except Exception as error:
                self.wrong.append(repr(error))
                return
            time.sleep(0.02)


def test_the_database_fails_over_and_nobody_restarts_anything(cluster, tmp_path):
    url = f"postgres://postgres@{cluster.hosts()}/postgres?sslmode=disable&target_session_attrs=read-write"
    environment = {**clean_environment(), "FALCONER_DATABASE_URL": url, "FALCONER_LIMITS__ANNOUNCE_SECONDS": "0"}
    ran = subprocess.run([BIN, "init", "--json", "--data-dir", str(tmp_path / "data-0")], check=True, capture_output=True, text=True, env=environment, timeout=PATIENCE)
    made = json.loads(ran.stdout)
    root = {"clientId": made["clientId"], "accessToken": made["accessToken"]}
    environment["FALCONER_KEY_FILE"] = str(tmp_path / "data-0/falconer.keys")
    servers = [Falconer(tmp_path, number, environment) for number in range(2)]
    try:
        there = fail_over(cluster, servers, root)
    finally:
        for server in servers:
            if server.process.poll() is None:
                server.stop()
    # What a server says that reads all of it anew.
    afresh = Falconer(tmp_path, 2, environment)
    try:
        assert clients(afresh.auth(root)) == there
    finally:
        afresh.stop()


def clients(auth):
    found, more = set(), {}
    while True:
        page = auth.listClients(query={"prefix": "writer-", **more})
        found |= {client["clientId"] for client in page["clients"]}
        if not page.get("continuationToken"):
            return found
        more = {"continuationToken": page["continuationToken"]}


def fail_over(cluster, servers, root):
    """What the writers made, as a server says that lived through all of it."""
    auths = [server.auth(root) for server in servers]
    token = lambda name, scopes: {"clientId": name, "accessToken": auths[0].createClient(name, a_client(scopes))["accessToken"]}  # noqa: E731
    kept, revoked = token("project/kept", ["auth:current-scopes"]), token("project/revoked", ["auth:current-scopes"])
    for server in servers:
        eventually("both know it", lambda: knows(server.auth(kept)) and knows(server.auth(revoked)))
    over = threading.Event()
    writers = [Writer(auth, number, over) for number, auth in enumerate(auths * 2)]
    callers = [Caller(server.auth(kept), over) for server in servers]
    for thread in [*writers, *callers]:
        thread.start()
    losses = []
    try:
        auths[0].disableClient("project/revoked")
        for server in servers:
            eventually("it is refused everywhere", lambda: not knows(server.auth(revoked)))
        refused = [Caller(server.auth(revoked), over) for server in servers]
        for thread in refused:
            thread.start()
        callers += refused
        first, second = cluster.members
        for leader, other, lose in ((first, second, lost), (second, first, frozen)):
            before = [len(writer.done) for writer in writers]
            eventually("all write", lambda: all(len(writer.done) > count + 5 for writer, count in zip(writers, before)))
            losses.append(time.monotonic())
            back = lose(leader)
            cluster.leads(other)
            before = [len(writer.done) for writer in writers]
            eventually("all write on the one that followed", lambda: all(len(writer.done) > count + 5 for writer, count in zip(writers, before)))
            for server in servers:
                eventually("it is well", server.is_well)
            back()
            if leader is first:
                cluster.follows(leader, other)
    finally:
        over.set()
        for thread in [*writers, *callers]:
            thread.join()

    assert [thread.wrong for thread in [*writers, *callers]] == [[]] * 8
    # A moment later this server too knows what was made at the other one last.
    done = set().union(*(writer.done for writer in writers))
    eventually("nothing that was acknowledged is lost", lambda: done <= clients(auths[0]))
    there = clients(auths[0])
    for writer in writers:
        assert writer.done <= there, f"acknowledged and lost: {writer.done - there}"
        assert not writer.not_done & there, f"refused and made: {writer.not_done & there}"
        assert writer.not_done | writer.not_known, "this one has noticed nothing"
    print(f"{sum(len(w.done) for w in writers)} done, {sum(len(w.not_done) for w in writers)} not done, {sum(len(w.not_known) for w in writers)} not known")
    for caller in callers[:2]:
        assert {status for _, status in caller.answers} <= {200, 503}
        # It refuses once it has not reached the database for too long, and goes on by itself.
        assert all(any(status == 200 for at, status in caller.answers if at > loss) for loss in losses)
    for caller in callers[2:]:
        assert {status for _, status in caller.answers} <= {401, 503}, "somebody was let in whose credentials were taken away before"
    return there


def knows(auth):
    try:
        auth.currentScopes()
        return True
    except REFUSED:
        return False


def lost(leader):
    leader.lose()
    return leader.start


def frozen(leader):
    leader.freeze()
    return leader.thaw
