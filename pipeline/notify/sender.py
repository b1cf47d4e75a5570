"""Sender: one POST, whose every ending is an answer."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self

import aiohttp
from yarl import URL

from config.endpoints import Endpoint
from config.retry_after import retry_after
from pipeline.notify.request import Request
from pipeline.notify.retry import Answer, Ending, of_status
from pipeline.watch.render import clean

ANSWER_BYTES = 2048
DETAIL = 200
CONNECTIONS = 100
# In this order: a later class is a parent of an earlier one.
_ENDINGS: tuple[tuple[type[BaseException], Ending], ...] = (
    (TimeoutError, Ending.TIMEOUT),
    (aiohttp.ClientSSLError, Ending.TLS_ERROR),
    (ssl.SSLError, Ending.TLS_ERROR),
    (aiohttp.ClientResponseError, Ending.BAD_RESPONSE),
    (aiohttp.ClientPayloadError, Ending.BAD_RESPONSE),
    (aiohttp.ClientConnectionError, Ending.CONNECT_ERROR),
    (OSError, Ending.CONNECT_ERROR),
)


class Sender:
    """Posts to receivers; use it as an async context manager. It follows no redirect, and keeps no cookie."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": f"Brinkwatch/{version('brinkwatch')}"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, endpoint: Endpoint, request: Request, timeout_s: float) -> Answer:
        """POST once, in ``timeout_s`` seconds at most. Never raises for what the other side does."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._post(endpoint, request)
        except (Exception, TimeoutError) as error:  # noqa: BLE001  a library's surprise must not stop other receivers
            return _failed(error)

    async def _post(self, endpoint: Endpoint, request: Request) -> Answer:
        if self._session is None:
            raise RuntimeError("Sender used outside of its context")
        headers = {**request.headers, "Content-Type": request.content_type}
        async with self._session.post(
            _address(endpoint.url, request.path), data=request.body, headers=headers, allow_redirects=False
        ) as response:
            said = await response.content.read(ANSWER_BYTES)
            ending = of_status(response.status)
            wait_s = 0.0 if ending is Ending.OK else retry_after(_header(response, "Retry-After"), datetime.now(UTC))
            return Answer(ending, wait_s, _detail(response.status, said, is_secret=endpoint.is_secret))


def _address(url: str, path: str) -> URL:
    """The address with ``path`` added; what is clean is taken as it is, for quoting anew would break a token."""
    text = url.rstrip("/") + path if path else url
    return URL(text, encoded=text.isascii() and text.isprintable() and " " not in text)


def _header(response: aiohttp.ClientResponse, name: str) -> str:
    return response.headers.get(name, "")


def _detail(status: int, said: bytes, *, is_secret: bool) -> str:
    """The status, and what was answered, unless the address is secret: many an error page repeats it."""
    words = "" if is_secret else clean(said.decode("utf-8", "replace"), DETAIL)
    return f"HTTP {status}: {words}".rstrip(": ")


def _failed(error: Exception) -> Answer:
    """The ending of an exception, whose own text may hold the address."""
    ending = next((ending for kind, ending in _ENDINGS if isinstance(error, kind)), Ending.BAD_RESPONSE)
    why = getattr(error, "strerror", None)
    return Answer(ending, detail=clean(f"{type(error).__name__}: {why}" if why else type(error).__name__, DETAIL))
