"""Metrics of dyads and sources: gauges of what score holds, and how they follow it.

Their labels come from the news, which is to say from anybody: so many dyads and sources, of names so long, and a series
ends when its dyad is not among them any more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import Gauge

from config.metrics import export
from pipeline.records import Level
from pipeline.scoring.book import Book
from pipeline.scoring.survey import Scope, Standing, Survey

LEAST_S = 1.0
"""Seconds between two surveys, at least."""
SHARE = 50
"""And at least so many times as long as one takes: with very many dyads they are rarer, not dearer."""
STALE_S = 10.0
"""Seconds after which there is one though nothing changed: scores decay."""

SCORE = Gauge("brinkwatch_dyad_score", "Score of a dyad.", ["dyad"], registry=None)
BASELINE = Gauge("brinkwatch_dyad_baseline", "Trailing mean of a dyad's score.", ["dyad"], registry=None)
LEVEL = Gauge(
    "brinkwatch_dyad_level",
    "Level of a dyad's gravest open alert: 0 calm, 1 watch, 2 warning, 3 critical.",
    ["dyad"],
    registry=None,
)
SOURCES = Gauge(
    "brinkwatch_dyad_sources",
    "Independent sources that told of something active and escalating between a dyad within two half-lives.",
    ["dyad"],
    registry=None,
)
INFO = Gauge(
    "brinkwatch_dyad_info",
    "Always 1: a dyad's name, and whether it is of the drill.",
    ["dyad", "name", "drill"],
    registry=None,
)
SIGNALS = Gauge(
    "brinkwatch_dyad_signals",
    "Signals of a dyad that counted in this hour and the 23 before it, by type of event; types without any left out.",
    ["dyad", "event_type"],
    registry=None,
)
SOURCE_SIGNALS = Gauge(
    "brinkwatch_source_signals",
    "Signals that counted in this hour and the 23 before it, of the sources with most; one of two dyads counts twice.",
    ["source"],
    registry=None,
)
DYADS = Gauge("brinkwatch_dyads", "Dyads that score holds.", registry=None)
AT_LEVEL = Gauge("brinkwatch_dyads_at_level", "Dyads by the level of their gravest alert.", ["level"], registry=None)
OPEN_ALERTS = Gauge("brinkwatch_open_alerts", "Alerts open now, by level.", ["level"], registry=None)
EXPORTS = {
    "score": (SCORE, BASELINE, LEVEL, SOURCES, INFO, SIGNALS, SOURCE_SIGNALS, DYADS, AT_LEVEL, OPEN_ALERTS),
}
"""Which metrics of this module each process exports."""

Labels = tuple[str, ...]
Series = dict[Labels, float]


def init() -> None:
    """Export them: counts at 0, and no dyad and no source before this process is the active one."""
    export(EXPORTS["score"])
    for level in Level:
        AT_LEVEL.labels(level)
        if level is not Level.CALM:
            OPEN_ALERTS.labels(level)


class DyadGauges:
    """Keeps the gauges at what the book holds: at most once a second, and only where something can have changed.

    Args:
        scope: Which dyads and sources.
        names: What to call a code.
    """

    def __init__(self, scope: Scope, names: Mapping[str, str]) -> None:
        self._scope, self._names = scope, names
        self._told: dict[Gauge, dict[Labels, Gauge]] = {}
        self._changed = True
        self._next = self._stale = 0.0

    def refresh(self, book: Book, at: datetime | None, *, changed: bool = False) -> None:
        """Survey the book, if it is time.

        Args:
            book: As it was last committed.
            at: Event time; None where it is not known yet.
            changed: Whether something was committed since the last call.
        """
        self._changed = self._changed or changed
        begun = time.monotonic()
        if begun < self._next or not (self._changed or begun >= self._stale):
            return
        self._show(book.survey(self._scope, at))
        ended = time.monotonic()
        self._changed = False
        self._next = ended + max(LEAST_S, SHARE * (ended - begun))
        self._stale = ended + STALE_S

    def clear(self) -> None:
        """Tell nothing any more: another process is the active one, or will be."""
        self._show(Survey((), 0, dict.fromkeys(Level, 0), dict.fromkeys(list(Level)[1:], 0), {}))

    def _show(self, survey: Survey) -> None:
        shown = survey.shown
        self._tell(SCORE, {(each.dyad,): each.score for each in shown})
        self._tell(BASELINE, {(each.dyad,): each.baseline for each in shown})
        self._tell(LEVEL, {(each.dyad,): each.level for each in shown})
        self._tell(SOURCES, {(each.dyad,): each.sources for each in shown})
        self._tell(INFO, {(each.dyad, self._name(each.dyad), str(each.drill).lower()): 1 for each in shown})
        self._tell(SIGNALS, dict(series for each in shown for series in _signals(each)))
        self._tell(SOURCE_SIGNALS, {(source,): count for source, count in survey.sources.items()})
        DYADS.set(survey.dyads)
        for gauge, counts in ((AT_LEVEL, survey.levels), (OPEN_ALERTS, survey.open_alerts)):
            for level, count in counts.items():
                gauge.labels(level).set(count)

    def _tell(self, gauge: Gauge, series: Series) -> None:
        """Set these series of a gauge, and end all others of it that were set before."""
        told = self._told.setdefault(gauge, {})
        for labels in told.keys() - series.keys():
            gauge.remove(*labels)
            del told[labels]
        for labels, value in series.items():
            if labels not in told:
                told[labels] = gauge.labels(*labels)
            told[labels].set(value)

    def _name(self, dyad: str) -> str:
        """Its sides' names with a dash between them; a side that is not named, or has no name, goes by its code."""
        return " – ".join(self._names.get(side, side) for side in dyad.split("-", 1))  # noqa: RUF001 (a pair's dash)


def _signals(standing: Standing) -> Iterator[tuple[Labels, float]]:
    return (((standing.dyad, event_type), count) for event_type, count in standing.signals.items())
