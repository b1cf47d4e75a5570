"""Rhythm: how often a feed publishes, by the hour of the day, and which interval fits that. Times are given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
HOURS = 24
MEMORY_S = 7 * DAY_S
"""What was published this long ago weighs a third (1/e) of what is published now."""
WINDOW_S = 14 * DAY_S
"""Older entries tell nothing of today's rate."""
LEAST_SPAN_S = 600.0
"""Dates that lie closer together are those of a template or of an export, not of publishing."""
AHEAD_S = 300.0
"""By how much a publisher's clock may be fast."""

PACE_S = 1800.0
"""The interval that fits one entry an hour. Everything else follows from it by the square-root rule."""
PRIOR_ENTRIES = 2.0
"""With how many entries, at the rate that it fits, the interval that a feed began with weighs beside what it does."""
SHRINK = 3.0
"""An hour of the day with this many entries to be expected of it weighs as much as the mean of all hours."""

BURST_S = 2 * HOUR_S
"""Entries of this last while tell of something that goes on, whatever the hour usually is like."""
BURST_SHARE = 0.5
"""How much of their rate is believed."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What was published, with fading memory; times are Unix seconds.

    An entry weighs ``exp((its time - base) / MEMORY_S)``: so a poll that finds nothing changes no count, and rounding
    does not add up over thousands of them.

    Attributes:
        since: From when on all that the feed published is counted.
        as_of: Up to when.
        base: The time at which an entry weighs 1.
        counts: Weights of entries by the hour of the day (UTC) in which they were published.
        burst: Entries of the last two hours or so, each faded with its age at ``as_of``.
    """

    since: float
    as_of: float
    base: float
    counts: tuple[float, ...] = (0.0,) * HOURS
    burst: float = 0.0

    def __post_init__(self) -> None:
        if len(self.counts) != HOURS:
            raise ValueError(f"a rhythm: {len(self.counts)} hours, not {HOURS}")


@dataclass(frozen=True, slots=True)
class Pace:
    """Within which bounds a feed is polled, in seconds: what it begins with, the shortest and the longest interval."""

    start_s: float
    floor_s: float
    cap_s: float


def blank(now: float) -> Rhythm:
    """The rhythm of a feed of which nothing is known yet."""
    return Rhythm(now, now, now)


def begun(dates: Iterable[float], now: float) -> Rhythm:
    """The rhythm that the dates of all entries of a document show, as a first guess.

    A document shows the newest entries, so what it tells begins with the oldest of them, whose own date is where the
    count starts. Dates that lie ahead, or all at one time, tell nothing.
    """
    usable = sorted(min(date, now) for date in dates if date <= now + AHEAD_S)
    recent = [date for date in usable if date > now - WINDOW_S]
    if len(usable) < 2 or usable[-1] - usable[0] < LEAST_SPAN_S:  # noqa: PLR2004  # two make a span
        return blank(now)
    if len(recent) == len(usable):
        return _counted(Rhythm(recent[0], now, now), recent[1:])
    return _counted(Rhythm(now - WINDOW_S, now, now), recent)


def learned(rhythm: Rhythm, dates: Iterable[float], now: float) -> Rhythm:
    """``rhythm`` up to ``now``, in which entries of these ``dates`` came to light; none is progress too.

    A date before what was counted already, or ahead, counts as the nearest time that is possible: it came to light now.
    """
    until = max(now, rhythm.as_of)
    dates = [min(max(date, rhythm.as_of), until) for date in dates]
    burst = rhythm.burst * math.exp((rhythm.as_of - until) / BURST_S)
    return _counted(_rebased(replace(rhythm, as_of=until, burst=burst)), dates)


def interval_s(rhythm: Rhythm, pace: Pace, now: float) -> float:
    """Seconds until the next poll that fit the rhythm from ``now`` on, within the bounds of ``pace``.

    For a given number of polls, the delays of all entries together are least where each feed is polled at a frequency
    that goes with the square root of its rate; of a rate that changes with the hour, the root is added up over time.
    Source: Cho and Garcia-Molina, Effective page refresh policies for web crawlers, TODS 2003.
    """
    mean = _mean(rhythm, pace)
    left = PACE_S / math.sqrt(HOUR_S)
    waited = 0.0
    while waited < pace.cap_s:
        at = now + waited
        root = math.sqrt(_lifted(rhythm, _rate(rhythm, mean, _hour(at)), waited))
        rest = HOUR_S - at % HOUR_S
        if left <= root * rest:
            waited += left / root
            break
        left -= root * rest
        waited += rest
    return min(max(waited, pace.floor_s), pace.cap_s)


