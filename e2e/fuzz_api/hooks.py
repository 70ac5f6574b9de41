"""What schemathesis loads: signing with Hawk, ids of things that exist, and the count of what was tried.

`before_call` lets `requests` sign what it is about to send, byte for byte. The `map_*` hooks are functions of the generated values, of how many people were deleted, linked and unlinked, and of the newest refusals
(whose ids the server draws), so that a seed gives the same run but for those ids.
"""

import atexit
import collections
import hashlib
import itertools
import json
import os
from urllib.parse import urlsplit

import mohawk
import requests.auth
import schemathesis

CREDENTIALS = json.loads(os.environ["FUZZ_CREDENTIALS"])  # null: without
COUNTS = os.environ["FUZZ_COUNTS"]
POOL = json.loads(os.environ["FUZZ_POOL"])  # ids that exist and are not deleted, by the name of the parameter

# The trial methods know one client, with a public key.
TESTER = {"clientId": "tester", "accessToken": "no-secret"}
TRIALS = {"testAuthenticate", "testAuthenticateGet"}
# Those that need an id of their own, and those that are about something that exists.
FRESH = {"createClient": "clientId", "createRole": "roleId", "deleteClient": "clientId", "deleteRole": "roleId", "deleteApplication": "applicationId", "createInitialToken": "initialTokenId", "deleteInitialToken": "initialTokenId", "deleteScopeRegistry": "namespace", "invitePerson": "identity"}
ABOUT_SOMETHING = {
    "client", "updateClient", "resetAccessToken", "resetAccessTokenWithOverlap", "endOldAccessToken", "enableClient", "disableClient", "role", "updateRole",
    "person", "updatePerson", "disablePerson", "enablePerson", "unlockPerson", "signPersonOut", "makeResetLink", "personHistory", "mapPerson", "namePerson", "application", "resetApplicationSecret",
}
# Whoever is deleted is so for good, and who is linked or unlinked is so once, so that there have to be many.
ONCE = {"deletePerson": ("identity", "doomed"), "linkPerson": ("identity", "single"), "unlinkPerson": ("identity", "linked")}

PEOPLE = {
    "invitePerson": lambda body: {"displayName": "Somebody", "groups": ["readers"], "scopes": ["notes:read:*"]},
    "updatePerson": lambda body: {"displayName": f"Somebody {choice(body, 1000)}", "groups": ["readers"][: choice(body, 3)]},
    "linkPerson": lambda body: {"with": POOL["keeper"][choice(body, len(POOL["keeper"]))]},
    "mapPerson": lambda body: {"claims": {"sub": str(choice(body, 1000)), "groups": ["readers"]}},
}


def question(body):
    return {"request": {"method": "get", "resource": "/", "host": "notes.example.com", "port": 443}, "required": f"notes:read:{choice(body, 1000)}"}


# A list of questions is seldom one of questions that can be asked.
USUAL = {
    "checks": lambda body: {"checks": [question(body)] * (1 + choice(body, 16))},
    "createInitialToken": lambda body: {"scopes": ["notes:read:*"], "uses": 1 + choice(body, 5)},
    "putApplication": lambda body: {"name": f"Application {choice(body, 1000)}", "redirectUris": ["https://app.example.com/"], "scopes": ["notes:read:*"], "kind": "confidential"},
}

done_once = collections.defaultdict(itertools.count)
# Ids of refusals, the newest last: a server forgets the old ones.
refusals = collections.deque(maxlen=20)
counts = collections.defaultdict(collections.Counter)


class Hawk(requests.auth.AuthBase):
    def __init__(self, credentials):
        self.credentials = {"id": credentials["clientId"], "key": credentials["accessToken"], "algorithm": "sha256"}

    def __call__(self, request):
        kind = request.headers.get("Content-Type") or ""
        kind = kind.decode("latin-1") if isinstance(kind, bytes) else kind
        is_json = kind.split(";")[0].strip().lower() == "application/json"
        content = (request.body or b"") if is_json else b""
        if isinstance(content, str):
            content = content.encode()
        # A body that Falconer does not read is not signed.
        signed = {"content": content, "content_type": "application/json"} if content else {"always_hash_content": False}
        sender = mohawk.Sender(self.credentials, request.url, request.method, **signed)
        request.headers["Authorization"] = sender.request_header
        return request


def operation_of(context_or_case):
    operation = context_or_case.operation
    return operation.definition.raw["operationId"]


