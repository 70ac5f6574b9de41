#!/usr/bin/env python3
"""Prints the changes of clients and roles of a Falconer, one JSON object a line: see docs/events.md.

Credentials come from the environment, as those of the published clients do: TASKCLUSTER_ROOT_URL, TASKCLUSTER_CLIENT_ID, TASKCLUSTER_ACCESS_TOKEN, and
TASKCLUSTER_CERTIFICATE with temporary credentials. Only the standard library is needed.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def hawk(url, client_id, access_token, certificate=None):
    """The Authorization header of a GET."""
    parts = urllib.parse.urlsplit(url)
    resource = parts.path + ("?" + parts.query if parts.query else "")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    ext = base64.b64encode(json.dumps({"certificate": json.loads(certificate)}).encode()).decode() if certificate else ""
    ts, nonce = int(time.time()), secrets.token_urlsafe(6)
    signed = f"hawk.1.header\n{ts}\n{nonce}\nGET\n{resource}\n{parts.hostname}\n{port}\n\n{ext}\n"
    mac = base64.b64encode(hmac.new(access_token.encode(), signed.encode(), hashlib.sha256).digest()).decode()
    header = f'Hawk id="{client_id}", ts="{ts}", nonce="{nonce}", mac="{mac}"'
    return header + (f', ext="{ext}"' if ext else "")


def follow(root_url, client_id, access_token, certificate=None, last_id=None):
    """Yields (id, name, data) of each event for ever. Raises urllib.error.HTTPError where the server refuses."""
    url = root_url + "/api/falconer/v1/events"
    while True:
        request = urllib.request.Request(url, headers={"Authorization": hawk(url, client_id, access_token, certificate)})
        if last_id:
            request.add_header("Last-Event-ID", last_id)
        try:
            # Three heartbeats: whoever is silent for longer is gone.
            with urllib.request.urlopen(request, timeout=45) as answer:
                name = data = None
                for line in answer:
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field == "id":
                        last_id = value
                    elif field == "event":
                        name = value
                    elif field == "data":
                        data = json.loads(value)
                    elif not field and data:
                        yield last_id, name, data
                        name = data = None
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise
        except OSError:
            pass  # It can't be reached at present, or the connection broke.
        time.sleep(1)


if __name__ == "__main__":
    given = os.environ
    try:
        for event in follow(
            given["TASKCLUSTER_ROOT_URL"].rstrip("/"),
            given["TASKCLUSTER_CLIENT_ID"],
            given["TASKCLUSTER_ACCESS_TOKEN"],
            given.get("TASKCLUSTER_CERTIFICATE"),
            sys.argv[1] if len(sys.argv) > 1 else None,
        ):
            print(json.dumps(event), flush=True)
    except urllib.error.HTTPError as refused:
        sys.exit(f"{refused.code}: {refused.read().decode()}")
    except KeyboardInterrupt:
        pass
