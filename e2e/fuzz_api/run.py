"""schemathesis over `/openapi.json` of the real binary: with credentials of a client that may do everything, and without any.

Prints how many cases were tried, how many answers were 5xx or no answer of the document, and the fewest successes of an operation; fails where the figures
are not reached. `FUZZ_EXAMPLES` sets how many cases each phase generates for an operation, `FUZZ_SEED` the seed.
"""

import json
import http.client
import http.server
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

import mohawk
import openapi_spec_validator
import taskcluster

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
from falconer_server import PATIENCE, root_url_of  # noqa: E402

BIN = os.environ["FALCONER_BIN"]
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "36")
SEED = os.environ.get("FUZZ_SEED", "1")
CASES = 5000
SUCCESSES = 20
MOST_MORE = 4
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"


def clean_environment():
    return {k: v for k, v in os.environ.items() if not re.match(r"(FALCONER|TASKCLUSTER|SCHEMATHESIS)_", k)}


class Server:
    def __init__(self, folder):
        data = str(pathlib.Path(folder) / "data")
        made = subprocess.run([BIN, "init", "--data-dir", data, "--json"], check=True, capture_output=True, text=True, env=clean_environment(), timeout=PATIENCE)
        init = json.loads(made.stdout)
        self.credentials = {"clientId": init["clientId"], "accessToken": init["accessToken"]}
        self.github = GitHub()
        # Nobody asks the first provider anything: it is there for what somebody would get from it.
        config = pathlib.Path(folder) / "falconer.toml"
        config.write_text(f'[[provider]]\nkind = "github"\nname = "git"\nurl = "{self.github.url}"\nclient_id = "falconer"\nclient_secret = "a secret of the trial"\nrefresh = "1 day"\n' + '[[provider]]\nkind = "oidc"\nname = "company"\nissuer = "http://127.0.0.1:1"\nclient_id = "falconer"\ngroups_claim = "groups"\nscopes = ["assume:company-group:{group}"]\n')
        self.process = subprocess.Popen(
            [BIN, "serve", "--config", str(config), "--data-dir", data, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=clean_environment() | {"FALCONER_WEBSOCKTUNNEL_SECRET": "a secret of the trial"},
        )
        # Ends only what never comes.
        limit = threading.Timer(120, self.process.kill)
        limit.start()
        for line in self.process.stdout:
            match = re.search(r"listening on (\S+)", line)
            if match:
                limit.cancel()
                self.root_url = match.group(1)
                return
        limit.cancel()
        raise RuntimeError("falconer serve ended before it listened")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
        self.github.shutdown()


class GitHub(http.server.ThreadingHTTPServer):
    """As much of GitHub as people sign in and are asked about with: a code is the number of the person, and so is the token."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), GitHubAnswer)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class GitHubAnswer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self):
        fields = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.answer(200, {"access_token": f"gho_{fields['code'][0]}", "token_type": "bearer", "scope": ""})

    def do_GET(self):
        number = self.headers.get("Authorization", "").rpartition("gho_")[2]
        known = number.isdigit() and self.path == "/api/v3/user"
        self.answer(200 if known else 404, {"id": int(number), "login": f"person-{number}", "name": f"Person {number}"} if known else {"message": "Not Found"})

    def log_message(self, *_):
        pass


def fill(server):
    """What the generated calls can be about; its ids by the name of the parameter."""
    auth = taskcluster.Auth({"rootUrl": server.root_url, "credentials": dict(server.credentials)})
    pool = {"clientId": [f"pool/client/{n}" for n in range(4)], "roleId": [f"pool-role-{n}" for n in range(4)]}
    for client_id in pool["clientId"]:
        auth.createClient(client_id, {"expires": "2099-01-01T00:00:00Z", "description": "", "scopes": ["notes:read:*"]})
    for role_id in pool["roleId"]:
        auth.createRole(role_id, {"description": "", "scopes": ["notes:read:*"]})
    pool |= {"askable": [sign_in_with_github(server, number) for number in range(1, 5)]}
    pool |= {"identity": [f"local/pool-{n}" for n in range(4)], "doomed": [f"local/doomed-{n}" for n in range(200)], "provider": ["company"]}
    # A person has at most twenty identities.
    pool |= {"keeper": [f"local/keeper-{n}" for n in range(20)], "single": [f"local/single-{n}" for n in range(120)], "linked": [f"local/linked-{n}" for n in range(120)]}
    for identity in pool["identity"] + pool["doomed"] + pool["keeper"] + pool["single"] + pool["linked"]:
        call(server, "PUT", identity, "", {"displayName": identity})
    for number, identity in enumerate(pool["linked"]):
        call(server, "POST", identity, "/link", {"with": pool["keeper"][number % len(pool["keeper"])]})
    pool |= {"applicationId": [f"pool-{n}" for n in range(4)]}
    for name in pool["applicationId"]:
        send(server, "PUT", f"applications/{name}", {"name": name, "redirectUris": ["https://app.example.com/"], "scopes": ["notes:read:*"], "kind": "confidential"})
    return pool


def sign_in_with_github(server, number):
    """As a browser that is sent away and comes back; the identity that is there from then on."""
    where = urllib.parse.urlsplit(server.root_url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=PATIENCE)
    connection.request("GET", "/login/git")
    away = connection.getresponse()
    away.read()
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(away.headers["Location"]).query)["state"][0]
    cookie = away.headers["Set-Cookie"].split(";")[0]
    connection.request("GET", f"/login/git/callback?{urllib.parse.urlencode({'code': number, 'state': state})}", headers={"Cookie": cookie})
    back = connection.getresponse()
    back.read()
    assert back.status == 303, f"{back.status}: nobody was signed in"
    return f"git/{number}"


def call(server, method, identity, below, body):
    send(server, method, f"people/{urllib.parse.quote(identity, safe='')}{below}", body)


def send(server, method, path, body):
    """Published clients do not know Falconer's own methods."""
    url = f"{server.root_url}/api/falconer/v1/{path}"
    content = json.dumps(body)
    credentials = {"id": server.credentials["clientId"], "key": server.credentials["accessToken"], "algorithm": "sha256"}
    sender = mohawk.Sender(credentials, url, method, content=content, content_type="application/json")
    request = urllib.request.Request(url, content.encode(), {"Authorization": sender.request_header, "Content-Type": "application/json"}, method=method)
    urllib.request.urlopen(request, timeout=PATIENCE).close()


def run(server, folder, mode, credentials, pool, exempt, seed=SEED, only=()):
    counts = pathlib.Path(folder) / f"{mode}.json"
    env = clean_environment() | {
        "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
        "FUZZ_CREDENTIALS": json.dumps(credentials), "FUZZ_POOL": json.dumps(pool), "FUZZ_COUNTS": str(counts),
    }
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "--config-file", str(HERE / "schemathesis.toml"), "run",
        f"{server.root_url}/openapi.json",
        "--checks", CHECKS, "--seed", seed, "--max-examples", EXAMPLES, "--workers", "1", "--continue-on-failure", "--no-color", "--no-shrink",
        # How fast cases are made is of the machine, and how large they are of what was answered before. Whether enough were tried is counted here.
        "--suppress-health-check", "too_slow,data_too_large",
        "--generation-with-security-parameters", "false", "--generation-database", "none", "--warnings", "off",
    ]
    for name, why in exempt.items():
        if why.get("skip"):
            command += ["--exclude-operation-id", name]
    for name in only:
        command += ["--include-operation-id", name]
    if only:
        # Sequences of calls need those that lead from one to the next.
        command += ["--phases", "examples,coverage,fuzzing"]
    print(f"\n== {mode}{': ' if only else ''}{', '.join(only)} ==", flush=True)
    done = subprocess.run(command, env=env, cwd=folder)
    tried = json.loads(counts.read_text())
    return done.returncode, {name: {int(status): n for status, n in by.items()} for name, by in tried.items()}


