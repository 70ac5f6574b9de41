"""httpx: `httpx.Client(auth=HawkAuth(credentials))` and `httpx.AsyncClient(auth=...)` sign calls to any service."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import httpx

from ._signing.signer import Signer

__all__ = ["HawkAuth"]

PING_SECONDS = 10


class HawkAuth(Signer, httpx.Auth):
    """Signs each request with its body. httpx sends a signature to no other origin where it follows redirects; it follows none unless told."""

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Signs, and once more by Falconer's time where that was why the call was refused."""
        request.read()
        self._sign(request)
        ping = self._why((yield request))
        if ping is None:
            return
        try:
            # Not by the client of the call: should this fail, the caller is owed the first answer.
            told = httpx.get(ping, timeout=PING_SECONDS)
        except httpx.HTTPError:
            return
        if self._learned(told):
            self._sign(request)
            yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The same under asyncio and trio."""
        await request.aread()
        self._sign(request)
        ping = self._why((yield request))
        if ping is None:
            return
        try:
            async with httpx.AsyncClient(timeout=PING_SECONDS) as client:
                told = await client.get(ping)
        except httpx.HTTPError:
            return
        if self._learned(told):
            self._sign(request)
            yield request

    def _why(self, answer: httpx.Response) -> str | None:
        """Where to ask whether a wrong clock is why this is a 401; None where it can't be."""
        return self._ping() if answer.status_code == 401 and not answer.history else None

    def _learned(self, told: httpx.Response) -> bool:
        return told.status_code == 200 and self._clock.learn(told.headers.get("Date"))

    def _sign(self, request: httpx.Request) -> None:
        kind = request.headers.get("Content-Type", "")
        request.headers["Authorization"] = self.authorization(request.method, _url(request.url), kind, request.content)


def _url(url: httpx.URL) -> str:
    """As it goes over the wire."""
    name = url.raw_host.decode("ascii")
    name = f"[{name}]" if ":" in name else name
    port = "" if url.port is None else f":{url.port}"
    return f"{url.scheme}://{name}{port}{url.raw_path.decode('ascii')}"
