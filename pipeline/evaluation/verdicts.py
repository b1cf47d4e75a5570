"""Verdicts: how alerts did against dated events, for a person in the terminal, and for a program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pipeline.evaluation.episodes import Episode
from pipeline.evaluation.lead_time import Judged, Outcome, Verdict
from pipeline.watch.render import clean

_DAY = timedelta(days=1)
MAX_FALSE = 20
"""False alarms that are listed for a person."""


def length(span: timedelta) -> str:
    """``3.2 days``, ``5 h`` or ``12 min``."""
    hours = span / timedelta(hours=1)
    if abs(span) >= 2 * _DAY:
        return f"{round(span / _DAY, 1):g} days"
    return f"{round(hours, 1):g} h" if abs(hours) >= 1 else f"{hours * 60:.0f} min"


def told(outcome: Outcome) -> str:
    """``early by 3.2 days``, ``late by 5 h``, ``missed`` or ``unseen``."""
    return outcome.verdict if outcome.lead is None else lead(outcome.lead)


def lead(span: timedelta) -> str:
    """``early by 3.2 days`` or ``late by 5 h``."""
    return f"{Verdict.EARLY if span > timedelta() else Verdict.LATE} by {length(abs(span))}"


def figures(judged: Judged) -> Iterator[tuple[str, str]]:
    """What matters, and its figure."""
    seen = len(judged.outcomes) - judged.count(Verdict.UNSEEN)
    yield "events hit", f"{judged.hits} of {seen}"
    yield "hit early", f"{judged.count(Verdict.EARLY)} of {seen}"
    yield "median lead", "none" if judged.median_lead is None else lead(judged.median_lead)
    yield "alerts that were false", f"{len(judged.false_alarms)} of {judged.episodes}"
    yield "false in 30 days", f"{judged.false_per_month:.2f}"
    yield "… of one dyad", f"{judged.false_per_dyad_month:.3f}"


def lines(judged: Judged) -> Iterator[str]:
    """The table, 80 columns wide where notes are short."""
    yield f"{'event':<20} {'dyad':<11} {'level':<9} {'told':<22} note"
    yield from (_line(outcome) for outcome in judged.outcomes)
    yield ""
    yield from (f"{name:<24} {figure}" for name, figure in figures(judged))
    if judged.false_alarms:
        yield ""
        yield f"{'false alarm':<20} {'dyad':<11} {'level':<9} rule"
        yield from (_false(episode) for episode in judged.false_alarms[:MAX_FALSE])
        if len(judged.false_alarms) > MAX_FALSE:
            yield f"and {len(judged.false_alarms) - MAX_FALSE} more"


def _line(outcome: Outcome) -> str:
    event = outcome.event
    what = f"{_when(event.begins):<20} {event.dyad:<11} {event.level:<9}"
    return f"{what} {told(outcome):<22} {clean(event.note, 60)}".rstrip()


def _false(episode: Episode) -> str:
    return f"{_when(episode.first.at):<20} {episode.dyad:<11} {episode.peak.level:<9} {episode.first.rule}"


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def as_json(judged: Judged) -> dict[str, Any]:
    """All of it; spans of time in hours."""
    return {
        "horizon_hours": _hours(judged.horizon),
        "length_hours": _hours(judged.length),
        "dyads": judged.dyads,
        "episodes": judged.episodes,
        "hits": judged.hits,
        **{str(verdict): judged.count(verdict) for verdict in Verdict},
        "median_lead_hours": _hours(judged.median_lead),
        "false_alarms": len(judged.false_alarms),
        "false_alarms_per_month": round(judged.false_per_month, 4),
        "false_alarms_per_month_and_dyad": round(judged.false_per_dyad_month, 4),
        "false_alarms_by_dyad": judged.false_by_dyad,
        "events": [_outcome(outcome) for outcome in judged.outcomes],
        "false_alarm_episodes": [_episode(episode) for episode in judged.false_alarms],
    }


def _hours(span: timedelta | None) -> float | None:
    return None if span is None else round(span / timedelta(hours=1), 4)


def _outcome(outcome: Outcome) -> dict[str, Any]:
    event = outcome.event
    return {
        "dyad": event.dyad,
        "from": event.begins.isoformat(),
        "until": event.until.isoformat() if event.until else None,
        "level": event.level,
        "note": event.note,
        "verdict": outcome.verdict,
        "lead_hours": _hours(outcome.lead),
        "reached": outcome.reached.isoformat() if outcome.reached else None,
        "alert_id": outcome.episode.first.alert_id if outcome.episode else None,
    }


def _episode(episode: Episode) -> dict[str, Any]:
    return {
        "alert_id": episode.first.alert_id,
        "dyad": episode.dyad,
        "rule": episode.first.rule,
        "level": episode.peak.level,
        "raised": episode.first.at.isoformat(),
        "resolved": None if episode.is_open else episode.last.at.isoformat(),
    }
