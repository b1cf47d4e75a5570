"""Fetcher: one polite GET of a feed or a page, whose every ending is an outcome."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from config.networks import Networks
from config.redaction import shown
from config.retry_after import retry_after
from config.ways import DIRECT, Way
from connectors import credentials, metrics
from connectors.addresses import REFUSAL, literal, may_be_asked, refusal
from connectors.credentials import AccessError
from connectors.decoding import Body, BodyError, TooLargeError, TruncatedError
from connectors.freshness import fresh_s
from connectors.locations import RedirectError, Trail
from connectors.metrics import Kind
from connectors.outcome import Outcome, of_status
from connectors.pools import Pools, Terms

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_VALIDATOR = 1024
MAX_LINKS = 20
MAX_LINK = 2048
_CHUNK = 64 * 1024
_NOT_MODIFIED = 304
_NO_WAY = Way("")


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
        permanent_url: Where permanent redirects (301, 308) have led before any other; empty where the first was
            another, or the answer was no success.
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


@dataclass(frozen=True, slots=True)
class Manner:
    """In what manner something is asked for.

    Attributes:
        kind: What it is, for the metrics.
        accept: The Accept header.
        max_bytes: Bytes of the body, unpacked; 0 for the fetcher's own limit.
        before: Asked before each hop whether it may be made; what it gives, if anything, is the fetch's ending.
    """

    kind: Kind = Kind.FEED
    accept: str = ACCEPT
    max_bytes: int = 0
    before: Callable[[str], Awaitable[Fetched | None]] | None = None


AS_FEED = Manner()


def user_agent(contact: str = "") -> str:
    """The name under which feeds are polled, with an address (URL or mail) where the operator can be reached."""
    name = f"Brinkwatch/{version('brinkwatch')}"
    return f"{name} (feed reader; +{contact})" if contact else f"{name} (feed reader)"


@dataclass(frozen=True, slots=True)
class _Ask:
    """What one fetch asks for, on whichever hop."""

    validators: Validators
    way: Way
    manner: Manner


class Fetcher:
    """Fetches feeds and pages; use it as an async context manager.

    Only public addresses are asked, and those of the networks that are allowed; a feed's access block may allow more
    for the host that the feed is on. That is checked where each socket connects, so no name and no redirect leads past.
    """

    def __init__(
        self,
        agent: str,
        limits: Limits | None = None,
        *,
        allowed: Networks = (),
        proxy: str = "",
        resolver: AbstractResolver | None = None,
    ) -> None:
        """Fetch as ``agent``.

        Args:
            agent: The User-Agent.
            limits: What one exchange may cost.
            allowed: Networks beside the public ones.
            proxy: ``http://host:port`` of a proxy for all; empty for none.
            resolver: What looks names up, in place of the system.
        """
        self._limits = limits or Limits()
        self._allowed = allowed
        self._proxy = proxy
        timeout = aiohttp.ClientTimeout(total=self._limits.total_s, connect=self._limits.connect_s)
        self._pools = Pools({"User-Agent": agent, "Accept-Encoding": "gzip, deflate"}, timeout, resolver)
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        await self._pools.close()

    async def fetch(
        self, url: str, validators: Validators | None = None, *, way: Way | None = None, manner: Manner = AS_FEED
    ) -> Fetched:
        """GET ``url``, asking only for what changed since ``validators``. Never raises for what the other side does.

        Args:
            url: An address of http or https.
            validators: What an earlier answer gave.
            way: The access block by which the host of ``url`` is reached; its secrets go to that origin alone.
            manner: As what it is asked for.
        """
        if not self._open:
            raise RuntimeError("Fetcher used outside of its context")
        start = time.monotonic()
        try:
            async with asyncio.timeout(self._limits.total_s):
                fetched = await self._follow(url, _Ask(validators or Validators(), way or _NO_WAY, manner))
        except (Exception, TimeoutError) as error:  # noqa: BLE001  # a library's surprise must not stop the other feeds
            fetched = _failed(error)
        return replace(fetched, seconds=time.monotonic() - start, final_url=fetched.final_url or url)

    async def _follow(self, url: str, ask: _Ask) -> Fetched:
        trail = Trail.begin(url)
        while True:
            if ask.manner.before is not None and (ending := await ask.manner.before(str(trail.here))) is not None:
                return replace(ending, final_url=str(trail.here))
            answer = await self._get_somehow(trail, ask)
            if isinstance(answer, Fetched):
                led = str(trail.permanent) if trail.permanent is not None and answer.outcome.success else ""
                return replace(answer, permanent_url=led)
            try:
                trail = trail.on(*answer, self._limits.max_redirects)
            except RedirectError as error:
                return Fetched(error.outcome, error=str(error), final_url=str(trail.here))

    async def _get_somehow(self, trail: Trail, ask: _Ask) -> Fetched | tuple[int, str]:
        """As ``_get``; who can't say 304 properly, a body behind it, is asked without conditions."""
        try:
            return await self._get(trail, ask)
        except aiohttp.ClientResponseError:
            if not _conditional(ask.validators):
                raise
            return await self._get(trail, replace(ask, validators=Validators()))

    async def _get(self, trail: Trail, ask: _Ask) -> Fetched | tuple[int, str]:
        """One hop: what it gave, or the status and the address of a redirect."""
        way = ask.way if trail.at_home else _NO_WAY
        self._check_literal(trail.here, way)
        terms = self._terms(ask.way, way)
        session = await self._pools.session(terms, lambda: credentials.tls(way))
        headers = {"Accept": ask.manner.accept, **_conditional(ask.validators)}
        if trail.at_origin:
            headers.update(credentials.headers(way))
        through = credentials.proxy_headers(ask.way) if terms.proxy and ask.way.proxy else {}
        if through and trail.here.scheme == "http":  # no tunnel: the proxy reads the request itself
            headers.update(through)
        async with session.get(
            trail.here,
            headers=headers,
            allow_redirects=False,
            proxy=terms.proxy or None,
            proxy_headers=through or None,
        ) as response:
            location = response.headers.get("Location")
            if response.status in REDIRECTS and location:
                return response.status, location
            return await _read(response, ask, ask.manner.max_bytes or self._limits.max_bytes)

    def _check_literal(self, here: URL, way: Way) -> None:
        """An address that stands in the URL itself is judged before a proxy gets to see it.

        Raises:
            PermissionError: It may not be asked.
        """
        address = literal(here.raw_host or "")
        if address is not None and not may_be_asked(address, self._allowed + way.allow):
            raise PermissionError(refusal(address))

    def _terms(self, given: Way, way: Way) -> Terms:
        """Under what terms a hop may be made: ``given`` is the feed's block, ``way`` what of it counts for this host.

        The proxy stays the same for all hops, and it is the one that we connect to.
        """
        proxy = "" if given.proxy == DIRECT else given.proxy or self._proxy
        allowed = self._allowed + (given.allow if proxy else way.allow)
        if way.certfile is None and way.cafile is None:
            return Terms(allowed, proxy)
        return Terms(allowed, proxy, way.name, credentials.stamps(way))


