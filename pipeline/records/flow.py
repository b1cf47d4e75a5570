"""Flow: how much news comes in, told with every article, so that a busy day is no crisis and a thin feed is not deaf.

It is a recorded input: whoever scores, live or in a replay, reads it from the record and never counts for itself.
"""

# ruff: noqa: SLF001  # a meter is made of others of its class

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from pipeline.records.base import Part

HOUR_S = 3600
WINDOW_H = 72
"""Hours over which articles are counted: three days even out a weekend's night."""
LEAST_H = 24
"""Hours that are taken to have passed at least: the first hour's articles are no day's worth."""
SOURCES_H = 7 * 24
MAX_SOURCES = 20_000
DIGITS = 2


class Flow(Part, frozen=True, kw_only=True):
    """How much news flowed when an article came in.

    Attributes:
        articles: Articles a day, over the last three days, to two significant digits.
        sources: Outlets that brought one within a week.
        hours: For how long they have been counted, at most a week.
    """

    articles: float
    sources: int
    hours: int = 0


class FlowMeter:
    """Counts articles by the hour, and outlets. Small: 72 numbers and a time for each outlet."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._hours: dict[int, int] = {}
        self._heard: dict[str, int] = {}
        self._lately: tuple[int, int] = (-1, 0)

    def note(self, at: datetime, source: str) -> Flow:
        """Count an article in, and tell the flow with it. Times may come in any order; what is over is let go."""
        hour = int(at.timestamp()) // HOUR_S
        self._first = hour if self._first is None else min(self._first, hour)
        self._hours[hour] = self._hours.get(hour, 0) + 1
        heard = self._hear(source, hour)
        self._forget(max(self._hours))
        counted = sum(count for at, count in self._hours.items() if hour - WINDOW_H < at <= hour)
        passed = min(WINDOW_H, max(LEAST_H, hour - self._first + 1))
        hours = min(SOURCES_H, hour - self._first)
        return Flow(articles=float(f"{counted * 24 / passed:.{DIGITS}g}"), sources=heard, hours=hours)

    def _hear(self, source: str, hour: int) -> int:
        """How many outlets were heard since a week before this hour, this one among them."""
        before = self._heard.get(source)
        self._heard[source] = hour if before is None else max(hour, before)
        last, count = self._lately
        if last != hour:
            count = sum(at > hour - SOURCES_H for at in self._heard.values())
        elif before is None or before <= hour - SOURCES_H:
            count += 1
        self._lately = hour, count
        return count

    def _forget(self, newest: int) -> None:
        # Twice the window: an article that comes late is still told the flow of its own time.
        if len(self._hours) > 2 * WINDOW_H:
            self._hours = {at: count for at, count in self._hours.items() if at > newest - 2 * WINDOW_H}
        if len(self._heard) > MAX_SOURCES:
            kept = sorted(self._heard.items(), key=lambda item: (-item[1], item[0]))[: MAX_SOURCES // 2]
            self._heard = dict(kept)

    def saved(self) -> str:
        """All of it as text, for ``restored``."""
        return json.dumps({"first": self._first, "hours": list(self._hours.items()), "heard": self._heard})

    @classmethod
    def restored(cls, text: str) -> FlowMeter:
        """The meter that ``saved`` gave; a new one where the text is none of ours."""
        meter = cls()
        try:
            data = json.loads(text)
            hours = {int(at): int(count) for at, count in data["hours"]}
            heard = {str(source): int(at) for source, at in data["heard"].items()}
            first = None if data["first"] is None else int(data["first"])
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return meter
        meter._first, meter._hours, meter._heard = first, hours, heard
        return meter

    @classmethod
    def shared_out(cls, meters: Iterable[FlowMeter], parts: int) -> tuple[FlowMeter, ...]:
        """What ``meters`` of parts of the news counted, for another number of parts: together it stays as much.

        Each hears of all outlets.
        """
        hours: Counter[int] = Counter()
        heard: dict[str, int] = {}
        firsts = []
        for meter in meters:
            hours.update(meter._hours)
            heard.update({source: max(at, heard.get(source, at)) for source, at in meter._heard.items()})
            firsts += [] if meter._first is None else [meter._first]
        shared = tuple(cls() for _ in range(parts))
        for number, one in enumerate(shared):
            one._first = min(firsts, default=None)
            one._hours = {at: (count + number) // parts for at, count in hours.items()}
            one._heard = dict(heard)
            one._forget(max(hours, default=0))
        return shared


def measured(seen: Iterable[tuple[datetime, str]]) -> list[Flow]:
    """The flow at each of these articles' times, as if they had come in the order of their times."""
    times = list(seen)
    meter, found = FlowMeter(), [Flow(articles=0.0, sources=0)] * len(times)
    for place in sorted(range(len(times)), key=lambda place: times[place]):
        found[place] = meter.note(*times[place])
    return found
