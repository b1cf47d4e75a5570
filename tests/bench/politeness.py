"""Politeness: a week of a thousand feeds on a virtual clock, polled by the decision that the connectors use."""

from __future__ import annotations

import random
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from config.feeds import Feed
from connectors import progress, schedule
from connectors.fetch import Fetched, Validators
from connectors.outcome import Outcome
from connectors.progress import Ended, Read
from connectors.store import FeedState
from tests.bench.publishing import DAY_S, MONDAY, Publisher, invented, real

FIXED_S = 900.0
BUSY, QUIET = 24.0, 2.0
"""Entries a day, in the time measured, from which on a feed is busy, and below which it is quiet."""
SEED = 1
"""The algorithm was tuned on this one; the others are what is reported."""
OTHERS = (2, 3, 4)
EDGE_S = 3 * 3600.0
"""Entries of the first and the last hours are left out: nobody waited for them, or their poll lies beyond the end."""


@dataclass
class Run:
    """How the polls of one feed went.

    Attributes:
        requests: How many there were.
        conditional: How many of them carried a validator.
        unchanged: How many were answered with 304.
        broken: How many came sooner than the publisher had asked.
        delays: From publication to discovery, in seconds, for each entry that was measured.
        missed: Entries that had left the document before it was read.
        whys: How often each reason decided.
    """

    requests: int = 0
    conditional: int = 0
    unchanged: int = 0
    broken: int = 0
    delays: list[float] = field(default_factory=list)
    missed: int = 0
    whys: Counter[str] = field(default_factory=Counter)


class Simulation:
    """One feed, polled from the start to the end by ``progress.after``."""

    def __init__(self, publisher: Publisher, feed: Feed, days: float, dice: random.Random) -> None:
        self._publisher = publisher
        self._times: list[float] = publisher.times.tolist()
        self._feed = feed
        self._end = MONDAY + days * DAY_S
        self._dice = dice
        self._known = 0
        self.run = Run()

    def play(self, feeds: int) -> Run:
        """Poll until the end; ``feeds`` start at once."""
        at = MONDAY + schedule.first_wait_s(self._feed.interval_s, self._dice.random(), feeds)
        state: FeedState | None = None
        while at < self._end:
            ended = self._asked(at, state)
            state, chosen = progress.after(self._feed, state, ended, at, self._dice.random())
            self.run.whys[chosen.why.value] += 1
            if state.next_due is None:
                break
            self.run.broken += state.next_due - at < self._least(ended) - 1e-3
            at = state.next_due
        return self.run

    def _asked(self, at: float, state: FeedState | None) -> Ended:
        self.run.requests += 1
        self.run.conditional += bool(state and state.etag)
        server = self._publisher
        if server.outage[0] <= at < server.outage[1]:
            return Ended(
                Outcome.SERVER_ERROR, Fetched(Outcome.SERVER_ERROR, retry_after_s=server.retry_after_s), self._feed.url
            )
        published = bisect_right(self._times, at)
        etag = f'"{published}"' if server.conditional else ""
        if state and etag and state.etag == etag:
            self.run.unchanged += 1
            return Ended(Outcome.NOT_MODIFIED, Fetched(Outcome.NOT_MODIFIED, fresh_s=server.max_age_s), self._feed.url)
        fetched = Fetched(Outcome.OK, validators=Validators(etag), fresh_s=server.max_age_s)
        return Ended(Outcome.OK, fetched, self._feed.url, read=self._read(at, published))

    def _read(self, at: float, published: int) -> Read:
        first = max(published - self._publisher.shows, 0)
        self.run.missed += max(first - self._known, 0) if self._known else 0
        new = self._times[max(first, self._known) : published]
        low, high = MONDAY + EDGE_S, self._end - EDGE_S
        self.run.delays += [at - time for time in new if low <= time < high]
        self._known = published
        if not self._publisher.dated:  # what was read without a date counts as published when it was read
            return Read(self._publisher.ttl_s, (), (at,) * len(new))
        return Read(self._publisher.ttl_s, tuple(self._times[first:published]), tuple(new))

    def _least(self, ended: Ended) -> float:
        """For how long the publisher asked not to be polled; what a 304 does not repeat, still counts."""
        asked = ended.fetched.retry_after_s
        return asked if not ended.outcome.success else max(asked, self._publisher.ttl_s, self._publisher.max_age_s)


