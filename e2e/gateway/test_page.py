"""docs/gateway.md, and the proxies of docs/getting-started.md: its examples are accepted, its keys are those that there are, and no proxy takes more than ten lines."""

import os
import re
import subprocess

import pytest
from falconer_server import BIN, PATIENCE, clean_environment, held_port
from proxies import PAGE, PROGRAMS, REPOSITORY, TITLES, snippet


def gateway(*arguments):
    return subprocess.run([BIN, "gateway", *arguments], capture_output=True, text=True, env=clean_environment(), timeout=PATIENCE)


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("proxy", TITLES)
def test_ten_lines_are_enough(proxy):
    """The same lines run in every other test here."""
    lines = [line for line in snippet(proxy).splitlines() if line.strip()]
    assert 1 <= len(lines) <= 10, lines


def test_the_rules_and_their_cases(tmp_path):
    rules, cases = blocks("toml")
    (tmp_path / "gateway.toml").write_text(rules)
    (tmp_path / "cases.toml").write_text(cases)
    checked = gateway("check", str(tmp_path / "gateway.toml"))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "/books/{book}" in checked.stdout
    tried = gateway("test", str(tmp_path / "gateway.toml"), str(tmp_path / "cases.toml"))
    assert (tried.returncode, tried.stdout) == (0, "3 cases came out as they say.\n"), tried.stderr


def test_the_table_names_every_key(tmp_path):
    (tmp_path / "gateway.toml").write_text("no_such_key = 1\n")
    said = gateway("check", str(tmp_path / "gateway.toml")).stderr
    known = set(re.findall(r"`(\w+)`", said.split("expected one of", 1)[1])) - {"rule"}
    table = PAGE.split("| key | if not given | meaning |", 1)[1].split("\n\n", 1)[0]
    assert known == {name.strip("[]") for name in re.findall(r"^\| `([^`]+)` \|", table, re.M)}


def test_the_example_has_the_lines_of_the_page():
    """Without the service behind, of which a static site has none."""
    example = [line.strip() for line in (REPOSITORY / "examples/static-site/nginx.conf").read_text().splitlines()]
    lines = [line.strip() for line in snippet("nginx").splitlines()]
    left_out = [line for line in lines if line not in example]
    assert left_out == ["auth_request_set $caller $upstream_http_falconer_caller;", "proxy_set_header Falconer-Caller $caller;", "proxy_pass http://127.0.0.1:8080;"]


def test_proxies_in_front_of_falconer(tmp_path):
    """What docs/getting-started.md prints for nginx and Caddy is accepted by them."""
    page = re.findall(r"^```\n(.*?)^```$", (REPOSITORY / "docs/getting-started.md").read_text(), re.M | re.S)
    [nginx] = [block for block in page if block.startswith("server {")]
    [form] = [block for block in page if block.startswith("log_format")]
    [caddy] = [block for block in page if "reverse_proxy" in block]
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=auth.example.com"]
    subprocess.run([*certificate, "-keyout", tmp_path / "auth.key", "-out", tmp_path / "auth.pem"], check=True, capture_output=True, timeout=PATIENCE)
    lines = nginx.replace("listen 443", f"listen 127.0.0.1:{held_port()}").replace("/etc/ssl", str(tmp_path)).replace("/var/log/nginx", str(tmp_path))
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ {form} {lines} }}")
    (tmp_path / "Caddyfile").write_text(caddy)
    for command in (["nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"], [PROGRAMS / "caddy", "validate", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"]):
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)}, timeout=PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
