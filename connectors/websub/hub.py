"""Hubs: requests to them. A hub is a server that a feed names, so it is reached as a feed's redirect is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from config.networks import Networks
from config.retry_after import retry_after
from connectors.addresses import guard, literal, may_be_asked, refusal
from connectors.lookup import Lookup
from connectors.websub.quoted import quoted

TOTAL_S = 20.0
CONNECT_S = 10.0
LOOKUPS = 64
MAX_REDIRECTS = 3
MAX_TEXT = 1_000
_REPEATED = frozenset({307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub said to a request.

    Attributes:
        accepted: Whether it took it; it verifies it later.
        error: Why not, in words.
        retry_after_s: Seconds for which it asks to be left alone; 0 where it does not say.
    """

    accepted: bool
    error: str = ""
    retry_after_s: float = 0.0


class HubClient:
    """Asks hubs; use it as an async context manager.

    Each has to have a public address, or one in the networks that feeds may be in; through a proxy, which looks the
    names up, that counts for the proxy, and for an address that stands in the URL.
    """

    def __init__(self, agent: str, allowed: Networks = (), proxy: str = "") -> None:
        """Ask as ``agent``, public addresses and ``allowed`` ones, through ``proxy`` (``http://host:port``) if any."""
        self._agent = agent
        self._allowed = allowed
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = self._opened()
        return self

    def _opened(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, ttl_dns_cache=60, socket_factory=guard(self._allowed), resolver=Lookup(LOOKUPS)
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=TOTAL_S, connect=CONNECT_S),
            headers={"User-Agent": self._agent, "Accept-Encoding": "identity"},
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, hub: str, form: Mapping[str, str]) -> Answer:
        """POST ``form`` to a hub that a feed named. Never raises for what the other side does.

        What it answers stands in the answer without our path and secret, though it may quote them.
        """
        try:
            async with asyncio.timeout(TOTAL_S):
                answer = await self._follow(hub, form)
        except (Exception, TimeoutError) as error:  # noqa: BLE001  # a library's surprise must not stop the other hubs
            answer = Answer(accepted=False, error=f"{type(error).__name__}: {error}")
        path = form.get("hub.callback", "").rpartition("/")[2]
        return replace(answer, error=quoted(answer.error, path, form.get("hub.secret", "")))

    async def _follow(self, hub: str, form: Mapping[str, str]) -> Answer:
        """A hub may send us elsewhere with 307 or 308; anything else would turn the POST into a GET."""
        secure = urlsplit(hub).scheme == "https"
        for _ in range(MAX_REDIRECTS + 1):
            if self._session is None:
                raise RuntimeError("HubClient used outside of its context")
            here = URL(hub)
            address = literal(here.raw_host or "")  # as it is sent: of ``hub`` that folds wide digits, for one
            if address is not None and not may_be_asked(address, self._allowed):
                return Answer(accepted=False, error=refusal(address))
            async with self._session.post(
                here, data=form, allow_redirects=False, proxy=self._proxy or None
            ) as response:
                location = response.headers.get("Location", "")
                if response.status not in _REPEATED or not location:
                    return await _read(response)
            hub = urljoin(hub, location)
            if urlsplit(hub).scheme not in ({"https"} if secure else {"http", "https"}):
                return Answer(accepted=False, error="redirected to an address that is not https")
        return Answer(accepted=False, error=f"more than {MAX_REDIRECTS} redirects")


async def _read(response: aiohttp.ClientResponse) -> Answer:
    if 200 <= response.status < 300:  # noqa: PLR2004  # 202 by the standard; some say 204
        return Answer(accepted=True)
    said = ""
    with contextlib.suppress(aiohttp.ClientError):
        said = (await response.content.read(MAX_TEXT)).decode("utf-8", "replace")
    wait = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
    return Answer(accepted=False, error=f"HTTP {response.status} {said}", retry_after_s=wait)
