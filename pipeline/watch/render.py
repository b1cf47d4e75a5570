"""Records as text for a person: pure functions, so what a terminal shows can be tested without one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.records import Alert, AlertEvidence, Level, Signal, Transition

if TYPE_CHECKING:
    from rich.text import Text

BLOCKS = "▁▂▃▄▅▆▇█"
STYLES = {Level.CALM: "dim", Level.WATCH: "yellow", Level.WARNING: "dark_orange", Level.CRITICAL: "bold red"}
PLAIN_EVIDENCE = 5
SENTENCE = 240
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")


def clean(text: str, most: int = SENTENCE) -> str:
    """``text`` on one line, without control characters (a headline must not steer the terminal), cut to ``most``."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def sparkline(values: Sequence[float], width: int) -> str:
    """The latest ``width`` values as blocks, against the greatest of them; a run of zeros is flat."""
    shown = list(values)[-width:]
    top = max(shown, default=0.0)
    if top <= 0:
        return BLOCKS[0] * len(shown)
    return "".join(BLOCKS[min(len(BLOCKS) - 1, int(max(0.0, value) / top * len(BLOCKS)))] for value in shown)


def clock(at: datetime) -> str:
    """Time of day in UTC."""
    return at.astimezone(UTC).strftime("%H:%M:%S")


def words(name: str) -> str:
    """A vocabulary's word as a person writes it."""
    return name.replace("_", " ")


def evidence_line(each: AlertEvidence) -> str:
    """``"…sentence…" — wire.example (deployment, asserted, +6.5)``."""
    told = f", {each.sources} sources" if each.sources > 1 else ""
    kind = f"{words(each.event_type)}, {each.modality}, {each.weight:+.1f}{told}"
    return f"“{clean(each.sentence)}” — {clean(each.source, 60) or 'unknown'} ({kind})"


def level_of(alert: Alert) -> Level:
    """The level to show: of one that is resolved, what it was."""
    return alert.previous_level if alert.transition is Transition.RESOLVED else alert.level


def alert_head(alert: Alert, label: str = "") -> str:
    """``12:03:44 RAISED   warning  XBM-XKV  score 23.4 (baseline 0.4)  5 sources``."""
    label = label or alert.transition.value.upper()
    change = f"  from {alert.previous_level}" if _moved(alert) else ""
    heard = f"{alert.sources} source{'' if alert.sources == 1 else 's'}"
    score = f"score {alert.score:.1f} (baseline {alert.baseline:.1f})"
    drill = "  drill" if alert.drill else ""
    dyad = clean(alert.dyad, 40)
    return f"{clock(alert.at)} {label:<8} {level_of(alert):<8} {dyad}  {score}  {heard}{change}{drill}"


def _moved(alert: Alert) -> bool:
    return alert.transition is Transition.UPDATED and alert.previous_level is not alert.level


def alert_lines(alert: Alert, label: str = "", most: int = PLAIN_EVIDENCE) -> list[str]:
    """The transition, then what it rests on; one that is resolved needs no evidence."""
    lines = [alert_head(alert, label)]
    if alert.transition is not Transition.RESOLVED:
        lines += [f"    · {evidence_line(each)}" for each in alert.evidence[:most]]
        if len(alert.evidence) > most:
            lines.append(f"    · and {len(alert.evidence) - most} more")
    return lines


def signal_line(signal: Signal) -> str:
    """``12:03:41 signal   XBM-XKV  deployment, asserted, +6.5  “…” — wire.example``."""
    weight = f"{signal.severity.score * signal.confidence:+.1f}" if signal.active else "does not count"
    kind = f"{words(signal.event_type)}, {signal.modality}, {weight}"
    dyads = clean(" ".join(signal.dyads) or "*-*", 60)
    sentence = clean(signal.evidence.sentence)
    return f"{clock(signal.observed_at)} signal   {dyads}  {kind}  “{sentence}” — {clean(signal.source, 60)}"


def highlighted(each: AlertEvidence, style: str = "bold reverse") -> Text:
    """The sentence with its trigger marked, as rich text."""
    from rich.text import Text

    text = Text(_CONTROL.sub(" ", each.sentence))
    start, end = each.trigger_span
    if 0 <= start < end <= len(each.sentence) and len(text.plain) == len(each.sentence):
        text.stylize(style, start, end)
    return text
