"""Rota: which feed's turn it is, so that no host is asked by many at once and none holds the others up. No clock."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict, deque
from dataclasses import dataclass

from config.feeds import Feed

MAX_POLLS = 256
"""So many hosts may take their whole time-out at once before anybody waits; other polls hold a place for moments."""
MAX_POLLS_A_HOST = 2
SPACING_S = 1.0
FILES_A_POLL = 3
"""A socket, another one where a host has two kinds of address, and one of a connection kept for the next poll."""
OTHER_FILES = 128
_LOOPBACK = re.compile(r"127(\.\d{1,3}){3}")


def places(files: int) -> int:
    """How many polls may be under way where the process may have so many ``files`` open."""
    return max(1, min(MAX_POLLS, (files - OTHER_FILES) // FILES_A_POLL))


def spacing_s(feed: Feed, name: str, feeds: int) -> float:
    """Seconds from the start of a poll of ``feed`` to the next one of the host ``name``, which has so many ``feeds``.

    A second, but less where a host has so many that they would fall behind; none on this machine, nor in the drill.
    """
    if feed.drill or name in {"", "localhost", "::1"} or _LOOPBACK.fullmatch(name):
        return 0.0
    return min(SPACING_S, feed.interval_s / (2 * max(feeds, 1)))


@dataclass(frozen=True, slots=True)
class Turn:
    """A feed that is lined up, for when, and of which host it will be asked."""

    due: float
    feed: Feed
    host: str


class Rota:
    """The order in which feeds are polled; times are seconds of any one clock that only goes forward.

    A feed that is due while its host has two polls under way, or was asked less than a second ago, steps aside, and
    takes no place meanwhile. Of those that stand aside for a host the first is called back into line when it may start.
    """

    def __init__(self, most: int = MAX_POLLS) -> None:
        """Of which ``most`` polls may be under way at once."""
        self._most = most
        self._turns: dict[str, Turn] = {}
        self._line: list[
            tuple[float, int, Turn, bool]
        ] = []  # from when on, a number, whose turn, whether it was called
        self._count = 0
        self._aside: defaultdict[str, deque[Turn]] = defaultdict(deque)
        self._called: set[str] = set()
        self._under_way = 0
        self._asked: Counter[str] = Counter()
        self._feeds: Counter[str] = Counter()
        self._free_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, due: float, feed: Feed, name: str) -> None:
        """Line ``feed`` up for ``due``, to be asked of the host ``name``; where it is lined up already, this counts."""
        self.drop(feed.id)
        turn = self._turns[feed.id] = Turn(due, feed, name)
        self._feeds[turn.host] += 1
        self._push(due, turn, called=False)
        if len(self._line) > 2 * len(self._turns) + 1000:  # many whose turn no longer counts
            self._line = [each for each in self._line if each[3] or self._counts(each[2])]
            heapq.heapify(self._line)

    def drop(self, feed_id: str) -> None:
        """Take a feed out; nothing where it is not lined up."""
        if (turn := self._turns.pop(feed_id, None)) is not None:
            self._feeds[turn.host] -= 1

    def turn(self, feed_id: str) -> Turn | None:
        """How a feed is lined up; None where it is not."""
        return self._turns.get(feed_id)

    def take(self, now: float) -> Turn | None:
        """Whose turn it is; it has a place until ``release``. None where nothing is due or may start."""
        while self._under_way < self._most and self._line and self._line[0][0] <= now:
            _, _, turn, called = heapq.heappop(self._line)
            if called:
                self._called.discard(turn.host)
            counts = self._counts(turn)
            starts = counts and self._may_start(turn.host, now)
            if starts:
                self._start(turn, now)
            elif counts:
                put = self._aside[turn.host].appendleft if called else self._aside[turn.host].append
                put(turn)
            self._call(turn.host)
            if starts:
                return turn
        return None

    def release(self, turn: Turn) -> None:
        """Give the place of ``turn``, whose poll has ended, to the one that waited longest for the same host."""
        self._under_way -= 1
        self._asked[turn.host] -= 1
        if not self._asked[turn.host]:
            del self._asked[turn.host]
        self._call(turn.host)

    def wait_s(self, now: float) -> float | None:
        """Seconds until a poll may start if none ends before; None where one has to end first."""
        if not self._line or self._under_way >= self._most:
            return None
        return max(self._line[0][0] - now, 0.0)

    def _counts(self, turn: Turn) -> bool:
        return self._turns.get(turn.feed.id) is turn

    def _may_start(self, name: str, now: float) -> bool:
        return self._asked[name] < MAX_POLLS_A_HOST and self._free_at.get(name, now) <= now

    def _start(self, turn: Turn, now: float) -> None:
        spacing = spacing_s(turn.feed, turn.host, self._feeds[turn.host])
        if spacing:
            self._free_at[turn.host] = now + spacing
        self.drop(turn.feed.id)
        self._asked[turn.host] += 1
        self._under_way += 1

    def _call(self, name: str) -> None:
        """Bring the first that stands aside for a host back into line, for when the host may be asked again."""
        if name not in self._aside or name in self._called or self._asked[name] >= MAX_POLLS_A_HOST:
            return
        waiting = self._aside[name]
        while waiting and not self._counts(waiting[0]):
            waiting.popleft()
        if not waiting:
            del self._aside[name]
            return
        turn = waiting.popleft()
        self._called.add(name)
        self._push(max(turn.due, self._free_at.get(name, turn.due)), turn, called=True)

    def _push(self, at: float, turn: Turn, *, called: bool) -> None:
        self._count += 1
        heapq.heappush(self._line, (at, self._count, turn, called))
