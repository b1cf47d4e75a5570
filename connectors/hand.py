"""Hand: how many bytes of bodies are in hand, so that a broker that is away costs no more memory than that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 32 * 1024 * 1024
SMALL = 256 * 1024
"""What of a body may be read without asking: nearly every feed is smaller."""
LARGE = 8
"""Larger bodies that are read at once."""


class Hand:
    """Counts bytes from when a body was read until what it held has been acknowledged.

    While they are many nothing more is asked for. What was on its way already is still taken: small bodies, as many as
    there are polls, and eight large ones.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._room = asyncio.Event()
        self._room.set()
        self.held = 0

    async def room(self) -> None:
        """Return when there is room for more."""
        await self._room.wait()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold ``size`` bytes for a time."""
        self._add(size)
        try:
            yield
        finally:
            self._add(-size)

    def _add(self, size: int) -> None:
        self.held += size
        if self.held < self._most:
            self._room.set()
        else:
            self._room.clear()
