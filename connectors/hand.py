"""Hand: how many bytes of bodies are held at once, so that a broker that is away costs no more memory than that."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

MOST = 64 * 1024 * 1024
SMALL = 256 * 1024
"""What of a body may be read without asking: nearly every feed is smaller."""


class Hand:
    """A semaphore that counts bytes: whoever wants more than is free waits, in order; a lone one is never refused."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.held = 0

    @asynccontextmanager
    async def holding(self, size: int) -> AsyncIterator[None]:
        """Hold ``size`` bytes for a time; where there is no room, wait for it."""
        await self._take(size)
        try:
            yield
        finally:
            self.held -= size
            self._admit()

    def _fits(self, size: int) -> bool:
        return not self.held or self.held + size <= self._most

    async def _take(self, size: int) -> None:
        if not self._waiting and self._fits(size):
            self.held += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was admitted, and is not wanted any more
                self.held -= size
            self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if turn.done():
                self._waiting.popleft()
            elif self._fits(size):
                self._waiting.popleft()
                self.held += size
                turn.set_result(None)
            else:
                return
