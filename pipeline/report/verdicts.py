"""The section of a report that holds the alerts against dated events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.evaluation.verdicts import MAX_FALSE, figures, length, told
from pipeline.report.page import moment, pair, pill, safe, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.evaluation.episodes import Episode
    from pipeline.evaluation.lead_time import Judged, Outcome

MAX_EVENTS = 200


def section(judged: Judged) -> str:
    """The figures, each event with what became of it, and the false alarms."""
    big = "".join(f"<li><b>{figure}</b>{name}</li>" for name, figure in figures(judged))
    heads = ("Event", "Dyad", "Level", "Told", "Note")
    rows = table(heads, map(_row, judged.outcomes[:MAX_EVENTS]), "verdicts")
    return (
        f'<section><h2>Against dated events</h2>\n<ul class="big">{big}</ul>\n{rows}'
        f'<p class="note">An alert counts from {length(judged.horizon)} before an event. {_left_out(judged)}</p>\n'
        f"{_false_alarms(judged)}</section>\n"
    )


def _left_out(judged: Judged) -> str:
    events = max(0, len(judged.outcomes) - MAX_EVENTS)
    alarms = max(0, len(judged.false_alarms) - MAX_FALSE)
    return f"{events} more events and {alarms} more false alarms are not shown." if events or alarms else ""


def _row(outcome: Outcome) -> tuple[str, ...]:
    event = outcome.event
    verdict = f'<span class="{outcome.verdict}">{told(outcome)}</span>'
    return (moment(event.begins), pair(event.dyad), pill(event.level), verdict, safe(event.note))


def _false_alarms(judged: Judged) -> str:
    if not judged.false_alarms:
        return ""
    rows: Iterator[tuple[str, ...]] = map(_false, judged.false_alarms[:MAX_FALSE])
    return table(("False alarm", "Dyad", "Level", "Rule"), rows, "verdicts")


def _false(episode: Episode) -> tuple[str, ...]:
    return (moment(episode.first.at), pair(episode.dyad), pill(episode.peak.level), safe(episode.first.rule, 100))
