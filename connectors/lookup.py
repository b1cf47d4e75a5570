"""Lookup: names to addresses, by the system, in threads of its own."""

from __future__ import annotations

import socket
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from connectors.rota import MAX_POLLS
from connectors.threads import Threads

THREADS = 2 * MAX_POLLS
"""More than polls run at once: a look-up that nobody waits for any more holds its thread until the system is done."""


class Lookup(AbstractResolver):
    """The system's resolver, with what it knows besides DNS.

    The loop's own threads are few, and others' work waits for them: a handful of feeds whose name servers never answer
    would hold up everything. Of a name there is one look-up at a time, so that one which is never answered holds one
    thread, however often it is polled.
    """

    def __init__(self, threads: int = THREADS) -> None:
        """Look up at most ``threads`` names at once; who waits for longer than a connection may take is given up."""
        self._threads = Threads(threads, "lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of ``host``.

        Raises:
            OSError: It has none.
        """
        look = partial(socket.getaddrinfo, host, 0, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
        found = await self._threads.run((host, family), look)
        return [_result(host, port, kind, proto, at) for kind, _, proto, _, at in found if _plain(at)]

    async def close(self) -> None:
        """There is nothing to close: threads end by themselves, and no end of the process waits for them."""


def _plain(address: tuple[Any, ...]) -> bool:
    """Whether an address has no zone: those that have one are of the network beside us, and never asked."""
    return len(address) == 2 or not address[3]  # noqa: PLR2004  # an IPv4 address and its port


def _result(host: str, port: int, family: int, proto: int, address: tuple[Any, ...]) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address[0],
        port=port,
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
