"""The example of docs/events.md against the real binary, with what the published client makes."""

import importlib.util
import pathlib
import threading
import urllib.error

import pytest
import taskcluster

from test_auth import in_an_hour, temporary

EXAMPLE = pathlib.Path(__file__).parents[3] / "docs" / "examples" / "events.py"


def example():
    spec = importlib.util.spec_from_file_location("events_example", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def follow(server, credentials, last_id=None):
    # The client makes bytes of what it was given.
    credentials = {k: v.decode() if isinstance(v, bytes) else v for k, v in credentials.items()}
    return example().follow(server.root_url, credentials["clientId"], credentials["accessToken"], credentials.get("certificate"), last_id)


def test_the_example_hears_what_the_client_does(server):
    auth = taskcluster.Auth(server.options())
    stream = follow(server, server.credentials)
    id, name, data = next(stream)
    epoch, at = id.split("-")
    assert (name, data) == ("ready", {"version": 1, "revision": int(at)})
    # From another thread, while this one waits.
    doing = threading.Thread(target=lambda: auth.createClient("events/one", {"expires": in_an_hour(), "description": "", "scopes": []}))
    doing.start()
    assert next(stream) == (f"{epoch}-{int(at) + 1}", "client-created", {"version": 1, "clientId": "events/one", "revision": int(at) + 1})
    doing.join()
    auth.createRole("events:*", {"description": "", "scopes": ["assume:x"]})
    auth.deleteClient("events/one")
    assert [next(stream)[1] for _ in range(2)] == ["role-created", "client-deleted"]
    # Somebody else resumes, with temporary credentials.
    later = follow(server, temporary(server, ["auth:events"]), last_id=f"{epoch}-{int(at) + 1}")
    assert [next(later)[1] for _ in range(3)] == ["ready", "role-created", "client-deleted"]


def test_the_example_is_refused_without_the_scope(server):
    with pytest.raises(urllib.error.HTTPError) as refused:
        next(follow(server, temporary(server, ["auth:event"])))
    assert refused.value.code == 403
