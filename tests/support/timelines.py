"""Timelines of signals for scoring tests: what was told, when, by whom."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import samples

from config.alerts import AlertRules
from pipeline.records import EventType, Evidence, Level, Modality, Severity, Transition
from pipeline.records.minhash import signature
from pipeline.scoring.book import Book

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.records import Alert, Signal

START = datetime(2031, 5, 6, tzinfo=UTC)
DYAD = "ARV-BRN"


def rules(**changes: Any) -> AlertRules:
    """One rule: watch 10/5, warning 20/12, critical 40/25; half-life 48 h; no hold; clears after 6 h."""
    rule: dict[str, Any] = {
        "name": "test",
        "levels": {
            "watch": {"raise_at": 10, "clear_at": 5},
            "warning": {"raise_at": 20, "clear_at": 12},
            "critical": {"raise_at": 40, "clear_at": 25},
        },
        "hold_for": "0s",
        "clear_for": "6h",
        "min_sources": 1,
        "baseline_ratio": 0,
    }
    return AlertRules.model_validate({"rules": [rule | changes]})


def at(hours: float) -> datetime:
    """So many hours after the start."""
    return START + timedelta(hours=hours)


def told(hours: float, name: str, severity: float = 10.0, source: str | None = None, **changes: Any) -> Signal:
    """A signal of confidence 1 observed after ``hours``; ``name`` makes its ids, and so its story."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    sentence = f"In {name} troops moved to the border."
    start = sentence.index("moved")
    values: dict[str, Any] = {
        "signal_id": digest[:32],
        "article_id": digest[32:],
        "source": source or f"{name}.example",
        "published_at": at(hours),
        "observed_at": at(hours),
        "confidence": 1.0,
        "severity": Severity(plover="x", base=severity, factors={}, score=severity),
        "evidence": Evidence(
            part="text",
            sentence=sentence,
            sentence_span=(100, 100 + len(sentence)),
            sentence_index=3,
            trigger="moved",
            trigger_span=(100 + start, 105 + start),
        ),
    }
    return samples.signal(**values | changes)


def wire(words: str) -> str:
    """The signature of a story."""
    return signature(words)


KINDS = (
    (EventType.DEPLOYMENT, Modality.ASSERTED, 6.5),
    (EventType.FORCE, Modality.THREATENED, 3.5),
    (EventType.FORCE, Modality.ASSERTED, 9.0),
    (EventType.SANCTION, Modality.PLANNED, 4.0),
    (EventType.TALKS, Modality.ASSERTED, -2.5),
    (EventType.WITHDRAWAL, Modality.ASSERTED, -8.0),
)


def play(book: Book, signals: Iterable[Signal], until: float, dyad: str = DYAD) -> list[Alert]:
    """The transitions of ``signals``, as they arrive, and of time up to ``until`` hours."""
    for each in signals:
        book.apply(dyad, each)
    book.advance(at(until))
    return book.drain()[0]


def brief(alerts: Iterable[Alert]) -> list[tuple[str, str, float]]:
    """Transition, level and hours of each, for comparison."""
    return [
        (alert.transition.value, alert.level.value, round((alert.at - START).total_seconds() / 3600, 2))
        for alert in alerts
    ]


_WATCH = {"watch": {"raise_at": 10, "clear_at": 5}}
BASE: dict[str, Any] = {
    "name": "main",
    "levels": _WATCH | {"warning": {"raise_at": 20, "clear_at": 12}},
    "hold_for": "0s",
    "clear_for": "6h",
    "min_sources": 1,
    "baseline_ratio": 0,
}
FEARED = BASE | {
    "name": "feared",
    "levels": {"watch": {"raise_at": 4, "clear_at": 2}},
    "counts": {"types": ["force"], "modalities": ["speculative"]},
}


def file(*rules: dict[str, Any], **more: Any) -> AlertRules:
    """A file of alert rules."""
    return AlertRules.model_validate({"rules": list(rules)} | more)


def feared(hours: float, name: str, severity: float = 2.25, **changes: Any) -> Signal:
    """A signal that an attack is expected."""
    kind = {"event_type": EventType.FORCE, "modality": Modality.SPECULATIVE, "active": False}
    return told(hours, name, severity, **(kind | changes))


def life(name: str, dyad: str, *steps: tuple[float, Level], muted: Iterable[int] = ()) -> list[Alert]:
    """The transitions of one alert: at which hour it went to which level; calm resolves it.

    Args:
        name: A hex digit, of which its id is made.
        dyad: Of which dyad.
        steps: Hours after the start, and levels.
        muted: Numbers of the steps that are muted, from 0.
    """
    alerts, before = [], Level.CALM
    for number, (hours, level) in enumerate(steps):
        ended = Transition.RESOLVED if level is Level.CALM else Transition.UPDATED
        alerts.append(
            samples.alert(
                alert_id=name * 32,
                sequence=number + 1,
                transition=ended if number else Transition.RAISED,
                level=level,
                previous_level=before,
                dyad=dyad,
                at=at(hours),
                started_at=at(steps[0][0]),
                score=10.0 * level.rank + 2,
                muted="silence: test" if number in set(muted) else None,
            )
        )
        before = level
    return alerts
