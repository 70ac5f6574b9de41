"""Every method that the published Python client knows, with and without asyncio, and the answers against the schemas that Falconer publishes."""

import asyncio
import json
import pathlib
import urllib.parse

import pytest
import taskcluster
import taskcluster.aio
from falconer_server import Server
from published_schemas import Published, fill, holds

SCRIPT = json.loads((pathlib.Path(__file__).parent.parent / "calls.json").read_text())


def synchronous(options, method, args, keywords):
    return getattr(taskcluster.Auth(options), method)(*args, **keywords)


def with_asyncio(options, method, args, keywords):
    async def call():
        async with taskcluster.aio.createSession() as session:
            return await getattr(taskcluster.aio.Auth(options, session=session), method)(*args, **keywords)

    return asyncio.run(call())


def signed(server):
    """What a server sees of a request that the client signed as a URL."""
    url = urllib.parse.urlparse(taskcluster.Auth(server.options()).buildSignedUrl("currentScopes"))
    return {"signedResource": f"{url.path}?{url.query}", "host": url.hostname, "port": url.port}


@pytest.mark.parametrize("variant, client, call", [
    ("taskcluster.Auth", taskcluster.Auth, synchronous), ("taskcluster.aio.Auth", taskcluster.aio.Auth, with_asyncio),
])
def test_every_method(variant, client, call, tmp_path):
    server = Server(tmp_path, settings=SCRIPT["settings"], bare=True)
    published = Published(server.root_url)
    methods = set(published.entries)
    knows = set(client.funcinfo)
    assert methods == {call["method"] for call in SCRIPT["calls"]}, "calls.json and the published reference name the same methods"
    assert knows <= methods, f"the client knows methods that Falconer does not publish: {knows - methods}"

    root = server.options()
    options = {
        "root": root,
        "anonymous": {"rootUrl": server.root_url, "maxRetries": 0},
        "tester": {**root, "credentials": {"clientId": "tester", "accessToken": "no-secret"}},
    }
    known = {"inAnHour": taskcluster.fromNowJSON("1 hour"), **signed(server)}
    driven, answered, checked, made = set(), set(), 0, 0
    for step in SCRIPT["calls"]:
        method = step["method"]
        if method not in knows:
            continue
        args = [*step.get("args", [])]
        payload = fill(step.get("payload"), known)
        if payload is not None:
            args.append(payload)
            published.check(method, "input", payload)
        keywords = {"query": fill(step["query"], known)} if "query" in step else {}
        driven.add(method)
        made += 1
        refused = step.get("refused")
        if refused:
            with pytest.raises((taskcluster.exceptions.TaskclusterRestFailure, taskcluster.exceptions.TaskclusterAuthFailure)) as failure:
                call(options[step.get("as", "root")], method, args, keywords)
            error = failure.value
            assert (error.status_code, error.body["code"]) == (refused["status"], refused["code"]), step
            assert refused["text"] in error.body["message"], step
            assert error.body["requestInfo"]["method"] == method
            continue
        answer = call(options[step.get("as", "root")], method, args, keywords)
        answered.add(method)
        if "answer" in step:
            assert holds(answer, fill(step["answer"], known)), f"{step}\n{json.dumps(answer, indent=2)}"
        if answer is not None:
            checked += published.check(method, "output", answer)
        known.update({name: answer[key] for name, key in step.get("save", {}).items()})
    server.stop()

    assert driven == knows
    assert driven - answered == knows & set(SCRIPT["onlyRefused"])
    lacks = ", ".join(sorted(methods - knows)) or "none"
    print(f"\nPython {variant}: {len(driven)} of {len(methods)} methods driven with {made} calls, {checked} answers fit {len(published.used)} "
          f"published schemas; the client lacks {lacks}")