def daily(rhythm: Rhythm, pace: Pace) -> float:
    """Entries a day, as far as is known."""
    return _mean(rhythm, pace) * DAY_S


def _counted(rhythm: Rhythm, dates: Iterable[float]) -> Rhythm:
    counts, burst = list(rhythm.counts), rhythm.burst
    for date in dates:
        counts[_hour(date)] += math.exp((date - rhythm.base) / MEMORY_S)
        burst += math.exp((date - rhythm.as_of) / BURST_S)
    return replace(rhythm, counts=tuple(counts), burst=burst)


def _rebased(rhythm: Rhythm) -> Rhythm:
    """Once in ``MEMORY_S`` weights are told as of a later time, or they would grow without end."""
    if rhythm.as_of - rhythm.base < MEMORY_S:
        return rhythm
    faded = math.exp((rhythm.base - rhythm.as_of) / MEMORY_S)
    return replace(rhythm, base=rhythm.as_of, counts=tuple(count * faded for count in rhythm.counts))


def _mean(rhythm: Rhythm, pace: Pace) -> float:
    """Entries a second over all hours, drawn towards the rate that the interval at the start would fit."""
    expected = (PACE_S / pace.start_s) ** 2 / HOUR_S
    span = _faded(rhythm.as_of - rhythm.since)
    return (_weight(rhythm) * sum(rhythm.counts) + PRIOR_ENTRIES) / (span + PRIOR_ENTRIES / expected)


def _weight(rhythm: Rhythm) -> float:
    """What an entry that weighed 1 at the base weighs now."""
    return math.exp((rhythm.base - rhythm.as_of) / MEMORY_S)


def _rate(rhythm: Rhythm, mean: float, hour: int) -> float:
    """Entries a second in an hour of the day, drawn towards the mean where few are to be expected."""
    drawn = SHRINK / mean
    return (_weight(rhythm) * rhythm.counts[hour] + mean * drawn) / (_watched(rhythm, hour) + drawn)


def _lifted(rhythm: Rhythm, rate: float, waited: float) -> float:
    """``rate`` with what a burst adds to it, which fades with the wait; one entry alone is none."""
    lately = (rhythm.burst - 1) / BURST_S * math.exp(-waited / BURST_S)
    return rate + BURST_SHARE * max(lately - rate, 0.0)


def _watched(rhythm: Rhythm, hour: int) -> float:
    """For how many seconds, faded, this hour of the day was watched."""
    if rhythm.as_of - rhythm.since >= DAY_S:
        return _faded(rhythm.as_of - rhythm.since) / HOURS
    start, end = rhythm.since / HOUR_S, rhythm.as_of / HOUR_S
    first = int(start // HOURS) * HOURS + hour
    return HOUR_S * sum(max(0.0, min(end, at + 1) - max(start, at)) for at in (first, first + HOURS))


def _faded(seconds: float) -> float:
    return MEMORY_S * -math.expm1(-max(seconds, 0.0) / MEMORY_S)


def _hour(at: float) -> int:
    return int(at // HOUR_S) % HOURS


def packed(rhythm: Rhythm) -> str:
    """``rhythm`` as text of at most 240 characters; what is read of it and packed again is the same text."""
    times = (f"{time:.0f}" for time in (rhythm.since, rhythm.as_of, rhythm.base))
    numbers = (rhythm.burst, *rhythm.counts)
    return " ".join([*times, *(f"{min(n, 9999):.4g}" if n >= 0.01 else "0" for n in numbers)])  # noqa: PLR2004


def unpacked(words: Sequence[str]) -> Rhythm:
    """The rhythm of ``packed(…).split()``.

    Raises:
        ValueError: It is none.
    """
    since, as_of, base, burst, *counts = (float(word) for word in words)
    if not all(0 <= value < math.inf for value in (since, as_of, base, burst, *counts)) or not since <= as_of:
        raise ValueError("a rhythm: a number that none of its can be")
    if abs(as_of - base) > MEMORY_S + DAY_S:
        raise ValueError("a rhythm: weights of another time")
    return Rhythm(since, as_of, base, tuple(counts), burst)
