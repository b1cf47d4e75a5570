"""Robots: what a site's robots.txt lets us ask of it, kept for a day."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from protego import Protego

from config.ways import Way
from connectors.fetch import Fetched
from connectors.outcome import Outcome
from connectors.robotstxt import group

AGENT = "Brinkwatch"
MAX_BYTES = 2 * 1024 * 1024
MAX_READ = 500 * 1024
KEEP_S = 24 * 3600.0
AGAIN_S = 3600.0
MAX_SITES = 1_000
MAX_HELD = 1024 * 1024
"""Characters of rules that are kept of all sites together; each takes up to 60 bytes."""
MAX_DELAY_S = 24 * 3600.0
_UNREACHABLE = "robots.txt can't be had"
_OURS = frozenset({Outcome.BLOCKED, Outcome.NO_ACCESS})
"""Endings that are our own doing and say nothing of the site: asking again costs it nothing."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one site asks.

    Attributes:
        known: What it says; None where it says nothing.
        closed: Why nothing may be asked for now; empty where it may.
        delay_s: Seconds between two requests that it asks for; 0 for none.
        until: Up to when this counts, in seconds of the clock that only goes forward.
        size: Characters of what ``known`` was read from.
    """

    known: Protego | None
    closed: str
    delay_s: float
    until: float
    size: int = 0

    def refusal(self, url: str) -> str:
        """Why ``url`` is not to be asked; empty where it may be."""
        if self.closed:
            return self.closed
        allowed = self.known is None or self.known.can_fetch(url, AGENT)
        return "" if allowed else "robots.txt asks to leave it alone"


def rules(fetched: Fetched, now: float) -> Rules:
    """The rules that an answer to a request for robots.txt stands for.

    Source: RFC 9309, 2.3.1: a client error means that there are none, a server error and no answer that nothing may be
    asked for now; of a long file the first 500 KiB count. 429 counts as a server error: it asks to be left alone.
    """
    if fetched.outcome is Outcome.OK:
        ours = "\n".join(group(fetched.body[:MAX_READ].decode("utf-8-sig", errors="replace"), AGENT))
        known = Protego.parse(ours)
        delay_s = min(max(known.crawl_delay(AGENT) or 0.0, 0.0), MAX_DELAY_S)
        return Rules(known, "", delay_s, now + KEEP_S, len(ours))
    none = fetched.outcome is Outcome.EMPTY or (
        fetched.status is not None and 400 <= fetched.status < 500 and fetched.outcome is not Outcome.RATE_LIMITED  # noqa: PLR2004  # client errors
    )
    if none:
        return Rules(None, "", 0.0, now + KEEP_S)
    kept_s = 0.0 if fetched.outcome in _OURS else max(AGAIN_S, fetched.retry_after_s)
    return Rules(None, f"{_UNREACHABLE}: {fetched.outcome.value}", 0.0, now + kept_s)


class Robots:
    """Asks each site for its robots.txt once a day, by each access block by which its pages are asked for.

    Who may not ask a site knows nothing of what it says to those who may.
    """

    def __init__(self, ask: Callable[[str, Way | None], Awaitable[Fetched]]) -> None:
        """``ask`` fetches a robots.txt by its address, and by the access block of its site, if it has one."""
        self._ask = ask
        self._sites: OrderedDict[tuple[str, str], asyncio.Future[Rules]] = OrderedDict()
        self._reading = asyncio.Lock()

    async def of(self, url: str, way: Way | None = None) -> Rules:
        """The rules for the site of ``url``; who asks meanwhile waits for the same answer."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        key = (site, way.name if way else "")
        known = self._sites.get(key)
        if known is not None and not (known.done() and _over(known)):
            self._sites.move_to_end(key)
            return await asyncio.shield(known)
        asking = asyncio.ensure_future(self._read(f"{site}/robots.txt", way))
        self._sites[key] = asking
        while len(self._sites) > MAX_SITES:
            self._sites.popitem(last=False)
        asking.add_done_callback(lambda _: self._let_go())
        return await asyncio.shield(asking)

    async def _read(self, url: str, way: Way | None) -> Rules:
        """One file is read at a time: a long one takes tens of megabytes meanwhile."""
        fetched = await self._ask(url, way)
        fetched = replace(fetched, body=fetched.body[:MAX_READ])
        async with self._reading:
            return await asyncio.to_thread(rules, fetched, time.monotonic())

    def _let_go(self) -> None:
        """Forget the longest rules while all are too long together: so no file costs the usual ones their place."""
        sizes = {key: known.result().size for key, known in self._sites.items() if _there(known)}
        for key in sorted(sizes, key=sizes.__getitem__, reverse=True):
            if sum(sizes.values()) <= MAX_HELD:
                return
            del self._sites[key], sizes[key]


def _there(known: asyncio.Future[Rules]) -> bool:
    return known.done() and not known.cancelled() and known.exception() is None


def _over(known: asyncio.Future[Rules]) -> bool:
    return not _there(known) or known.result().until <= time.monotonic()
