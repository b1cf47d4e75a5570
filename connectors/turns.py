"""Turns: one request at a time to each host, so far apart as it likes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MAX_HOSTS = 5_000


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0


class TooLate(Exception):  # noqa: N818  # it says when, as TimeoutError does
    """The turn would not come in time."""


class Turns:
    """Who may ask which host when."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str, until: float) -> AsyncIterator[None]:
        """Hold the host's turn; times are of the clock that only goes forward.

        Raises:
            TooLate: It would not come before ``until``.
        """
        known = self._host(host)
        try:
            async with asyncio.timeout(max(until - time.monotonic(), 0.0)):
                await known.lock.acquire()
        except TimeoutError:
            raise TooLate from None
        try:
            if known.free_at > until:
                raise TooLate
            await asyncio.sleep(max(known.free_at - time.monotonic(), 0.0))
            yield
        finally:
            known.lock.release()

    async def pause(self, host: str, until: float, spacing_s: float) -> None:
        """Wait for the host's next free moment, and leave it alone for ``spacing_s`` from then on.

        For who holds another host's turn: two that wait for each other's would wait for ever.

        Raises:
            TooLate: It would not come before ``until``.
        """
        known = self._host(host)
        begin = max(known.free_at, time.monotonic())
        if begin > until:
            raise TooLate
        known.free_at = begin + spacing_s
        await asyncio.sleep(begin - time.monotonic())

    def rest(self, host: str, seconds: float) -> None:
        """Leave ``host`` alone for so long from now on; a longer rest stays."""
        known = self._host(host)
        known.free_at = max(known.free_at, time.monotonic() + seconds)

    def _host(self, host: str) -> _Host:
        if len(self._hosts) > MAX_HOSTS:
            now = time.monotonic()
            self._hosts = {name: h for name, h in self._hosts.items() if h.lock.locked() or h.free_at > now}
        return self._hosts.setdefault(host, _Host())