@schemathesis.hook
def before_call(context, case, kwargs):
    if CREDENTIALS is None:
        return
    # What was generated as a header would stand in the way of the real one.
    if case.headers:
        for name in [name for name in case.headers if name.lower() == "authorization"]:
            del case.headers[name]
    kwargs["auth"] = Hawk(TESTER if operation_of(case) in TRIALS else CREDENTIALS)


@schemathesis.hook
def after_call(context, case, response):
    # A method that the operation does not have is no call of it.
    if case.method.upper() == case.operation.method.upper():
        counts[operation_of(case)][response.status_code] += 1
    else:
        counts["another HTTP method"][response.status_code] += 1
    # The answer of check names it; others have a header.
    named = response.headers.get("falconer-refusal")
    if operation_of(case) == "check" and case.method.upper() == "POST" and response.status_code == 200:
        named = response.json().get("id")
    if named:
        refusals.append(named[0] if isinstance(named, list) else named)


def choice(values, among):
    """The same number for the same values."""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True, default=repr).encode()).digest()
    return int.from_bytes(digest[:4], "big") % among


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if not isinstance(path_parameters, dict):
        return path_parameters
    if operation_of(context) == "explain" and refusals and choice(path_parameters, 2):
        return {**path_parameters, "refusalId": refusals[choice(path_parameters, len(refusals))]}
    if operation_of(context) in ONCE and choice(path_parameters, 4):
        name, pool = ONCE[operation_of(context)]
        return {**path_parameters, name: POOL[pool][next(done_once[pool]) % len(POOL[pool])]}
    if operation_of(context) == "refreshPerson" and choice(path_parameters, 4):
        return {**path_parameters, "identity": POOL["askable"][choice(path_parameters, len(POOL["askable"]))]}
    if operation_of(context) not in ABOUT_SOMETHING:
        return path_parameters
    for name, ids in POOL.items():
        if name in path_parameters:
            number = choice(path_parameters, 2 * len(ids))
            if number < len(ids):
                path_parameters = {**path_parameters, name: ids[number]}
    return path_parameters


@schemathesis.hook
def map_case(context, case):
    """Generated ids repeat with other bodies, which is a conflict: half of them get an end that goes with the body. Most links are not to be mailed."""
    name = FRESH.get(operation_of(case))
    values = [case.path_parameters, case.body]
    if name and isinstance(case.path_parameters, dict) and isinstance(case.path_parameters.get(name), str) and (choice(values, 2) or name == "identity"):
        case.path_parameters = {**case.path_parameters, name: f"{case.path_parameters[name]}-{choice(values, 10**6)}"}
        if name == "identity":
            # Only local accounts can be invited; parameters are encoded by now.
            case.path_parameters = {**case.path_parameters, name: f"local%2Fp{choice(values, 10**6)}"}
    # What is said has to be of the namespace, and there is a bound of these.
    if operation_of(case) == "putScopeRegistry" and isinstance(case.path_parameters, dict) and isinstance(case.body, dict) and choice(values, 2):
        namespace = f"service-{choice(values, 20)}"
        case.path_parameters = {**case.path_parameters, "namespace": namespace}
        case.body = {"scopes": [{"template": f"{namespace}:read:<book>", "sentence": f"Read the book <book>, page {choice(values, 1000)}"}]}
    # No mail server is configured, so that what is to be mailed is refused.
    if isinstance(case.query, dict) and "mail" in case.query and choice(values, 4):
        case.query = {key: value for key, value in case.query.items() if key != "mail"}
    return case


@schemathesis.hook
def map_query(context, query):
    """A generated continuation token is never one that was given out: half of the time there is none."""
    if isinstance(query, dict) and "continuationToken" in query and choice(query, 2):
        return {key: value for key, value in query.items() if key != "continuationToken"}
    return query


@schemathesis.hook
def map_body(context, body):
    """Half of the trials require what the pretended client has. Most of what is said of people can be: what is generated is seldom a name, a group or an address."""
    if operation_of(context) in PEOPLE and isinstance(body, dict) and choice(body, 4):
        return PEOPLE[operation_of(context)](body)
    if operation_of(context) in USUAL and isinstance(body, dict) and choice(body, 2):
        return USUAL[operation_of(context)](body)
    if operation_of(context) == "testAuthenticate" and isinstance(body, dict) and isinstance(body.get("clientScopes"), list) and choice(body, 2):
        return {**body, "requiredScopes": body["clientScopes"][:3]}
    return body


@atexit.register
def write():
    with open(COUNTS, "w") as file:
        json.dump({name: dict(by_status) for name, by_status in counts.items()}, file)
