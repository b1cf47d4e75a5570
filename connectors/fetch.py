"""Fetcher: one polite GET of a feed, whose every ending is an outcome."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from config.retry_after import retry_after
from connectors import metrics
from connectors.addresses import public_socket
from connectors.decoding import Body, BodyError, TooLargeError, TruncatedError
from connectors.hand import LARGE, SMALL, Hand
from connectors.outcome import Outcome, of_status

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_VALIDATOR = 1024
KEEPALIVE_S = 3.0
"""Long enough for a host's next feed; longer, connections that nobody needs would fill the table of files."""
_CHUNK = 64 * 1024
_SLICE = 512
"""Of a packed body, which may grow a thousandfold, so much is unpacked at once while it is small."""
Grow = Callable[[], contextlib.AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may cost.

    Attributes:
        total_s: Seconds for everything, redirects and a dripping body included.
        connect_s: Seconds for a connection.
        max_bytes: Bytes of the body, unpacked.
        max_redirects: Redirects that are followed.
    """

    total_s: float = 30.0
    connect_s: float = 10.0
    max_bytes: int = 8 * 1024 * 1024
    max_redirects: int = 5


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server gave to recognise an unchanged feed by; sent back byte for byte."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How a GET ended.

    Attributes:
        outcome: The ending; ``ok`` says only that a body came, not that it is a feed.
        status: HTTP status of the last hop; None where there was no answer.
        body: The unpacked body; empty unless the outcome is ``ok``.
        validators: Of the answer, where the outcome is ``ok``.
        final_url: Where the body came from, after redirects.
        content_type: The Content-Type header.
        retry_after_s: Seconds for which the server asks to be left alone; 0 where it does not say.
        fresh_s: Seconds for which the answer counts as fresh (Cache-Control, Expires); 0 where it does not say.
        permanent_url: Where permanent redirects (301, 308) alone have led; empty where there were none.
        links: The Link headers, as they came.
        error: What went wrong, for people; empty where nothing did.
        seconds: How long it took.
    """

    outcome: Outcome
    status: int | None = None
    body: bytes = b""
    validators: Validators = Validators()
    final_url: str = ""
    content_type: str = ""
    retry_after_s: float = 0.0
    fresh_s: float = 0.0
    permanent_url: str = ""
    links: tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0


def user_agent(contact: str = "") -> str:
    """The name under which feeds are polled, with an address (URL or mail) where the operator can be reached."""
    name = f"Brinkwatch/{version('brinkwatch')}"
    return f"{name} (feed reader; +{contact})" if contact else f"{name} (feed reader)"


class Fetcher:
    """Fetches feeds; use it as an async context manager.

    A feed's own host is the operator's choice and may be anywhere, a local network included. Another host, to which a
    publisher redirects, has to have a public address: each kind has its own pool, or a connection that the one may
    have would be used for the other.
    """

    def __init__(self, agent: str, limits: Limits | None = None, *, hand: Hand | None = None) -> None:
        self._agent = agent
        self._limits = limits or Limits()
        self._hand = hand or Hand()
        self._large = asyncio.Semaphore(LARGE)
        self._own: aiohttp.ClientSession | None = None
        self._others: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # The connectors count what is open; how many polls run at once, and how many of one host, is the scheduler's.
        self._own = self._session(aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, keepalive_timeout=KEEPALIVE_S))
        self._others = self._session(
            aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, keepalive_timeout=KEEPALIVE_S, socket_factory=public_socket)
        )
        return self

    def _session(self, connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            requote_redirect_url=False,
            timeout=aiohttp.ClientTimeout(total=self._limits.total_s, connect=self._limits.connect_s),
            headers={"User-Agent": self._agent, "Accept": ACCEPT, "Accept-Encoding": "gzip, deflate"},
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in (self._own, self._others):
            if session is not None:
                await session.close()

    async def fetch(self, url: str, validators: Validators | None = None) -> Fetched:
        """GET ``url``, asking only for what changed since ``validators``. Never raises for what the other side does."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(self._limits.total_s):
                fetched = await self._follow(url, validators or Validators())
        except (Exception, TimeoutError) as error:  # noqa: BLE001  # a library's surprise must not stop the other feeds
            fetched = _failed(error)
        return replace(fetched, seconds=time.monotonic() - start, final_url=fetched.final_url or url)

    async def _follow(self, url: str, validators: Validators) -> Fetched:
        seen: set[str] = set()
        here = first = _http_url(url)
        while True:
            seen.add(str(here))
            answer = await self._get(here, validators, self._own if _same_host(here, first) else self._others)
            if isinstance(answer, Fetched):
                return answer
            try:
                here = _http_url(answer, here)
            except aiohttp.InvalidURL as error:
                return Fetched(Outcome.BAD_URL, error=f"redirected to {error}", final_url=str(here))
            if str(here) in seen or len(seen) > self._limits.max_redirects:
                return Fetched(
                    Outcome.REDIRECT_LOOP, error=f"{len(seen)} redirects, last to {here}", final_url=str(here)
                )

    @contextlib.asynccontextmanager
    async def _grow(self) -> AsyncIterator[None]:
        """A place for a body that is large, where there is room for it."""
        async with self._large:
            await self._hand.room()
            yield

    async def _get(self, url: URL, validators: Validators, session: aiohttp.ClientSession | None) -> Fetched | str:
        """One hop: what it gave, or the address it redirects to."""
        if session is None:
            raise RuntimeError("Fetcher used outside of its context")
        headers = {}
        if validators.etag:
            headers["If-None-Match"] = validators.etag
        if validators.last_modified:
            headers["If-Modified-Since"] = validators.last_modified
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            location = response.headers.get("Location")
            if response.status in REDIRECTS and location:
                return location
            return await _read(response, self._limits.max_bytes, self._grow)


async def _read(response: aiohttp.ClientResponse, limit: int, grow: Grow) -> Fetched:
    fetched = Fetched(
        of_status(response.status),
        status=response.status,
        final_url=str(response.url),
        content_type=response.headers.get("Content-Type", "")[:200],
        retry_after_s=retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC)),
    )
    if fetched.outcome is not Outcome.OK:
        error = "" if fetched.outcome.success else f"HTTP {response.status}"
        return replace(fetched, error=error)
    try:
        body = await _read_body(response, limit, grow)
    except TooLargeError as error:
        return replace(fetched, outcome=Outcome.TOO_LARGE, error=str(error))
    except (TruncatedError, aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, ConnectionError) as error:
        return replace(fetched, outcome=Outcome.TRUNCATED, error=_text(error))
    except BodyError as error:
        return replace(fetched, outcome=Outcome.BAD_RESPONSE, error=str(error))
    if not body.strip(b" \t\r\n\0"):
        return replace(fetched, outcome=Outcome.EMPTY, error="the body is empty")
    return replace(fetched, body=body, validators=_validators(response))


async def _read_body(response: aiohttp.ClientResponse, limit: int, grow: Grow) -> bytes:
    """The body; only a few at once may be large."""
    encoding = response.headers.get("Content-Encoding", "")
    body = Body(encoding, limit)
    received = metrics.FETCHED_BYTES.labels(metrics.Kind.FEED.value)
    large = False
    async with contextlib.AsyncExitStack() as stack:
        async for chunk in response.content.iter_chunked(_CHUNK):
            received.inc(len(chunk))
            at = 0
            while at < len(chunk):
                step = _SLICE if encoding and not large else _CHUNK
                body.feed(chunk[at : at + step])
                at += step
                if body.size > SMALL and not large:
                    await stack.enter_async_context(grow())
                    large = True
        return body.finish()


def _validators(response: aiohttp.ClientResponse) -> Validators:
    return Validators(_echoable(response.headers.get("ETag", "")), _echoable(response.headers.get("Last-Modified", "")))


def _echoable(value: str) -> str:
    """``value`` as it can be sent back unchanged, else nothing: a changed validator is worse than none."""
    try:
        fits = len(value.encode()) <= MAX_VALIDATOR
    except UnicodeEncodeError:  # bytes that are no UTF-8 come as surrogates, which can't be written again
        return ""
    return value if fits and value.isprintable() else ""


def _http_url(target: str, base: URL | None = None) -> URL:
    """``target`` as an absolute URL of http or https.

    Raises:
        aiohttp.InvalidURL: It is none.
    """
    try:
        # What is clean already is taken as it is: quoting it anew would break signed addresses.
        clean = target.isascii() and target.isprintable() and " " not in target
        url = URL(target.strip(), encoded=clean)
        url = url if base is None else base.join(url)
        usable = url.scheme in {"http", "https"} and bool(url.host)
    except ValueError:
        raise aiohttp.InvalidURL(target[:200]) from None
    if not usable:
        raise aiohttp.InvalidURL(target[:200])
    return url.with_fragment(None)


def _same_host(one: URL, other: URL) -> bool:
    return (one.raw_host or "").lower() == (other.raw_host or "").lower()


# In this order: a later class is a parent of an earlier one.
_ENDINGS: tuple[tuple[type[BaseException], Outcome], ...] = (
    (TimeoutError, Outcome.TIMEOUT),
    (aiohttp.InvalidURL, Outcome.BAD_URL),
    (aiohttp.ClientConnectorDNSError, Outcome.DNS_ERROR),
    (aiohttp.ClientSSLError, Outcome.TLS_ERROR),
    (ssl.SSLError, Outcome.TLS_ERROR),
    (aiohttp.ClientPayloadError, Outcome.TRUNCATED),
    (aiohttp.ClientResponseError, Outcome.BAD_RESPONSE),
    (aiohttp.ClientConnectionError, Outcome.CONNECT_ERROR),
    (OSError, Outcome.CONNECT_ERROR),
)


def _failed(error: Exception) -> Fetched:
    for kind, outcome in _ENDINGS:
        if isinstance(error, kind):
            return Fetched(outcome, error=_text(error))
    return Fetched(Outcome.BAD_RESPONSE, error=_text(error))


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300].rstrip(": ")
