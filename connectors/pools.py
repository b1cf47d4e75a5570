"""Pools: connections that are kept open, those that one rule let through apart from those of any other."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver

from config.networks import Networks
from connectors.addresses import guard
from connectors.lookup import Lookup

KEEP_NAMES_S = 60
KEEPALIVE_S = 3.0
"""Long enough for a host's next feed; longer, connections that nobody needs would fill the table of files."""
MAX_HEADERS = 100
MAX_HEADER = 8190
MAX_POOLS = 500


@dataclass(frozen=True, slots=True)
class Terms:
    """What a connection must have been made under to be used again.

    Attributes:
        allowed: Networks beside the public ones.
        proxy: The proxy that it goes through; empty for none.
        block: The access block whose certificates it was made with; empty for none.
        stamps: Which state of those files.
    """

    allowed: Networks = ()
    proxy: str = ""
    block: str = ""
    stamps: tuple[tuple[int, int, int], ...] = field(default=())


class Pools:
    """A session for each of the terms. A connection that one feed may have is never used for another that may not."""

    def __init__(
        self, headers: dict[str, str], timeout: aiohttp.ClientTimeout, resolver: AbstractResolver | None = None
    ) -> None:
        """Sessions that send ``headers``; ``resolver`` looks names up, where one is given; else the system."""
        self._headers = headers
        self._timeout = timeout
        self._resolver = resolver or Lookup()
        self._sessions: dict[Terms, aiohttp.ClientSession] = {}

    async def session(self, terms: Terms, tls: Callable[[], ssl.SSLContext | None]) -> aiohttp.ClientSession:
        """The session of ``terms``; ``tls`` gives what it speaks TLS with, where it has to be made."""
        found = self._sessions.pop(terms, None)
        if found is None:
            found = self._made(terms, tls())
        self._sessions[terms] = found  # the last one is the one used last
        if len(self._sessions) > MAX_POOLS:
            await self._sessions.pop(next(iter(self._sessions))).close()
        return found

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()
        await self._resolver.close()

    def _made(self, terms: Terms, context: ssl.SSLContext | None) -> aiohttp.ClientSession:
        # The connectors count what is open; how many polls run at once, and how many of one host, is the scheduler's.
        connector = aiohttp.TCPConnector(
            limit=0,
            ttl_dns_cache=KEEP_NAMES_S,
            keepalive_timeout=KEEPALIVE_S,
            resolver=self._resolver,
            socket_factory=guard(terms.allowed),
            ssl=True if context is None else context,
        )
        return aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            requote_redirect_url=False,
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
            max_headers=MAX_HEADERS,
            timeout=self._timeout,
            headers=self._headers,
        )
