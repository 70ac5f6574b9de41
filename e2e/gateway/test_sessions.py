"""A browser's session on the protected host, through each proxy: what a browser sends is written out here, so that what it must not be able to do can be tried."""

import http.client
import itertools
import json
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from falconer_server import Server
from proxies import Protected
from scenarios import credentials_of, host_and_port

HEAD = 'public = ["/open"]'
RULES = """
[session]
identity = true

[[rule]]
methods = ["GET"]
path = "/books/{book}"
scope = "notes:read:<book>"

[[rule]]
methods = ["PUT"]
path = "/books/{book}"
scope = "notes:read:<book>"

[[rule]]
methods = ["GET"]
path = "/admin"
scope = "notes:admin"
"""
PAGE_OF = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}
SCRIPT_OF = {"Accept": "*/*", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def granted(server):
    """Credentials of a grant, as Falconer hands them to the protected host."""
    return server.grant("https://notes.example.com/", ["notes:read:*"])


_NUMBERS = itertools.count()


def granted_anew(server):
    """A grant for one test, which may end it: of somebody who has granted nothing else."""
    return server.grant("https://notes.example.com/", ["notes:read:*"], person=f"person{next(_NUMBERS)}")


def call(service, method, target, headers=None, cookies=None):
    connection = http.client.HTTPConnection(*host_and_port(service.origin), timeout=60)
    try:
        sent = {**(headers or {}), **({"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())} if cookies else {})}
        connection.request(method, target, headers=sent)
        answer = connection.getresponse()
        body = answer.read()
        set_cookies = {}
        for line in answer.msg.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            set_cookies[name] = value
        return answer, body, set_cookies
    finally:
        connection.close()


def signed_in(service, granted, to="/books/red?page=2", before=None):
    """The cookies of a browser that came back from Falconer. `before`: those of the session that it had."""
    answer, _, cookies = call(service, "GET", f"/.falconer/sign-in?{urlencode({'to': to})}", PAGE_OF)
    cookies.update(before or {})
    assert answer.status == 303
    target = parse_qs(urlsplit(answer.getheader("Location")).query)["target"][0]
    state = parse_qs(urlsplit(target).query)["state"][0]
    answer, _, set_cookies = call(service, "GET", f"/.falconer/back?{urlencode({'state': state, **granted})}", PAGE_OF, cookies)
    assert (answer.status, answer.getheader("Location")) == (303, service.origin + to)
    assert answer.getheader("Cache-Control") == "no-store" and answer.getheader("Referrer-Policy") == "no-referrer"
    assert set_cookies[f"falconer-gateway-sign-in-{state[:8]}"] == "" and len(set_cookies["falconer-gateway"]) > 100
    return {"falconer-gateway": set_cookies["falconer-gateway"]}


def reason(body):
    return json.loads(body)["reason"]


def test_pages_lead_to_falconer_and_programs_get_json(service, server):
    answer, _, _ = call(service, "GET", "/books/red?page=2", PAGE_OF)
    assert (answer.status, answer.getheader("Location")) == (303, f"{service.origin}/.falconer/sign-in?to=%2Fbooks%2Fred%3Fpage%3D2")
    answer, _, cookies = call(service, "GET", answer.getheader("Location").removeprefix(service.origin), PAGE_OF)
    asked = urlsplit(answer.getheader("Location"))
    query = parse_qs(asked.query)
    assert answer.getheader("Location").startswith(f"{server.root_url}/?target=")
    assert (query["scope"], query["identity"]) == (["notes:read:*", "notes:admin"], ["true"])
    assert query["target"][0].startswith(f"{service.origin}/.falconer/back?state=") and [name[:-8] for name in cookies] == ["falconer-gateway-sign-in-"]
    for headers in [SCRIPT_OF, {"Accept": "*/*"}, {}]:
        answer, body, _ = call(service, "GET", "/books/red", headers)
        assert (answer.status, reason(body)) == (403, "no-credentials")


def test_a_session_reads_and_ends(service, granted):
    cookies = signed_in(service, granted)
    answer, body, _ = call(service, "GET", "/books/red?page=2&q='x'", PAGE_OF, {**cookies, "theirs": "1"})
    assert answer.status == 200, body
    said = json.loads(body)
    assert said["path"] == "/books/red?page=2&q='x'" and "falconer-caller" in dict(said["headers"])
    answer, body, _ = call(service, "GET", "/admin", SCRIPT_OF, cookies)
    assert (answer.status, reason(body)) == (403, "scopes-missing")
    answer, body, _ = call(service, "GET", "/admin", PAGE_OF, cookies)
    assert answer.status == 403 and b"<h1>Not allowed</h1>" in body and b"notes:admin" in body


def test_whoever_looks_gets_a_page_and_programs_get_json(service, granted):
    """Story: somebody who went to an address that no rule has saw JSON."""
    cookies = signed_in(service, granted)
    for path, status, why in [("/nothing", 404, "no-rule"), ("/books/..%2f", 400, "bad-target"), ("/.falconer/other", 404, "no-rule")]:
        for headers in [SCRIPT_OF, {"Accept": "*/*"}, {}, PAGE_OF | {"Authorization": "Hawk x"}]:
            answer, body, _ = call(service, "GET", path, headers, cookies)
            assert (answer.status, answer.getheader("Content-Type"), reason(body)) == (status, "application/json", why), headers
        for method, headers in [("GET", PAGE_OF), ("GET", {"Accept": "text/html,*/*"}), ("GET", PAGE_OF | {"Sec-Fetch-Dest": "iframe"}), ("POST", PAGE_OF)]:
            answer, body, _ = call(service, method, path, headers, cookies)
            assert (answer.status, answer.getheader("Content-Type")) == (status, "text/html; charset=utf-8"), (method, headers)
            assert f"<code>{why}</code>".encode() in body and b'<html lang="en">' in body and b"<title>" in body
            assert "style-src 'sha256-" in answer.getheader("Content-Security-Policy") and answer.getheader("Cache-Control") == "no-store"


def test_another_site_changes_nothing(service, granted):
    cookies = signed_in(service, granted)
    own = {"Origin": service.origin, "Sec-Fetch-Site": "same-origin"}
    assert call(service, "PUT", "/books/red", own, cookies)[0].status == 200
    for headers in [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": service.origin, "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]:
        for method, target in [("PUT", "/books/red"), ("POST", "/.falconer/sign-out")]:
            answer, body, _ = call(service, method, target, headers, cookies)
            assert (answer.status, reason(body)) == (403, "other-site"), (method, headers)
    answer, body, _ = call(service, "GET", "/books/red", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, cookies)
    assert (answer.status, reason(body)) == (403, "other-site")


def test_a_web_socket_of_another_origin(service, granted):
    """Most proxies keep `Upgrade` to themselves, and browsers send no `Sec-Fetch-Site` with it everywhere: its `Origin` says enough."""
    cookies = signed_in(service, granted)
    for headers in [{}, {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "a2V5a2V5a2V5a2V5a2V5aw=="}]:
        answer, body, _ = call(service, "GET", "/books/red", {"Origin": "http://127.0.0.2:1", **headers}, cookies)
        if headers and service.place.startswith("envoy"):
            # Envoy itself refuses to switch protocols where nobody has allowed it, and asks nobody.
            assert (answer.status, body) == (403, b"")
        else:
            assert (answer.status, reason(body)) == (403, "other-site"), headers


def test_nobody_is_sent_or_signed_in_elsewhere(service, granted):
    for to in ["//evil.example", "https://evil.example/", "/\\evil.example", "/%5cevil.example", "/a/../..//evil.example", "javascript:alert(1)", "/x\r\nSet-Cookie: a=b"]:
        _, _, cookies = call(service, "GET", f"/.falconer/sign-in?{urlencode({'to': to})}", PAGE_OF)
        answer, _, _ = call(service, "GET", f"/.falconer/sign-in?{urlencode({'to': to})}", PAGE_OF)
        assert len(answer.headers.get_all("Set-Cookie")) == 1 and len(cookies) == 1 and "a" not in cookies
    # Credentials of somebody else, with a state of their own: not what this browser asked for.
    _, _, mine = call(service, "GET", "/.falconer/sign-in?to=/books/red", PAGE_OF)
    theirs, _, _ = call(service, "GET", "/.falconer/sign-in?to=/books/red", PAGE_OF)
    state = parse_qs(urlsplit(parse_qs(urlsplit(theirs.getheader("Location")).query)["target"][0]).query)["state"][0]
    for cookies in [mine, {}]:
        answer, _, set_cookies = call(service, "GET", f"/.falconer/back?{urlencode({'state': state, **granted})}", PAGE_OF, cookies)
        # Refused credentials do not stay in the address either.
        assert (answer.status, answer.getheader("Location"), set_cookies) == (303, f"{service.origin}/.falconer/not-asked-for", {})
        answer, body, set_cookies = call(service, "GET", "/.falconer/not-asked-for", PAGE_OF, cookies)
        assert (answer.status, set_cookies) == (400, {}) and b"<code>not-asked-for</code>" in body and b'"/.falconer/sign-in?to=%2F"' in body


def test_two_tabs_sign_in_at_once(service, granted):
    """The second one's cookie took the place of the first's, which ended on an error with credentials in its address."""
    jar, tabs = {}, []
    for to in ["/books/red", "/books/blue"]:
        answer, _, set_cookies = call(service, "GET", f"/.falconer/sign-in?{urlencode({'to': to})}", PAGE_OF, jar)
        jar.update(set_cookies)
        target = parse_qs(urlsplit(answer.getheader("Location")).query)["target"][0]
        tabs.append((parse_qs(urlsplit(target).query)["state"][0], to))
    for order in [tabs, tabs[::-1]]:
        cookies = dict(jar)
        for state, to in order:
            answer, _, set_cookies = call(service, "GET", f"/.falconer/back?{urlencode({'state': state, **granted})}", PAGE_OF, cookies)
            assert (answer.status, answer.getheader("Location")) == (303, service.origin + to)
            cookies = {name: value for name, value in (cookies | set_cookies).items() if value}
        assert list(cookies) == ["falconer-gateway"]


def test_a_cookie_is_worth_nothing_changed_or_twice(service, granted):
    cookies = signed_in(service, granted)
    sealed = cookies["falconer-gateway"]
    for value in ["x", sealed[:-4], sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:], f"{sealed}; falconer-gateway={sealed}"]:
        answer, body, _ = call(service, "GET", "/books/red", SCRIPT_OF, {"falconer-gateway": value})
        assert (answer.status, reason(body)) == (403, "no-credentials"), value[:60]


def signed_out(service, cookies, headers=None):
    return call(service, "POST", "/.falconer/sign-out", {"Origin": service.origin, **(headers or {})}, cookies)


def test_signing_out_ends_what_a_copy_of_the_cookie_is_worth(service, server):
    """Signing out only took the cookie away: somebody who had copied it went on until the grant ended."""
    granted = granted_anew(server)
    cookies, copy = [signed_in(service, granted) for _ in range(2)]
    assert cookies != copy and call(service, "GET", "/books/red", SCRIPT_OF, copy)[0].status == 200
    answer, _, cleared = signed_out(service, cookies)
    assert (answer.status, answer.getheader("Location"), cleared) == (303, f"{service.origin}/.falconer/sign-out", {"falconer-gateway": ""})
    # At the very next request: of the copy, of the cookie itself, and of the credentials in it.
    for kept in [copy, cookies]:
        answer, body, _ = call(service, "GET", "/books/red", SCRIPT_OF, kept)
        assert (answer.status, reason(body)) == (401, "grant-revoked")
    answer, _, cleared = call(service, "GET", "/books/red", PAGE_OF, copy)
    assert (answer.status, cleared) == (303, {"falconer-gateway": ""})
    assert server.reason_of(granted) == "grant-revoked"
    answer, body, _ = call(service, "GET", "/.falconer/sign-out", PAGE_OF)
    assert answer.status == 403 and b"<h1>Signed out</h1>" in body
    # The other tab, whose page still shows its button, and a second press.
    for other in [cookies, {}]:
        answer, _, cleared = signed_out(service, other)
        assert (answer.status, cleared) == (303, {"falconer-gateway": ""})


def test_signing_out_says_where_nobody_knows_whose_session_it_was(service, granted):
    sealed = signed_in(service, granted)["falconer-gateway"]
    for cookie in [f"{sealed}; falconer-gateway={sealed}", sealed[:-4]]:
        answer, body, cleared = signed_out(service, {"falconer-gateway": cookie})
        assert (answer.status, cleared) == (403, {"falconer-gateway": ""})
        assert b"<h1>Signed out here only</h1>" in body and b"nothing was ended" in body
    # Not even another cookie's letters keep it from being read.
    answer, _, _ = call(service, "GET", "/books/red", SCRIPT_OF | {"Cookie": f"theirs=caf\xe9; falconer-gateway={sealed}"})
    assert answer.status == 200


def test_a_session_that_another_one_replaces_ends(service, server):
    before = signed_in(service, granted_anew(server))
    after = signed_in(service, granted_anew(server), before=before)
    answer, body, _ = call(service, "GET", "/books/red", SCRIPT_OF, before)
    assert (answer.status, reason(body)) == (401, "grant-revoked")
    assert call(service, "GET", "/books/red", SCRIPT_OF, after)[0].status == 200
    # Coming back once more with what is there already (a reload) ends nothing.
    granted = granted_anew(server)
    again = signed_in(service, granted, before=signed_in(service, granted))
    assert call(service, "GET", "/books/red", SCRIPT_OF, again)[0].status == 200


def test_nobody_signs_somebody_out_from_elsewhere(service, granted):
    cookies = signed_in(service, granted)
    for method, headers in [("POST", {"Origin": "https://evil.example"}), ("POST", {"Sec-Fetch-Site": "cross-site"}), ("GET", {}), ("HEAD", {}), ("PUT", {"Origin": service.origin})]:
        call(service, method, "/.falconer/sign-out", headers, cookies)
    assert call(service, "GET", "/books/red", SCRIPT_OF, cookies)[0].status == 200


def test_signing_out_while_falconer_is_away(behind, tmp_path):
    falconer = Server(tmp_path)
    service = None
    try:
        service = Protected("upstream", tmp_path / "run", falconer.root_url, behind, head="falconer_timeout_ms = 1000", rules=RULES)
        granted = falconer.grant("https://notes.example.com/", ["notes:read:*"])
        cookies = signed_in(service, granted)
        falconer.stop()
        answer, body, cleared = signed_out(service, cookies, PAGE_OF | {"Sec-Fetch-Site": "same-origin"})
        until = datetime.fromtimestamp(json.loads(granted["certificate"])["expiry"] / 1000, timezone.utc)
        assert (answer.status, cleared) == (403, {"falconer-gateway": ""})
        assert b"<h1>Signed out here only</h1>" in body and f"counts until {until:%Y-%m-%dT%H:%M:%S}".encode() in body
        assert f'<a href="{falconer.root_url}/me/grants">'.encode() in body
    finally:
        if service:
            service.stop()


def test_a_session_that_ends_soon_leads_to_falconer(server, behind, granted, tmp_path):
    service = Protected("upstream", tmp_path / "run", server.root_url, behind, rules=RULES.replace("identity = true", "renew_minutes = 100000"))
    try:
        # A grant is shown its pages for half of its time, however short it is. They led to the grant page at once.
        assert call(service, "GET", "/books/red", PAGE_OF, signed_in(service, granted))[0].status == 200
        halfway = credentials_of({"scopes": ["notes:read:*"], "temporary": {"startSeconds": -7200, "expirySeconds": 3600}}, server)
        cookies = signed_in(service, {"clientId": halfway.client_id, "accessToken": halfway.access_token, "certificate": json.dumps(dict(halfway.certificate))})
        answer, _, _ = call(service, "GET", "/books/red", PAGE_OF, cookies)
        assert (answer.status, answer.getheader("Location")) == (303, f"{service.origin}/.falconer/sign-in?to=%2Fbooks%2Fred")
        # A script's request loses nothing of what somebody is typing.
        assert call(service, "GET", "/books/red", SCRIPT_OF, cookies)[0].status == 200
    finally:
        service.stop()
