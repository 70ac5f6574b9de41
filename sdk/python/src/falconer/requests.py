"""requests: `requests.get(url, auth=HawkAuth(credentials))` signs calls to any service."""

from __future__ import annotations

from typing import Any

import requests
from requests.auth import AuthBase

from ._errors import CredentialsError
from ._signing.signer import Signer

__all__ = ["HawkAuth"]

PING_SECONDS = 10


class HawkAuth(Signer, AuthBase):
    """Signs each request with its body. Where requests follows a redirect, the signature does not go along: it was for another address."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self._sign(request)
        request.register_hook("response", self._answered)  # type: ignore[no-untyped-call]
        return request

    def _sign(self, request: requests.PreparedRequest) -> None:
        body = request.body or b""
        if not isinstance(body, (str, bytes)):
            if self._payload_hash:
                raise CredentialsError("A body that is sent as a stream cannot be signed beforehand: read it first, or use HawkAuth(payload_hash=False).")
        data = body.encode() if isinstance(body, str) else body
        kind = request.headers.get("Content-Type", "")
        method, url = str(request.method), str(request.url)
        request.headers["Authorization"] = self.authorization(method, url, _text(kind), data)

    def _answered(self, answer: requests.Response, **settings: Any) -> requests.Response:
        first = answer.request
        if answer.status_code == 401 and "Authorization" in first.headers and isinstance(first.body, (str, bytes, type(None))) and self._learn(settings):
            answer = self._again(answer, settings)
        if answer.is_redirect:
            for request in (first, answer.request):
                request.headers.pop("Authorization", None)
        return answer

    def _learn(self, settings: dict[str, Any]) -> bool:
        ping = self._ping()
        if ping is None:
            return False
        kept = {name: settings[name] for name in ("verify", "cert", "proxies") if name in settings}
        try:
            told = requests.get(ping, timeout=PING_SECONDS, allow_redirects=False, **kept)
        except requests.RequestException:
            return False
        return told.status_code == 200 and self._clock.learn(told.headers.get("Date"))

    def _again(self, answer: requests.Response, settings: dict[str, Any]) -> requests.Response:
        # So that the connection can be used again.
        answer.content  # noqa: B018
        answer.close()
        request = answer.request.copy()
        self._sign(request)
        second = answer.connection.send(request, **settings)
        second.history.append(answer)
        second.request = request
        return second


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
