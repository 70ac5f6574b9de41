"""What runs each block of code that the documentation prints: a page, or a block, of which nobody knows fails here."""

import pathlib
import re

import pytest

REPOSITORY = pathlib.Path(__file__).parents[3]

HERE = "e2e/clients/python/test_pages.py"
# Reads every page: JSON is JSON, options exist, links lead somewhere.
DOCS = "crates/falconer/tests/commands/docs.rs"
SDK = "sdk/js/test/docs.test.mjs"
NODE = "sdk/js/test/docs-node.test.mjs"
PYTHON = "sdk/python/tests/test_docs.py"
GO = "sdk/go/tests/docs_test.go"
RUST = "crates/middleware/tests/page.rs"
GATEWAY = "e2e/gateway/test_page.py"
PROXY = "e2e/clients/python/test_proxy.py"


class Not(str):
    """Why a block is run by nobody as it is printed."""


OUTPUT = Not("what a command prints; the test of the command compares it or looks at its parts")
JSON = DOCS
SIGNED_IN = Not("opens a browser: crates/falconer/tests/commands/signin.rs runs `falconer signin`, and e2e/browser/clients.test.mjs presses Grant")

# In the order in which the blocks are printed.
PAGES = {
    "README.md": [HERE, HERE, HERE, HERE, HERE, HERE],
    "docs/README.md": [],
    "docs/administration.md": [],
    "docs/agents.md": ["e2e/clients/python/test_mcp.py", "e2e/clients/python/test_more.py"],
    "docs/attack.md": ["e2e/attack/test_page.py", "e2e/attack/test_page.py", Not("needs a service whose Falconer is away: e2e/attack/test_ends.py gives the option")],
    "docs/auditing.md": [HERE, Not("needs PostgreSQL and its own client, `psql`")],
    "docs/backend.md": [HERE, RUST, DOCS, HERE, JSON, DOCS, HERE, HERE, Not("what is hashed, which vectors/payload-hash.json has for every kit"), JSON, HERE, Not("the program of crates/client/README.md, which is built with the crate's tests"), Not("headers of answers, which vectors/ours/scenarios.json has for every kit")],
    "docs/command-line.md": [Not("a person presses Grant: crates/falconer/tests/commands/session.rs and e2e/browser/session.test.mjs do it")],
    "docs/compatibility.md": [],
    "docs/configuration.md": [DOCS],
    "docs/device.md": ["e2e/clients/python/test_oauth_pages.py"],
    "docs/events.md": [OUTPUT, HERE, DOCS, SDK],
    "docs/frontend.md": [SDK, SDK, SDK, SDK, HERE, Not("integrity needs a browser: crates/web/tests/pages/pages.rs compares the hash"), SDK, SDK, SDK],
    "docs/gateway.md": [GATEWAY] * 10,
    "docs/getting-started.md": [
        Not("builds Falconer for minutes: `cargo xtask bench` does it with the same profile"), HERE, HERE, HERE, GATEWAY, GATEWAY, GATEWAY, HERE, HERE, HERE, HERE, HERE, HERE, SIGNED_IN, HERE, HERE,
    ],
    "docs/go.md": [GO, GO, GO],
    "docs/grants.md": [HERE, DOCS, Not("needs credentials: crates/falconer/tests/cli_user/scope_registry.rs runs the commands"), DOCS],
    "docs/metrics.md": [HERE, Not("lines for Prometheus: e2e/monitoring/test_monitoring.py runs one with the alerts of the page")],
    "docs/migration.md": [HERE, HERE, HERE, HERE, HERE, HERE],
    "docs/node.md": [HERE, *[NODE] * 7],
    "docs/oauth.md": ["e2e/clients/python/test_oauth_pages.py", Not("needs credentials: crates/falconer/tests/cli_user/application.rs runs the commands"), DOCS, JSON, "e2e/clients/python/test_oauth_pages.py", DOCS, JSON, "e2e/clients/node/signed-tokens.test.mjs", "e2e/clients/python/test_oauth_pages.py"],
    "docs/openid-connect.md": [DOCS, "e2e/relying-parties/oauth2-proxy.test.mjs", "e2e/clients/node/openid.test.mjs"],
    "docs/operation.md": [
        HERE, HERE, HERE, HERE, HERE, Not("needs PostgreSQL: crates/falconer/tests/commands/migrate.rs runs `falconer migrate`"),
        Not("makes a user of PostgreSQL, as its administrator"), Not("needs PostgreSQL: crates/falconer/tests/databases/postgres.rs serves from it"), Not("a line of the log, which crates/web/src/http/log.rs writes and tests"),
    ],
    "docs/people.md": [HERE],
    "docs/performance.md": [Not("measures, for minutes: people run sdk/js/test/timing.mjs on a quiet machine"), Not("measures memory with a large directory, as benches/people.sql makes it")],
    "docs/providers.md": ["crates/falconer/tests/commands/providers.rs"] * 15,
    "docs/proxy.md": [PROXY] * 2 + ["e2e/clients/node/proxy.test.mjs", PROXY],
    "docs/python.md": [Not("fetches FastAPI and uvicorn from PyPI: the tests of sdk/python run with both installed"), *[PYTHON] * 6],
    "docs/scaling.md": [HERE, Not("needs PostgreSQL and pgbouncer: crates/falconer/tests/nodes/cluster.rs runs several servers"), HERE],
    "docs/scim.md": [HERE],
    "docs/scopes.md": [HERE, HERE, HERE, JSON, JSON],
    "docs/service.md": [
        Not("makes a user of the machine, as root"), Not("needs systemd"), Not("needs systemd, as root"), Not("needs that user, as root"), Not("needs a builder of images; its variables: crates/falconer/tests/commands/docs.rs"),
        Not("needs Kubernetes; its variables: crates/falconer/tests/commands/docs.rs"),
    ],
    "docs/services.md": [JSON, "e2e/clients/tcadmin/test_tcadmin.py"],
    "docs/reference/auth.md": [JSON] * 8,
    "docs/reference/falconer.md": [JSON] * 17,
    "docs/reference/oauth-refusals.md": [],
    "docs/reference/openid-conformance.md": [],
}


def pages():
    """Every page but the records of decisions, which tell of one day."""
    found = [path.relative_to(REPOSITORY) for path in [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]]
    return sorted(str(path) for path in found if path.parts[:2] != ("docs", "adr"))


def test_every_page_is_known():
    assert sorted(PAGES) == pages()


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_or_says_why_not(page):
    text = (REPOSITORY / page).read_text()
    assert len(PAGES[page]) == len(re.findall(r"^```", text, re.M)) / 2, f"{page} has another number of blocks: say who runs each"
    for runner in PAGES[page]:
        if isinstance(runner, Not):
            named = re.findall(r"(?:crates|e2e|sdk|vectors|benches)/[\w./-]*\w", runner)
            assert all((REPOSITORY / name).exists() for name in named), runner
        else:
            source = (REPOSITORY / runner).read_text()
            assert runner == DOCS or pathlib.Path(page).name in source, f"{runner} does not name {page}"
