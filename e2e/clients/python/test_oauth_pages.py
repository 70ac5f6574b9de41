"""The steps of docs/oauth.md and docs/device.md as they are printed: their configuration, and their calls with curl, one after the other."""

import base64
import hashlib
import json
import pathlib
import re
import subprocess
import urllib.parse

import pytest
from falconer_server import PATIENCE
from oauth_applications import SECRET, pressed, server_of

DOCS = pathlib.Path(__file__).parents[3] / "docs"
VERIFIER = "v" * 64


def blocks(page):
    """What a page prints as code, also inside of a list, without its indentation: the kind and the text."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", (DOCS / page).read_text(), re.M | re.S)
    return [(kind, re.sub(rf"^{indent}", "", text, flags=re.M)) for indent, kind, text in found]


def applications(page):
    """The applications of the page, with a secret that is known here."""
    text = next(text for kind, text in blocks(page) if kind == "toml")
    return re.sub(r'secret_sha256 = ".*"', f'secret_sha256 = "{hashlib.sha256(SECRET.encode()).hexdigest()}"', text)


def calls(page):
    """Each call of the page with the members of the answer that it prints; `None` where it prints none."""
    for kind, text in blocks(page):
        if kind == "" and text.startswith("curl "):
            command, brace, answer = text.partition("\n{")
            # The names are compared: values are of this run.
            yield command, set(re.findall(r'"(\w+)": ', brace + answer)) if brace else None


def run(server, command, **replaced):
    """What the command prints, with values of this run in the place of the page's."""
    for name, value in {"https://auth.example.com": server.root_url, **replaced}.items():
        command = command.replace(name, value)
    done = subprocess.run(["bash", "-c", f"curl() {{ command curl -sS --max-time {PATIENCE} \"$@\"; }}; {command}"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("oauth-pages"), applications("oauth.md") + applications("device.md"))
    yield running
    running.stop()


def authorized(server, **changes):
    """The code behind the address that the page prints, after Grant."""
    address = next(text for kind, text in blocks("oauth.md") if kind == "" and "/authorize?" in text)
    address = "".join(line.strip() for line in address.splitlines())
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    for name, value in {"https://auth.example.com": server.root_url, "STATE": "state-1", "BASE64URL-OF-SHA256-OF-VERIFIER": challenge, **changes}.items():
        address = address.replace(name, value)
    given = urllib.parse.parse_qs(urllib.parse.urlsplit(pressed(server, address)).query)
    assert (given["state"], given["iss"]) == (["state-1"], [server.root_url])
    return given["code"][0]


def test_the_steps_of_an_application(server):
    exchange, credentials, refresh, push, introspect = list(calls("oauth.md"))
    # VERIFIER is no part of CODE: that stands for itself behind `code=`.
    tokens = run(server, exchange[0], **{"code=CODE": f"code={authorized(server)}", "=VERIFIER": f"={VERIFIER}"})
    assert set(tokens) == exchange[1]
    assert tokens["scope"] == "notes:read:*"
    given = run(server, credentials[0], **{"falconer_at_...": tokens["access_token"]})
    assert set(given) | set(given["credentials"]) == credentials[1] | {"expires"}
    assert given["credentials"]["clientId"].startswith("local/ann/dashboard.example.com/")
    later = run(server, refresh[0], **{"falconer_rt_...": tokens["refresh_token"]})
    assert set(later) == refresh[1] and later["refresh_token"] != tokens["refresh_token"]

    # Of the other application, which has a secret.
    code = authorized(server, **{"client_id=dashboard": "client_id=reports", urllib.parse.quote("https://dashboard.example.com/callback", safe=""): urllib.parse.quote("https://reports.example.com/oauth/callback", safe="")})
    secret = {"reports:SECRET": f"'reports:{urllib.parse.quote(SECRET, safe='')}'"}
    own = {"code=CODE": f"code={code}", "=VERIFIER": f"={VERIFIER}", "-d client_id=dashboard": f"-u {secret['reports:SECRET']}", "https://dashboard.example.com/callback": "https://reports.example.com/oauth/callback"}
    tokens = run(server, exchange[0], **own)
    worth = run(server, introspect[0], **secret, **{"falconer_at_...": tokens["access_token"]})
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    assert set(run(server, push[0], **secret, CHALLENGE=challenge)) == push[1]
    assert set(worth) == introspect[1] and (worth["active"], worth["client_id"], worth["iss"]) == (True, "reports", server.root_url)


def test_the_steps_of_a_device(server):
    begin, poll = list(calls("device.md"))
    begun = run(server, begin[0])
    assert set(begun) == begin[1]
    assert re.fullmatch(r"[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", begun["user_code"]) and begun["verification_uri"] == f"{server.root_url}/device"
    assert run(server, poll[0], **{"device_code=CODE": f"device_code={begun['device_code']}"})["error"] == "authorization_pending"
