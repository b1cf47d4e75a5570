"""Claims: which new articles are on their way to the broker, so that two feeds that show one don't both send it.

What is known is written down once the broker has acknowledged it, and pages may take most of a minute until then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

WAIT_S = 60.0
"""What one poll waits for others in all: longer than pages take. Then it goes on, and sends the article, too."""


class Claim:
    """What one read of a feed has claimed."""

    def __init__(self, held: dict[str, asyncio.Event], wait_s: float) -> None:
        self._all = held
        self._left_s = wait_s
        self._ended = asyncio.Event()
        self._mine: set[str] = set()

    async def waited(self, article_ids: Iterable[str]) -> bool:
        """Claim these articles; if others have some of them, claim none and wait until one of those has ended.

        Returns:
            Whether it waited: then look again at what is known by now. False, too, once it has waited long enough.
        """
        wanted = list(article_ids)
        others = {self._all[name] for name in wanted if name in self._all} - {self._ended}
        if others and self._left_s > 0:
            await self._wait(next(iter(others)))
            return True
        free = [name for name in wanted if name not in self._all]
        self._mine.update(free)
        self._all.update(dict.fromkeys(free, self._ended))
        return False

    async def _wait(self, other: asyncio.Event) -> None:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._left_s):
                await other.wait()
        except TimeoutError:
            self._left_s = 0.0
        else:
            self._left_s -= time.monotonic() - begun

    def end(self) -> None:
        """Let go of all, and those who wait look again."""
        for name in self._mine:
            del self._all[name]
        self._mine.clear()
        self._ended.set()


class Claims:
    """The claims of a process, by article id."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._held: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator[Claim]:
        """A claim that lasts as long as the context: from before what is known is looked at until it is written."""
        claim = Claim(self._held, self._wait_s)
        try:
            yield claim
        finally:
            claim.end()
