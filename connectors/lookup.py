"""Lookup: names to addresses, by the system, in threads of its own."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 32
"""More than polls run at once: a look-up that nobody waits for any more holds its thread until the system is done."""


class Lookup(AbstractResolver):
    """The system's resolver, with what it knows besides DNS.

    The loop's own threads are few, and others' work waits for them: a handful of feeds whose name servers never answer
    would hold up everything.
    """

    def __init__(self, threads: int = THREADS) -> None:
        """Look up at most ``threads`` names at once; who waits for longer than a connection may take is given up."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of ``host``.

        Raises:
            OSError: It has none.
        """
        look = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        return [_result(host, kind, proto, address) for kind, _, proto, _, address in found if _plain(address)]

    async def close(self) -> None:
        """Give up what is looked up."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _plain(address: tuple[Any, ...]) -> bool:
    """Whether an address has no zone: those that have one are of the network beside us, and never asked."""
    return len(address) == 2 or not address[3]  # noqa: PLR2004  # an IPv4 address and its port


def _result(host: str, family: int, proto: int, address: tuple[Any, ...]) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address[0],
        port=address[1],
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
