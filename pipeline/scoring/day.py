"""The last day of a dyad: how many signals counted in each of its hours, by type of event and by source."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.records import Signal
from pipeline.scoring.state import MAX_DAY_SOURCES, MAX_SOURCE, Day, Hourly

HOUR_S = 3600.0
HOURS = 24
_NONE = (0,) * HOURS


def noted(day: Day, signal: Signal, at: float) -> Day:
    """The day with one more signal, which counted at ``at``."""
    day = moved(day, at)
    sources = day.sources
    if is_printable(signal.source):
        sources = _more(sources, signal.source)
    return Day(day.hour, _more(day.types, signal.event_type), sources)


def moved(day: Day, at: float) -> Day:
    """The day as of the hour of ``at``: what is older than 24 hours has left it. It never goes back."""
    hour = _hour(at)
    passed = hour - day.hour
    return day if passed <= 0 else Day(hour, _shifted(day.types, passed), _shifted(day.sources, passed))


def told(hourly: Hourly, hour: int, at: float) -> dict[str, int]:
    """Of each name the signals of the hour of ``at`` and the 23 before it, where there are any.

    Args:
        hourly: Counts up to ``hour``.
        hour: The day's.
        at: Seconds since 1970.
    """
    passed = max(0, _hour(at) - hour)
    sums = {name: sum(counts[passed:]) for name, counts in hourly.items()} if passed < HOURS else {}
    return {name: count for name, count in sums.items() if count}


def joined(one: Day, other: Day) -> Day:
    """The day of two that took in different signals, as of the later one's hour."""
    at = max(one.hour, other.hour) * HOUR_S
    one, other = moved(one, at), moved(other, at)
    sources = _sums(one.sources, other.sources)
    most = sorted(sources, key=lambda name: (-sum(sources[name]), name))[:MAX_DAY_SOURCES]
    return Day(one.hour, _sums(one.types, other.types), {name: sources[name] for name in most})


def is_printable(source: str) -> bool:
    """Whether a source's name is fit to be kept and shown: it comes from outside."""
    return 0 < len(source) <= MAX_SOURCE and source.isprintable()


def _hour(at: float) -> int:
    return int(at // HOUR_S)


def _more(hourly: Hourly, name: str) -> Hourly:
    """One more in the latest hour; of more names than are kept the one with the fewest makes room."""
    counts = hourly.get(name)
    if counts is not None:
        return {**hourly, name: (*counts[:-1], counts[-1] + 1)}
    if len(hourly) >= MAX_DAY_SOURCES:
        fewest = min(hourly, key=lambda each: sum(hourly[each]))
        hourly = {each: kept for each, kept in hourly.items() if each != fewest}
    return {**hourly, name: (*_NONE[1:], 1)}


def _shifted(hourly: Hourly, passed: int) -> Hourly:
    if passed >= HOURS:
        return {}
    left = {name: (*counts[passed:], *_NONE[:passed]) for name, counts in hourly.items()}
    return {name: counts for name, counts in left.items() if any(counts)}


def _sums(one: Mapping[str, tuple[int, ...]], other: Mapping[str, tuple[int, ...]]) -> Hourly:
    names = sorted({*one, *other})
    pairs = {name: zip(one.get(name, _NONE), other.get(name, _NONE), strict=True) for name in names}
    return {name: tuple(a + b for a, b in pair) for name, pair in pairs.items()}
