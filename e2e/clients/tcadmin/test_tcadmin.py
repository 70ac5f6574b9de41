"""The published tc-admin, unchanged, against the real binary: it manages the roles and clients of one project declaratively, as docs/services.md says.

tc-admin takes root URLs without a port only, so the server listens on port 80 of a loopback address of its own.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import taskcluster
import yaml
from falconer_server import Server, clean_environment

CONFIGURATION = pathlib.Path(__file__).parent / "config"
TC_ADMIN = pathlib.Path(sys.executable).parent / "tc-admin"


@pytest.fixture
def server(tmp_path_factory):
    number = os.getpid()
    host = f"127.80.{number // 254 % 254 + 1}.{number % 254 + 1}"
    running = Server(tmp_path_factory.mktemp("falconer"), listen=f"{host}:80", settings={"FALCONER_ROOT_URL": f"http://{host}"})
    yield running
    running.stop()


class Administrator:
    """A folder with a configuration, and somebody who calls tc-admin in it."""

    def __init__(self, folder, server, credentials=None):
        self.folder = folder
        shutil.copytree(CONFIGURATION, folder, dirs_exist_ok=True)
        credentials = server.credentials if credentials is None else credentials
        self.environment = {
            **clean_environment(), "TASKCLUSTER_ROOT_URL": server.root_url,
            **{name: credentials[key] for name, key in (("TASKCLUSTER_CLIENT_ID", "clientId"), ("TASKCLUSTER_ACCESS_TOKEN", "accessToken")) if credentials},
        }

    def run(self, *args):
        return subprocess.run([TC_ADMIN, *args], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120)

    def call(self, *args):
        done = self.run(*args)
        assert done.returncode == 0, f"tc-admin {args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def diff(self):
        """What differs, as `+ Role=...` (missing), `- ...` (to be deleted), `! ...` (changed); tc-admin ends with 2 where something does."""
        done = self.run("diff", "--ids-only")
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        assert done.returncode == (2 if lines else 0), f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return sorted(lines)

    def edit(self, name, change):
        path = self.folder / name
        content = yaml.safe_load(path.read_text())
        change(content)
        path.write_text(yaml.safe_dump(content))


@pytest.fixture
def auth(server):
    return taskcluster.Auth(server.options())


@pytest.fixture
def administrator(tmp_path, server):
    return Administrator(tmp_path, server)


def everything(auth):
    """All that a deployment holds, as a stranger to tc-admin sees it, without times of use."""
    clients = auth.listClients()["clients"]
    for client in clients:
        client.pop("lastDateUsed")
    return {"roles": auth.listRoles(), "clients": clients}


ALL = ["+ Client=library/catalogue", "+ Client=library/front-desk", "+ Role=library:reader:*", "+ Role=library:staff"]


def test_generate_diff_apply_and_nothing_is_left_to_do(administrator, auth, server):
    before = everything(auth)
    generated = json.loads(administrator.call("generate", "--json"))
    assert sorted(resource["kind"] for resource in generated["resources"]) == ["Client", "Client", "Role", "Role"]
    assert administrator.diff() == ALL
    readable = administrator.run("diff")
    assert readable.returncode == 2 and "+      - notes:write:*" in readable.stdout

    applied = administrator.call("apply")
    assert sorted(applied.split("\n"))[1:] == [
        "Creating Client=library/catalogue", "Creating Client=library/front-desk", "Creating Role=library:reader:*", "Creating Role=library:staff",
    ]
    assert administrator.diff() == []
    assert administrator.call("diff").strip() == ""
    assert json.loads(administrator.call("current", "--json")) == generated

    # A second apply changes nothing at all, times included.
    after = everything(auth)
    administrator.call("apply")
    assert everything(auth) == after
    # What was there before is as it was.
    assert [role for role in after["roles"] if not role["roleId"].startswith("library:")] == before["roles"]
    assert auth.client("library/catalogue")["expandedScopes"] == [
        "assume:library:reader:maps", "assume:library:reader:novels", "auth:current-scopes", "notes:read:maps", "notes:read:novels",
    ]

    # As tc-admin's page says: a new access token for a client that it made.
    token = auth.resetAccessToken("library/catalogue")["accessToken"]
    mine = taskcluster.Auth(server.options(clientId="library/catalogue", accessToken=token))
    assert "notes:read:maps" in mine.currentScopes()["scopes"]


def test_changes_and_deletions(administrator, auth):
    administrator.call("apply")
    made = auth.client("library/front-desk")
    administrator.edit("roles.yml", lambda roles: roles["library:staff"]["scopes"].append("notes:delete:old/*"))
    administrator.edit("clients.yml", lambda clients: clients.pop("library/catalogue"))
    administrator.edit("clients.yml", lambda clients: clients["library/front-desk"].update(description="In the hall."))
    auth.createRole("library:left-over", {"description": "Made by hand.", "scopes": ["door:open"]})
    auth.createClient("librarian/other", {"expires": taskcluster.fromNow("1 hour"), "description": "Another project.", "scopes": []})
    auth.createRole("librarian", {"description": "Another project.", "scopes": []})

    assert administrator.diff() == [
        "! Client=library/front-desk (changed: description)", "! Role=library:staff (changed: scopes)",
        "- Client=library/catalogue", "- Role=library:left-over",
    ]
    administrator.call("apply")
    assert administrator.diff() == []
    assert "notes:delete:old/*" in auth.role("library:staff")["scopes"]
    assert auth.listClients(query={"prefix": "librar"})["clients"][0]["description"] == "Another project."
    assert auth.client("library/front-desk")["created"] == made["created"], "updated, not made anew"
    assert "librarian" in auth.listRoleIds()["roleIds"]
    for gone in (lambda: auth.client("library/catalogue"), lambda: auth.role("library:left-over")):
        with pytest.raises(taskcluster.exceptions.TaskclusterRestFailure) as failure:
            gone()
        assert failure.value.status_code == 404


def test_more_clients_than_a_page_holds(administrator, auth):
    names = [f"library/shelf/{number:04}" for number in range(1003)]
    prefix = json.loads(administrator.call("generate", "--json"))["resources"][0]["description"].partition("\n\n")[0]
    for name in names:
        auth.createClient(name, {"expires": taskcluster.fromNow("100 years"), "description": f"{prefix}\n\nOne of many.", "scopes": []})
    administrator.edit("clients.yml", lambda clients: clients.update({name: {"description": "One of many.", "scopes": []} for name in names}))
    assert administrator.diff() == ALL
    administrator.call("apply")
    assert administrator.diff() == []
    administrator.edit("clients.yml", lambda clients: clients.pop(names[-1]))
    assert administrator.diff() == [f"- Client={names[-1]}"]


def test_a_refusal_is_told_and_changes_nothing(administrator, auth, server, tmp_path):
    made = auth.createClient("administration/limited", {
        "expires": taskcluster.fromNow("1 hour"), "description": "May list.", "scopes": ["auth:list-roles", "auth:list-clients"],
    })
    limited = Administrator(tmp_path / "limited", server, made)
    refused = limited.run("apply")
    assert refused.returncode != 0
    assert "Error While Creating" in refused.stderr and "InsufficientScopes" in refused.stderr and "auth:create-" in refused.stderr
    assert administrator.diff() == ALL

    nobody = Administrator(tmp_path / "nobody", server, {})
    refused = nobody.run("diff")
    assert refused.returncode != 0 and "InsufficientScopes" in refused.stderr, "listing needs scopes, and nobody has them here"
    # A deployment that gives these two scopes to everybody can be compared without credentials, as tc-admin's own pages recommend.
    auth.createRole("anonymous", {"description": "Everybody may list.", "scopes": ["auth:list-roles", "auth:list-clients"]})
    assert nobody.diff() == ALL


def test_services_that_falconer_is_not(administrator):
    """A configuration that claims hooks makes tc-admin ask the hooks service; Falconer says that there is none, and nothing is applied."""
    path = administrator.folder / "tc-admin.py"
    path.write_text(path.read_text().replace('    resources.manage("Role=library:.*")\n', '    resources.manage("Role=library:.*")\n    resources.manage("Hook=library/.*")\n'))
    for command in ("current", "diff", "apply"):
        failed = administrator.run(command)
        assert failed.returncode != 0
        assert "Unknown Server Error 404" in failed.stderr and "{'error': 'Not found'}" in failed.stderr
    shutil.copy(CONFIGURATION / "tc-admin.py", path)
    assert administrator.diff() == ALL
