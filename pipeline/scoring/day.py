"""The last day of a dyad: how many signals counted in each of its hours, by type of event and by source."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

from pipeline.records import Signal
from pipeline.scoring.state import MAX_DAY_SOURCES, MAX_SOURCE, Counts, Day

HOUR_S = 3600.0
HOURS = 24


def noted(day: Day, signal: Signal, at: float) -> Day:
    """The day with one more signal, which counted at ``at``."""
    day = moved(day, at)
    types = {**day.types, signal.event_type: _more(day.types.get(signal.event_type))}
    return Day(day.hour, types, _heard(day.sources, signal.source))


def moved(day: Day, at: float) -> Day:
    """The day as of the hour of ``at``: what is older than 24 hours has left it. It never goes back."""
    hour = int(at // HOUR_S)
    passed = hour - day.hour
    if passed <= 0:
        return day
    types = {name: left for name, counts in day.types.items() if (left := _later(counts, passed))}
    sources = tuple([(name, left) for name, counts in day.sources if (left := _later(counts, passed))])
    return Day(hour, types, sources)


def told(named: Iterable[tuple[str, Counts]], day: Day, at: float) -> dict[str, int]:
    """How many signals of each name in the hour of ``at`` and the 23 before it; names without any are left out.

    Args:
        named: The day's types, or its sources.
        day: The day.
        at: Seconds since 1970.
    """
    passed = int(at // HOUR_S) - day.hour
    if passed <= 0:
        return {name: sum(counts) for name, counts in named}
    return {name: sum(left) for name, counts in named if (left := _later(counts, passed))}


def joined(one: Day, other: Day) -> Day:
    """The day of two that took in different signals, as of the later one's hour."""
    at = max(one.hour, other.hour) * HOUR_S
    one, other = moved(one, at), moved(other, at)
    sources = _sums(dict(one.sources), dict(other.sources))
    most = sorted(sources, key=lambda name: (sum(sources[name]), name))[-MAX_DAY_SOURCES:]
    return Day(one.hour, _sums(one.types, other.types), tuple((name, sources[name]) for name in most))


def _heard(sources: tuple[tuple[str, Counts], ...], source: str) -> tuple[tuple[str, Counts], ...]:
    """The sources with one more signal of ``source``; a name that is none, for it comes from outside, is left out."""
    if not (0 < len(source) <= MAX_SOURCE and source.isprintable()):
        return sources
    others = [each for each in sources if each[0] != source]
    known = None if len(others) == len(sources) else next(counts for name, counts in sources if name == source)
    return (*others[-MAX_DAY_SOURCES + 1 :], (source, _more(known)))


def _more(counts: Counts | None) -> Counts:
    return (*counts[:-1], counts[-1] + 1) if counts else (1,)


def _later(counts: Counts, passed: int) -> Counts:
    """The counts after so many hours without any; nothing where all are older than the day."""
    if passed >= HOURS:
        return ()
    kept = counts[max(0, len(counts) + passed - HOURS) :]
    first = next((index for index, count in enumerate(kept) if count), None)
    return () if first is None else (*kept[first:], *(0,) * passed)


def _sums(one: dict[str, Counts], other: dict[str, Counts]) -> dict[str, Counts]:
    return {
        name: tuple([a + b for a, b in zip_longest(one.get(name, ())[::-1], other.get(name, ())[::-1], fillvalue=0)])[
            ::-1
        ]
        for name in sorted({*one, *other})
    }
