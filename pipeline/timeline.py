"""Timeline: score, baseline and level of a dyad, step by step: what the dyads topic would have told at each moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter

import msgspec

from config.alerts import AlertRules
from config.errors import BrinkwatchError
from pipeline.records import Level, Signal
from pipeline.records.base import Time
from pipeline.scoring.book import Book

HOUR = timedelta(hours=1)
SHOWN = 0.1
"""A dyad whose score never reached this has no timeline worth a line."""
MAX_STEPS = 200_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A dyad at a moment.

    Attributes:
        dyad: Its key.
        at: The moment (UTC).
        score, baseline, level: As they stood then.
    """

    dyad: str
    at: Time
    score: float
    baseline: float
    level: Level


def moments(begin: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """The whole steps, counted from 1970 so that all dyads share them, after ``begin`` and before ``end``; then it.

    Raises:
        BrinkwatchError: They are more than ``MAX_STEPS``.
    """
    if (end - begin) / step > MAX_STEPS:
        period = f"{begin:%Y-%m-%d} to {end:%Y-%m-%d} in steps of {step}"
        raise BrinkwatchError(f"following the scores failed: {period}: over {MAX_STEPS} steps: take longer ones")
    at = begin + step - (begin - _EPOCH) % step
    while at < end:
        yield at
        at += step
    yield end


def timeline(
    dyad: str, signals: Iterable[Signal], rules: AlertRules, end: datetime, step: timedelta = HOUR
) -> list[Point]:
    """One dyad from its first signal to ``end``; a moment at which it is forgotten has no point.

    Args:
        dyad: Its key.
        signals: Its signals in order of time; at least one.
        rules: The alert rules.
        end: The last moment.
        step: Between moments.
    """
    book, waiting = Book(rules), deque(signals)
    points = []
    for at in moments(waiting[0].observed_at, end, step):
        while waiting and waiting[0].observed_at <= at:
            book.apply(dyad, waiting.popleft())
        book.advance(at)
        points += [
            Point(dyad=dyad, at=at, score=held.score, baseline=held.baseline, level=held.level) for held in book.dyads()
        ]
    return points


def timelines(
    signals: Iterable[tuple[str, Signal]],
    rules: AlertRules,
    end: datetime,
    step: timedelta = HOUR,
    on_dyad: Callable[[str], None] = lambda _: None,
) -> Iterator[list[Point]]:
    """A timeline for each dyad that ever had a score worth showing.

    Args:
        signals: Each under its dyad, in order of dyad and time, as ``replay`` gives them.
        rules: The alert rules.
        end: The last moment.
        step: Between moments.
        on_dyad: Told of each dyad that is done.
    """
    for dyad, group in groupby(signals, key=itemgetter(0)):
        points = timeline(dyad, (signal for _, signal in group), rules, end, step)
        if any(point.score >= SHOWN for point in points):
            yield points
        on_dyad(dyad)
