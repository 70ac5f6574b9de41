"""The way to Falconer: connections that are kept, an end of the time, answers of a bounded size. Redirects are not followed."""

from __future__ import annotations

import os
import threading
import time

import anyio
import anyio.lowlevel
import httpx

from .question import Strange

LARGEST_ANSWER = 16 * 1024 * 1024
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
# What a kept connection that the other side has closed looks like. The question changes nothing, so that it is asked once more.
BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)


def _limits(timeout: float) -> httpx.Timeout:
    # Who waited for a connection that others hold learned nothing of Falconer: many strangers at once would shut everybody out. So that wait ends first.
    return httpx.Timeout(timeout, pool=timeout / 2)


class Transport:
    """Without asyncio. May be used by many threads, and after a fork: each process has connections of its own."""

    def __init__(self, client: httpx.Client | None, timeout: float) -> None:
        self._given, self._timeout = client, timeout
        self._lock = threading.Lock()
        self._own: tuple[int, httpx.Client] | None = None

    def post(self, url: str, content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer. Raises Strange."""
        try:
            try:
                return self._once(url, content, headers)
            except BROKEN:
                return self._once(url, content, headers)
        except httpx.PoolTimeout as error:
            raise Strange("no connection is free") from error
        except httpx.HTTPError as error:
            raise Strange(f"{type(error).__name__}: {error}", away=True) from error

    def _once(self, url: str, content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        until = time.monotonic() + self._timeout
        request = {"content": content, "headers": HEADERS | headers, "timeout": _limits(self._timeout), "follow_redirects": False}
        with self._client().stream("POST", url, **request) as answer:  # type: ignore[arg-type]
            parts, size = [], 0
            for part in answer.iter_bytes():
                size += len(part)
                if size > LARGEST_ANSWER:
                    raise Strange("its answer is too large")
                if time.monotonic() > until:
                    raise Strange("its answer takes too long", away=True)
                parts.append(part)
            return answer.status_code, b"".join(parts)

    def _client(self) -> httpx.Client:
        if self._given is not None:
            return self._given
        with self._lock:
            if self._own is None or self._own[0] != os.getpid():
                self._own = (os.getpid(), httpx.Client(limits=LIMITS))
            return self._own[1]

    def close(self) -> None:
        """Closes the connections that are kept."""
        with self._lock:
            if self._own is not None:
                self._own[1].close()
                self._own = None


class AsyncTransport:
    """Under asyncio or trio. Each event loop has connections of its own."""

    def __init__(self, client: httpx.AsyncClient | None, timeout: float) -> None:
        self._given, self._timeout = client, timeout
        self._own: anyio.lowlevel.RunVar[httpx.AsyncClient | None] = anyio.lowlevel.RunVar(f"falconer-{id(self)}", None)

    async def post(self, url: str, content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer. Raises Strange."""
        try:
            with anyio.fail_after(self._timeout):
                try:
                    return await self._once(url, content, headers)
                except BROKEN:
                    return await self._once(url, content, headers)
        except TimeoutError as error:
            raise Strange("it takes too long", away=True) from error
        except httpx.PoolTimeout as error:
            raise Strange("no connection is free") from error
        except httpx.HTTPError as error:
            raise Strange(f"{type(error).__name__}: {error}", away=True) from error

    async def _once(self, url: str, content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        request = {"content": content, "headers": HEADERS | headers, "timeout": _limits(self._timeout), "follow_redirects": False}
        async with self._client().stream("POST", url, **request) as answer:  # type: ignore[arg-type]
            parts, size = [], 0
            async for part in answer.aiter_bytes():
                size += len(part)
                if size > LARGEST_ANSWER:
                    raise Strange("its answer is too large")
                parts.append(part)
            return answer.status_code, b"".join(parts)

    def _client(self) -> httpx.AsyncClient:
        if self._given is not None:
            return self._given
        client = self._own.get()
        if client is None:
            client = httpx.AsyncClient(limits=LIMITS)
            self._own.set(client)
        return client

    async def aclose(self) -> None:
        """Closes the connections that this event loop keeps."""
        client = self._own.get()
        if client is not None:
            self._own.set(None)
            await client.aclose()