def succeeded(runs, operations):
    return {name: sum(n for _, tried in runs for status, n in tried.get(name, {}).items() if 200 <= status < 300) for name in operations}


def main():
    exempt = json.loads((HERE / "exempt.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            document = json.load(urllib.request.urlopen(f"{server.root_url}/openapi.json", timeout=PATIENCE))
            openapi_spec_validator.validate(document)
            pool = fill(server)
            operations = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
            runs = [
                run(server, folder, "with credentials", server.credentials, pool, exempt),
                run(server, folder, "without credentials", None, pool, exempt),
            ]
            # How many cases are generated that can succeed is chance, and a rare one of many operations is short of some. Those are given more of them.
            for more in range(1, MOST_MORE + 1):
                few = [name for name, n in succeeded(runs, operations).items() if n < SUCCESSES and name not in exempt]
                if not few:
                    break
                seed = str(int(SEED) + more)
                runs.append(run(server, folder, f"with credentials, seed {seed}", server.credentials, pool, {}, seed, few))
        finally:
            server.stop()
    unknown = [name for name in exempt if name not in operations]
    successes = succeeded(runs, operations)
    cases = sum(n for _, tried in runs for by_status in tried.values() for n in by_status.values())
    faults = sum(n for _, tried in runs for by_status in tried.values() for status, n in by_status.items() if status >= 500)
    print(f"\n{'operation':24} successes, and answers by status (with and without credentials)")
    for name in operations:
        both = {}
        for _, tried in runs:
            for status, n in tried.get(name, {}).items():
                both[status] = both.get(status, 0) + n
        mark = f"  ({exempt[name]['reason']})" if name in exempt else ""
        print(f"{name:24} {successes[name]:5}  {' '.join(f'{status}:{n}' for status, n in sorted(both.items()))}{mark}")
    counted = {name: n for name, n in successes.items() if name not in exempt}
    fewest = min(counted, key=counted.get)
    needless = [name for name in exempt if successes[name] >= SUCCESSES]
    print(f"\nschemathesis, seed {SEED}: {cases} cases over both modes (at least {CASES}); {faults} answers of 5xx; "
          f"violations: {'none' if all(code == 0 for code, _ in runs) else 'see above'}; "
          f"fewest successes of {len(counted)} operations: {counted[fewest]} of {fewest} (at least {SUCCESSES}); {len(exempt)} operations exempt")
    problems = []
    if any(code != 0 for code, _ in runs):
        problems.append("schemathesis found violations")
    if faults:
        problems.append(f"{faults} answers of 5xx")
    if cases < CASES:
        problems.append(f"{cases} cases are fewer than {CASES}")
    problems += [f"{name} succeeded {n} times, fewer than {SUCCESSES}" for name, n in counted.items() if n < SUCCESSES]
    problems += [f"exempt.json names {name}, which is no operation" for name in unknown]
    problems += [f"exempt.json names {name}, which succeeds often enough: take it out" for name in needless]
    if problems:
        sys.exit("\n".join(problems))


main()
