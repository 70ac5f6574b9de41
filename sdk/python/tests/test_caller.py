"""What a service learns of a caller, and asks about one, against the real server."""

from __future__ import annotations

import anyio
import pytest

from falconer import AsyncCaller, AsyncVerifier, Caller, Denied, Failed, Refused, SettingsError, SignedRequest, Signer, Verifier

ORIGIN = "https://notes.example.com"


def signed(credentials, path="/books/red", **settings):
    return SignedRequest("GET", path, Signer(credentials, **settings).authorization("GET", ORIGIN + path))


def test_a_decision(server):
    verifier = Verifier(server.root_url, ORIGIN)
    reader = server.client(["notes:read:*", "notes:write:red"])
    caller = verifier.check(signed(reader), "notes:read:red", body=b"")
    assert isinstance(caller, Caller) and caller.client_id == reader["clientId"] and caller.identity is None and caller.scopes == ()
    assert reader["accessToken"] not in repr(caller) and "mac" not in repr(caller)
    denied = verifier.check(signed(reader), {"AllOf": ["notes:read:red", "notes:admin", "x:y"]}, body=b"")
    assert isinstance(denied, Denied) and denied.missing == {"AllOf": ["notes:admin", "x:y"]} and denied.refusal.status == 403
    assert "notes:admin" in denied.refusal.message
    failed = verifier.check(signed({**reader, "accessToken": "x" * 44}), "notes:read:red", body=b"")
    assert isinstance(failed, Failed) and failed.reason == "bad-mac" and failed.refusal.status == 401
    verifier.close()


def test_a_caller_is_asked_about_more(server):
    verifier = Verifier(server.root_url, ORIGIN)
    caller = verifier.check(signed(server.client(["notes:read:*", "notes:write:red"])), "notes:read:red", body=b"")
    assert caller.has("notes:write:red") and not caller.has({"AnyOf": ["notes:write:blue", "notes:admin"]})
    assert caller.has_each([f"notes:write:{book}" for book in ["red", "blue"] * 100]) == [True, False] * 100
    assert caller.has_each([]) == []
    assert caller.authorized_scopes("notes:read:red", "notes:write:red") == ["notes:read:red", "notes:write:red"]
    with pytest.raises(Refused) as refused:
        caller.authorized_scopes("notes:read:red", "notes:write:blue")
    assert refused.value.refusal.status == 403
    with pytest.raises(SettingsError):
        caller.authorized_scopes("")
    # What a caller wrote into a path may be in it: it was a SettingsError, so that anybody had a service answer with 500.
    for text in ["notes:read:réd", "notes:read:\0", "\n"]:
        with pytest.raises(Refused) as refused:
            caller.authorized_scopes(text)
        assert (refused.value.refusal.status, refused.value.refusal.code) == (400, "InputError")
    odd = ["a<b", "<x>", "<book>", "é", "a`b", ">", "\0"]
    assert caller.has_each([f"notes:write:{text}" for text in odd]) == [False] * len(odd)
    assert all(caller.has(f"notes:read:{text}") for text in odd[:3])


def test_the_same_under_asyncio_and_trio(server):
    reader = server.client(["notes:read:*"])

    async def main():
        verifier = AsyncVerifier(server.root_url, ORIGIN)
        caller = await verifier.check(signed(reader), "notes:read:red", body=b"")
        assert isinstance(caller, AsyncCaller) and await caller.has("notes:read:blue") and not await caller.has("notes:write:red")
        assert await caller.has_each(["notes:read:a", "a:b"]) == [True, False]
        assert await caller.authorized_scopes("notes:read:red") == ["notes:read:red"]
        assert isinstance(await verifier.check(signed(reader), "notes:write:red", body=b""), Denied)
        await verifier.aclose()

    anyio.run(main)
    # A second event loop has connections of its own.
    anyio.run(main)


