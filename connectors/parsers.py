"""Parsers: a few sandboxes, so that a body that takes long holds up its own host and hardly any other."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from connectors.entry import Parsed
from connectors.formats import Source
from connectors.sandbox import PARSE_S, Sandbox

CHILDREN = 3
SLOW_S = 2.0
"""A hundred times what a large feed takes."""


class Parsers:
    """Parses feeds in up to three child processes; use it as an async context manager.

    A host has one child at a time. One whose last body took long shares a child with others of that kind, until it is
    quick again, so two children are left to all others. A child is started when it is needed first: mostly one is.
    """

    def __init__(self, parse_s: float = PARSE_S, children: int = CHILDREN) -> None:
        self._children = [Sandbox(parse_s) for _ in range(children)]
        self._slow: set[str] = set()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: Counter[str] = Counter()
        self._quick_lane: asyncio.LifoQueue[Sandbox] = asyncio.LifoQueue()
        self._slow_lane: asyncio.LifoQueue[Sandbox] = asyncio.LifoQueue()
        self._slow_lane.put_nowait(self._children[0])
        for child in reversed(self._children[1:]):
            self._quick_lane.put_nowait(child)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            await child.__aexit__(kind, error, trace)

    async def parse(self, body: bytes, source: Source) -> Parsed:
        """As ``Sandbox.parse``."""
        async with self.child(urlsplit(source.url).hostname or "") as child:
            return await child.parse(body, source)

    @asynccontextmanager
    async def child(self, host: str) -> AsyncIterator[Sandbox]:
        """A child for one body of ``host``, when it is this host's turn."""
        self._waiting[host] += 1
        try:
            async with self._turns[host]:
                lane = self._slow_lane if host in self._slow else self._quick_lane
                child = await lane.get()
                try:
                    yield child
                    self._judge(host, child.took_s)
                finally:
                    lane.put_nowait(child)
        finally:
            self._waiting[host] -= 1
            if not self._waiting[host]:
                del self._waiting[host], self._turns[host]

    def _judge(self, host: str, took_s: float) -> None:
        if took_s > SLOW_S:
            self._slow.add(host)
        else:
            self._slow.discard(host)
