"""Fetcher: one polite GET of a feed or a page, whose every ending is an outcome."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from config.networks import Networks, networks
from config.settings import Settings
from config.ways import DIRECT, Way
from connectors import credentials
from connectors.addresses import literal, may_be_asked, refusal
from connectors.answer import Fetched, Validators, failed, read
from connectors.hand import LARGE, Hand
from connectors.locations import RedirectError, Trail
from connectors.metrics import Kind
from connectors.outcome import Outcome
from connectors.pools import Pools, Terms

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_WAY = Way("")

__all__ = ["ACCEPT", "AS_FEED", "Fetched", "Fetcher", "Limits", "Manner", "Validators", "fetcher_of", "user_agent"]


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


def fetcher_of(settings: Settings, limits: Limits | None = None, hand: Hand | None = None) -> Fetcher:
    """A fetcher as the settings say: in whose name, into which networks, through which proxy."""
    allowed = networks(settings.fetch_allow_networks)
    return Fetcher(user_agent(settings.contact), limits, allowed=allowed, proxy=settings.fetch_proxy, hand=hand)


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
        hand: Hand | None = None,
    ) -> None:
        """Fetch as ``agent``.

        Args:
            agent: The User-Agent.
            limits: What one exchange may cost.
            allowed: Networks beside the public ones.
            proxy: ``http://host:port`` of a proxy for all; empty for none.
            resolver: What looks names up, in place of the system.
            hand: Says whether there is room for a large body.
        """
        self._limits = limits or Limits()
        self._allowed = allowed
        self._proxy = proxy
        self._hand = hand or Hand()
        self._large = asyncio.Semaphore(LARGE)
        self._large_pages = asyncio.Semaphore(LARGE)
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
            fetched = failed(error)
        return replace(fetched, seconds=time.monotonic() - start, final_url=fetched.final_url or url)

    async def _follow(self, url: str, ask: _Ask) -> Fetched:
        trail = Trail.begin(url)
        while True:
            if ask.manner.before is not None and (ending := await ask.manner.before(str(trail.here))) is not None:
                return replace(ending, final_url=str(trail.here))
            answer = await self._get_somehow(trail, ask)
            if isinstance(answer, Fetched):
                return _led(answer, trail)
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
            limit = ask.manner.max_bytes or self._limits.max_bytes
            grow = (lambda: self._large_pages) if ask.manner.kind is Kind.PAGE else self._grow
            return await read(response, ask.validators, limit, ask.manner.kind, grow)

    @contextlib.asynccontextmanager
    async def _grow(self) -> AsyncIterator[None]:
        """A place for a feed's body that is large, where there is room for it.

        Pages have places of their own and wait for no room: what is in hand may be waiting for them.
        """
        async with self._large:
            await self._hand.room()
            yield

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


def _led(answer: Fetched, trail: Trail) -> Fetched:
    """``answer`` as that of the address that was asked first.

    410 asks to stop for good. Where a redirect for now led to it, that is not what the address has said: a page of
    another host may be gone, of maintenance or of consent. It counts as not found there.
    """
    if answer.outcome is Outcome.GONE and not trail.leading:
        return replace(answer, outcome=Outcome.NOT_FOUND, error=f"{answer.error}, where a redirect leads for now")
    led = str(trail.permanent) if trail.permanent is not None and answer.outcome.success else ""
    return replace(answer, permanent_url=led)


def _conditional(validators: Validators) -> dict[str, str]:
    headers = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in headers.items() if value}
