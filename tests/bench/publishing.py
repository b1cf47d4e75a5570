"""Publishers for the politeness bench: when each of many invented feeds publishes, and how its server behaves.

Every parameter is a guess at what news feeds do, and stands here. The shape of the day is as deep as that of real
headlines, whose busiest hour has four to five times the entries of the quietest after outlets of many zones are added
up; a single outlet's night is deeper.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

DAY_S = 86_400.0
HOUR_S = 3600.0
MONDAY = 1_793_577_600.0
"""Monday, 2026-11-02, 0 h UTC: where the simulation begins. What lies before is what feeds show at first."""
HISTORY_DAYS = 14
REAL = Path(__file__).parents[3] / "shared/streams/world_2021-11.jsonl"
"""Dated headlines that the project does not hold; only their times are used, where they are present."""

MEDIAN_A_DAY, SIGMA, LEAST_A_DAY, MOST_A_DAY = 4.0, 1.9, 1 / 30, 200.0
"""Entries a day over feeds: log-normal, heavy-tailed, from one a month to 200 a day."""
BATCH = 0.35
"""Each entry is joined by another within a quarter of an hour with this probability, and so on."""
STORY_HOURS, STORY_FACTOR = 4, 4.0
"""Once a week something happens: for some hours half of the feeds publish several times as much."""


@dataclass(frozen=True)
class Publisher:
    """A feed and its server; times are Unix seconds.

    Attributes:
        times: When it publishes, in order.
        shows: How many entries its document holds.
        dated: Whether entries carry their dates.
        conditional: Whether it answers 304.
        ttl_s: What its document asks for; 0 for nothing.
        max_age_s: What its cache headers say; 0 for nothing.
        outage: From when to when it fails.
        retry_after_s: What it asks for while it fails; 0 for nothing.
    """

    times: np.ndarray
    shows: int = 30
    dated: bool = True
    conditional: bool = True
    ttl_s: float = 0.0
    max_age_s: float = 0.0
    outage: tuple[float, float] = (0.0, 0.0)
    retry_after_s: float = 0.0


def invented(count: int, days: int, seed: int) -> list[Publisher]:
    """Publishers by the parameters above, the same for the same ``seed``."""
    dice = np.random.default_rng(seed)
    story = MONDAY + dice.uniform(0, max(days - 1, 0.5)) * DAY_S
    return [_publisher(dice, days, story) for _ in range(count)]


def real(days: int = 7) -> list[Publisher]:
    """Outlets of real headlines with one a day or more; the last ``days`` days are moved to where others begin."""
    if not REAL.exists():
        return []
    by_source: defaultdict[str, list[float]] = defaultdict(list)
    for row in map(json.loads, REAL.open(encoding="utf-8")):
        if row["precision"] == "second":
            by_source[row["source"]].append(datetime.fromisoformat(row["published"]).timestamp())
    end = max(max(times) for times in by_source.values())
    shift = MONDAY + days * DAY_S - end
    return [Publisher(np.sort(times) + shift) for times in by_source.values() if len(times) >= 21]  # days


def _publisher(dice: np.random.Generator, days: int, story: float) -> Publisher:
    outage = (0.0, 0.0)
    if dice.random() < 0.08:  # one in twelve fails for hours
        start = MONDAY + dice.uniform(0, days) * DAY_S
        outage = (start, start + dice.uniform(2, 12) * HOUR_S)
    return Publisher(
        times=_times(dice, days, story if dice.random() < 0.5 else 0.0),  # half of them
        shows=int(dice.choice([15, 20, 30, 50, 100])),
        dated=bool(dice.random() < 0.95),
        conditional=bool(dice.random() < 0.8),
        ttl_s=float(dice.choice([0, 300, 900, 1800, 3600], p=[0.80, 0.04, 0.04, 0.04, 0.08])),
        max_age_s=float(dice.choice([0, 60, 300, 600, 900, 1800], p=[0.70, 0.10, 0.08, 0.05, 0.05, 0.02])),
        outage=outage,
        retry_after_s=float(dice.choice([0, 600, 7200], p=[0.7, 0.2, 0.1])),
    )


def _times(dice: np.random.Generator, days: int, story: float) -> np.ndarray:
    """When one feed publishes, from two weeks before the start to the end."""
    rate = float(np.clip(MEDIAN_A_DAY * np.exp(SIGMA * dice.standard_normal()), LEAST_A_DAY, MOST_A_DAY))
    hours = np.arange(-HISTORY_DAYS * 24, days * 24)
    starts = MONDAY + hours * HOUR_S
    shape = _shape(dice, hours)
    shape = np.where((starts >= story) & (starts < story + STORY_HOURS * HOUR_S), shape * STORY_FACTOR, shape)
    firsts = dice.poisson(rate / 24 * shape * (1 - BATCH))
    times = np.repeat(starts, firsts) + dice.uniform(0, HOUR_S, firsts.sum())
    joined = [times]
    while len(times := times[dice.random(len(times)) < BATCH]):
        times = times + dice.uniform(0, 900, len(times))
        joined.append(times)
    return np.sort(np.concatenate(joined))


def _shape(dice: np.random.Generator, hours: np.ndarray) -> np.ndarray:
    """How much of the mean each hour has: a day that is deep or flat, in a zone, and weekends that are quieter."""
    depth, peak, weekend = dice.uniform(0.3, 1.0), dice.uniform(10, 17), dice.uniform(0.3, 1.0)
    zone = dice.choice([-8, -5, 0, 1, 2, 3, 8, 9])
    local = hours + zone
    day = 1 + depth * np.cos((local - peak) / 24 * 2 * np.pi)
    day = day**2 / np.mean(day**2)
    return day * np.where(local // 24 % 7 >= 5, weekend, 1.0)  # Saturday and Sunday