def test_what_a_caller_lost_meanwhile_is_gone(server):
    verifier = Verifier(server.root_url, ORIGIN)
    reader = server.client(["notes:read:*"])
    caller = verifier.check(signed(reader), "notes:read:red", body=b"")
    server.call("POST", server.path(reader["clientId"]) + "/disable")
    with pytest.raises(Refused) as refused:
        caller.has("notes:read:red")
    assert refused.value.refusal.status == 401


def test_who_a_caller_is(server):
    verifier = Verifier(server.root_url, ORIGIN, reveal=["assume:mozilla-user:"])
    ann = verifier.check(signed(server.client(["assume:mozilla-user:ann@example.com", "notes:read:*"])), "notes:read:red", body=b"")
    assert ann.is_person("mozilla-user:ann@example.com") and not ann.is_person("mozilla-user:bob@example.com")
    assert ann.people("mozilla-user:") == ["ann@example.com"] and ann.scopes == ("assume:mozilla-user:ann@example.com",)
    for scopes in (["*"], ["assume:mozilla-user:*", "notes:*"], ["assume:mozilla-user:ann@example.com*", "notes:*"]):
        boss = verifier.check(signed(server.client(scopes)), "notes:read:red", body=b"")
        assert not boss.is_person("mozilla-user:ann@example.com") and boss.people("mozilla-user:") == []
        assert boss.has("assume:mozilla-user:ann@example.com"), "what Ann may do"
    with pytest.raises(SettingsError, match="reveal=\\['assume:github-user:'\\]"):
        ann.is_person("github-user:ann")


def test_a_person_who_let_the_service_know_and_who_revokes(server):
    """Ann grants access to https://notes.example.com and agrees to tell it who she is; then she revokes it."""
    credentials = server.grant(ORIGIN + "/cb", ["notes:read:red"], identity=True)
    ann = Verifier(server.root_url, ORIGIN, identity=True).check(signed(credentials), "notes:read:red", body=b"")
    assert ann.identity.id == "local/ann" and ann.identity.provider == "local" and ann.identity.target == ORIGIN
    # Only where the service asks, and only that origin.
    assert Verifier(server.root_url, ORIGIN).check(signed(credentials), "notes:read:red", body=b"").identity is None
    elsewhere = SignedRequest("GET", "/", Signer(credentials).authorization("GET", "https://other.example.com/"))
    assert Verifier(server.root_url, "https://other.example.com", identity=True).check(elsewhere, "notes:read:red", body=b"").identity is None
    grant = credentials["clientId"].split("/")[-1]
    server.call("DELETE", f"/api/falconer/v1/people/local%2Fann/grants/{grant}")
    refused = Verifier(server.root_url, ORIGIN).check(signed(credentials), "notes:read:red", body=b"")
    assert isinstance(refused, Failed) and refused.refusal.status == 401 and refused.reason == "grant-revoked"


def test_a_body_may_be_read_when_it_has_to_be(server):
    writer = server.client(["notes:*"])
    url, read = ORIGIN + "/books/red", []

    def reader(limit):
        read.append(limit)
        return b"hello"

    def check(header, **settings):
        request = SignedRequest("PUT", "/books/red", header, "text/plain")
        return Verifier(server.root_url, ORIGIN, **settings).check(request, "notes:write:red", body=reader)

    assert isinstance(check(Signer(writer).authorization("PUT", url, "text/plain", b"hello"), body_limit=5), Caller)
    assert check(Signer(writer).authorization("PUT", url, "text/plain", b"hello"), body_limit=4).reason == "body-too-large"
    assert check(Signer(writer).authorization("PUT", url, "text/plain", b"other")).reason == "payload-differs"
    assert read == [5, 4, 1024 * 1024]
    unsigned = Signer(writer, payload_hash=False).authorization("PUT", url)
    assert isinstance(check(unsigned), Caller) and len(read) == 3
    assert check(unsigned, payload_hash_required=True).reason == "payload-not-signed" and read[-1] == 0
    # A stranger makes this service read nothing.
    assert check(Signer({**writer, "accessToken": "x" * 44}).authorization("PUT", url, "text/plain", b"hello")).reason == "bad-mac" and len(read) == 4