def _conditional(validators: Validators) -> dict[str, str]:
    headers = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in headers.items() if value}


async def _read(response: aiohttp.ClientResponse, ask: _Ask, limit: int) -> Fetched:
    fetched = _by_status(response, compared=bool(_conditional(ask.validators)))
    if fetched.outcome is not Outcome.OK:
        return fetched
    try:
        body = await _read_body(response, limit, ask.manner.kind)
    except TooLargeError as error:
        return replace(fetched, outcome=Outcome.TOO_LARGE, error=str(error))
    except (TruncatedError, aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, ConnectionError) as error:
        return replace(fetched, outcome=Outcome.TRUNCATED, error=_text(error))
    except BodyError as error:
        return replace(fetched, outcome=Outcome.BAD_RESPONSE, error=str(error))
    if not body.strip(b" \t\r\n\0"):
        return replace(fetched, outcome=Outcome.EMPTY, error="the body is empty")
    return replace(fetched, body=body, validators=_validators(response))


def _by_status(response: aiohttp.ClientResponse, *, compared: bool) -> Fetched:
    """What status and headers tell; ``compared``: whether something was asked to compare with."""
    fetched = _without_body(response)
    if response.status == _NOT_MODIFIED and not compared:
        why = "HTTP 304, though nothing was asked to compare with"
        return replace(fetched, outcome=Outcome.BAD_RESPONSE, error=why)
    return fetched if fetched.outcome.success else replace(fetched, error=f"HTTP {response.status}")


def _without_body(response: aiohttp.ClientResponse) -> Fetched:
    now = datetime.now(UTC)
    links = response.headers.getall("Link", [])[:MAX_LINKS]
    return Fetched(
        of_status(response.status),
        status=response.status,
        final_url=str(response.url),
        content_type=response.headers.get("Content-Type", "")[:200],
        retry_after_s=retry_after(response.headers.get("Retry-After", ""), now),
        fresh_s=fresh_s(response.headers, now),
        links=tuple(link for link in links if len(link) <= MAX_LINK and link.isprintable()),
    )


async def _read_body(response: aiohttp.ClientResponse, limit: int, kind: Kind) -> bytes:
    body = Body(response.headers.get("Content-Encoding", ""), limit)
    received = metrics.FETCHED_BYTES.labels(kind.value)
    async for chunk in response.content.iter_chunked(_CHUNK):
        received.inc(len(chunk))
        body.feed(chunk)
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


# In this order: a later class is a parent of an earlier one.
_ENDINGS: tuple[tuple[type[BaseException], Outcome], ...] = (
    (TimeoutError, Outcome.TIMEOUT),
    (AccessError, Outcome.NO_ACCESS),
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
    if isinstance(error, OSError) and REFUSAL in str(error):
        inner = getattr(error, "os_error", error)  # where the socket itself was refused, aiohttp says more around it
        return Fetched(Outcome.BLOCKED, error=shown(inner.strerror or str(inner))[:300])
    if isinstance(error, aiohttp.ClientHttpProxyError):
        outcome = of_status(error.status)
        outcome = outcome if outcome is Outcome.REFUSED else Outcome.CONNECT_ERROR
        return Fetched(outcome, error=f"the proxy answered HTTP {error.status}")
    for kind, outcome in _ENDINGS:
        if isinstance(error, kind):
            return Fetched(outcome, error=_text(error))
    return Fetched(Outcome.BAD_RESPONSE, error=_text(error))


def _text(error: BaseException) -> str:
    return shown(f"{type(error).__name__}: {error}")[:300].rstrip(": ")
