"""Rota: which feed's turn it is, so that no host is asked by many at once and none holds the others up. No clock."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from urllib.parse import urlsplit

from config.feeds import Feed

MAX_POLLS = 16
MAX_POLLS_A_HOST = 2


def host(feed: Feed) -> str:
    """The host that ``feed`` is asked of."""
    return urlsplit(feed.url).hostname or ""


class Rota:
    """The order in which feeds are polled; times are seconds of any one clock that only goes forward.

    A feed that is due while its host has two polls under way steps aside until one of them ends, and takes none of the
    16 places meanwhile.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, str, Feed]] = []
        self._aside: defaultdict[str, deque[tuple[float, str, Feed]]] = defaultdict(deque)
        self._asked: Counter[str] = Counter()

    def add(self, due: float, feed: Feed) -> None:
        """Line ``feed`` up for ``due``; it may stand in the rota once."""
        heapq.heappush(self._due, (due, feed.id, feed))

    def take(self, now: float) -> Feed | None:
        """The feed to poll next, which has a place until ``release``; None where none is due or may start."""
        while self._due and self._due[0][0] <= now and self._asked.total() < MAX_POLLS:
            entry = heapq.heappop(self._due)
            feed = entry[2]
            if self._asked[host(feed)] < MAX_POLLS_A_HOST:
                self._asked[host(feed)] += 1
                return feed
            self._aside[host(feed)].append(entry)
        return None

    def release(self, feed: Feed) -> None:
        """Give the place of ``feed``, whose poll has ended, to the one that waited longest for the same host."""
        name = host(feed)
        self._asked[name] -= 1
        if self._aside[name]:
            heapq.heappush(self._due, self._aside[name].popleft())

    def wait_s(self, now: float) -> float | None:
        """Seconds until a poll may start if none ends before; None where one has to end first."""
        if not self._due or self._asked.total() >= MAX_POLLS:
            return None
        return max(self._due[0][0] - now, 0.0)