def polled(publishers: Sequence[Publisher], days: float, seed: int) -> list[Run]:
    """How each of them is polled by a feed that adapts, as ``feeds.yaml`` has them."""
    dice = random.Random(seed)  # a simulation
    feed = Feed("simulated", "https://wire.example/rss", adapts=True)
    return [Simulation(publisher, feed, days, dice).play(len(publishers)) for publisher in publishers]


def fixed(publisher: Publisher, days: float, phase: float) -> Run:
    """The same feed polled every 15 minutes whatever it publishes or asks for, conditionally where it can be."""
    polls = np.arange(MONDAY + phase * FIXED_S, MONDAY + days * DAY_S, FIXED_S)
    works = polls[(polls < publisher.outage[0]) | (polls >= publisher.outage[1])]
    low, high = MONDAY + EDGE_S, MONDAY + days * DAY_S - EDGE_S
    times = publisher.times[(publisher.times >= low) & (publisher.times < high)]
    found = np.searchsorted(works, times)
    times, found = times[found < len(works)], found[found < len(works)]
    behind = np.searchsorted(publisher.times, works[found]) - np.searchsorted(publisher.times, times)
    missed = int((behind > publisher.shows).sum())
    return Run(requests=len(polls), delays=(works[found] - times).tolist(), missed=missed)


def compared(publishers: Sequence[Publisher], days: float, seed: int) -> dict[str, Any]:
    """Adaptive and fixed polling of the same publishers: requests, and delays by class of feed."""
    adaptive = polled(publishers, days, seed)
    dice = random.Random(seed)  # as above
    plain = [fixed(publisher, days, dice.random()) for publisher in publishers]
    rates = [_rate(publisher, days) for publisher in publishers]
    requests = sum(run.requests for run in adaptive)
    figures: dict[str, Any] = {
        "requests_share": round(requests / sum(run.requests for run in plain), 3),
        "conditional": round(sum(run.conditional for run in adaptive) / requests, 3),
        "answered_304": round(sum(run.unchanged for run in adaptive) / requests, 3),
        "rules_broken": sum(run.broken for run in adaptive),
        "missed": sum(run.missed for run in adaptive),
        "fixed_missed": sum(run.missed for run in plain),
        "why": dict(sum((run.whys for run in adaptive), Counter()).most_common()),
    }
    chosen = {
        "busy": [rate >= BUSY for rate in rates],
        "ordinary": [QUIET <= rate < BUSY for rate in rates],
        "quiet": [rate < QUIET for rate in rates],
        "busy, no rule": [
            rate >= BUSY and not p.ttl_s and not p.max_age_s for rate, p in zip(rates, publishers, strict=True)
        ],
    }
    for name, picked in chosen.items():
        figures[name] = _of_class(
            [run for run, pick in zip(adaptive, picked, strict=True) if pick],
            [run for run, pick in zip(plain, picked, strict=True) if pick],
            days,
        )
    return figures


def _of_class(adaptive: Sequence[Run], plain: Sequence[Run], days: float) -> dict[str, Any]:
    if not adaptive:
        return {"feeds": 0}
    return {
        "feeds": len(adaptive),
        "requests_a_feed_a_day": round(sum(run.requests for run in adaptive) / len(adaptive) / days, 1),
        "delay_min_p50_p95": _minutes(adaptive),
        "fixed_delay_min_p50_p95": _minutes(plain),
    }


def _minutes(runs: Sequence[Run]) -> list[float]:
    delays = [delay for run in runs for delay in run.delays]
    return [round(float(value) / 60, 1) for value in np.percentile(delays, [50, 95])] if delays else []


def _rate(publisher: Publisher, days: float) -> float:
    return float(((publisher.times >= MONDAY) & (publisher.times < MONDAY + days * DAY_S)).sum()) / days


def measure() -> dict[str, Any]:
    """A week of a thousand feeds, for each of the seeds that were not tuned on; and real times, where they are."""
    found: dict[str, Any] = {f"seed {seed}": compared(invented(1000, 7, seed), 7, seed) for seed in OTHERS}
    if outlets := real():
        found["real times"] = compared(outlets, 7, SEED)
    return found


if __name__ == "__main__":
    import json

    seed = int(sys.argv[1]) if sys.argv[1:] else SEED
    print(json.dumps(compared(invented(1000, 7, seed), 7, seed), indent=2))
