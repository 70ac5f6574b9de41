"""The alerts and the dashboard of docs/monitoring, on a real Prometheus that scrapes two real servers."""

import json
import pathlib
import re
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from falconer_server import PATIENCE, Server, clean_environment, held_port

DOCS = pathlib.Path(__file__).parents[2] / "docs"
ALERTS = DOCS / "monitoring/alerts.yml"
# Families of people are there where what they count is configured; `docs/metrics.md` names them.
OF_PEOPLE = {"falconer_sign_ins_total", "falconer_refreshes_total", "falconer_refresh_age_seconds", "falconer_scim_changes_total", "falconer_mails_total"}


def queries():
    """All that the dashboard asks, as it is with everything chosen."""
    panels = json.loads((DOCS / "monitoring/dashboard.json").read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    assert len(found) > 30
    return [query.replace("$__rate_interval", "1m").replace("$job", "falconer").replace("$instance", ".*") for query in found]


def names(text):
    return set(re.findall(r"\b(?:falconer|process)_[a-z_]+", text))


class Prometheus:
    """A real Prometheus with the alerts of the documentation, whose `for` is over at once."""

    def __init__(self, folder, targets):
        rules = re.sub(r"\bfor: \w+", "for: 0s", ALERTS.read_text())
        (folder / "alerts.yml").write_text(rules)
        scraped = {"job_name": "falconer", "static_configs": [{"targets": targets}]}
        each = {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"}
        # JSON is YAML.
        (folder / "prometheus.yml").write_text(json.dumps({"global": each, "rule_files": ["alerts.yml"], "scrape_configs": [scraped]}))
        address = f"127.0.0.1:{held_port()}"
        self.url, self.log = f"http://{address}", folder / "prometheus.log"
        command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]
        self.process = subprocess.Popen(command, stdout=self.log.open("w"), stderr=subprocess.STDOUT, env=clean_environment())

    def ask(self, path, **query):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=PATIENCE) as answer:
            said = json.load(answer)
        assert said["status"] == "success", said
        return said["data"]

    def wait_for(self, what, path, is_so, **query):
        """What the answer is once it is so."""
        deadline, last = time.monotonic() + PATIENCE, None
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                last = self.ask(path, **query)
            except OSError as error:
                last = error
            else:
                if is_so(last):
                    return last
            time.sleep(0.05)
        raise AssertionError(f"{what} did not come within {PATIENCE:.0f} s: {last}\n{self.log.read_text()}")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0


@pytest.fixture
def servers(tmp_path):
    running = {}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        address = f"127.0.0.1:{held_port()}"
        running[address] = Server(tmp_path / name, settings={"FALCONER_METRICS_LISTEN": address})
    yield running
    for server in running.values():
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def prometheus(tmp_path, servers):
    running = Prometheus(tmp_path, list(servers))
    yield running
    running.stop()


def test_a_server_that_has_ended_is_told_and_every_question_has_an_answer(prometheus, servers):
    for server in servers.values():
        with urllib.request.urlopen(f"{server.root_url}/api/auth/v1/ping", timeout=PATIENCE) as answer:
            assert answer.status == 200
    both_seen = lambda data: len(data["result"]) == 2  # noqa: E731
    prometheus.wait_for("both servers", "query", both_seen, query='falconer_requests_total{method="ping",status="2xx"} > 0')
    down = lambda data: {(a["labels"]["instance"], a["state"]) for a in data["alerts"] if a["labels"]["alertname"] == "FalconerDown"}  # noqa: E731
    assert down(prometheus.ask("alerts")) == set()

    # What is asked for is there, by the names under which Prometheus keeps it.
    there = set(prometheus.ask("label/__name__/values"))
    asked = queries()
    wanted = names(ALERTS.read_text()) | set().union(*map(names, asked))
    assert wanted - there <= OF_PEOPLE and wanted & there, sorted(wanted - there)
    documented = (DOCS / "metrics.md").read_text()
    assert all(name in documented for name in OF_PEOPLE)
    for query in asked:
        # Nobody has signed in, was verified, or met an error: of these it is only seen that they can be asked.
        may_be_empty = names(query) & OF_PEOPLE or 'method="authenticateHawk"' in query or 'status="5xx"' in query
        # A rate takes two looks at the servers.
        prometheus.wait_for(query, "query", lambda data: data["result"] or may_be_empty, query=query)
    rules = prometheus.ask("rules")["groups"][0]["rules"]
    assert rules and all(rule["health"] != "err" for rule in rules), rules

    # Two databases are two histories, which one job must not have.
    histories = lambda data: any(a["labels"]["alertname"] == "FalconerTwoHistories" and a["state"] == "firing" for a in data["alerts"])  # noqa: E731
    prometheus.wait_for("FalconerTwoHistories", "alerts", histories)

    address, server = next(iter(servers.items()))
    server.stop()
    prometheus.wait_for("FalconerDown", "alerts", lambda data: down(data) == {(address, "firing")})


def test_every_alert_is_tried_and_says_what_to_do():
    ran = subprocess.run(["promtool", "test", "rules", "alerts_test.yml"], cwd=ALERTS.parent, capture_output=True, text=True, timeout=PATIENCE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    ran = subprocess.run(["promtool", "check", "rules", "--lint-fatal", ALERTS.name], cwd=ALERTS.parent, capture_output=True, text=True, timeout=PATIENCE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rules, tests = ALERTS.read_text(), (ALERTS.parent / "alerts_test.yml").read_text()
    found = re.findall(r"- alert: (\w+)", rules)
    headings = re.findall(r"^### (\w+)$", (DOCS / "operation.md").read_text(), re.MULTILINE)
    assert len(found) > 10 and len(set(found)) == len(found)
    for alert in found:
        assert f"'{alert}: fires'" in tests and f"'{alert}: does not fire'" in tests, alert
        assert f"do: docs/operation.md#{alert.lower()}\n" in rules and alert in headings, alert
    for part in ("for: ", "severity: ", "summary: "):
        assert rules.count(part) == len(found), part
