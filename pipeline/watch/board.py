"""What the terminal view shows: dyads and open alerts, kept up to date from messages. No terminal, no Kafka here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.kafka.message import Message
from pipeline.records import Alert, AlertEvidence, DecodeError, Dyad, Level, Trend, decode
from pipeline.records.topics import Topics
from pipeline.watch.render import clean, sparkline
from pipeline.watch.subscribe import readable

ARROWS = {Trend.RISING: "↑", Trend.STEADY: "→", Trend.FALLING: "↓"}
SPARK = 12
LEAST_SCORE = 0.05
"""A dyad below this with no open alert has nothing to show."""


@dataclass(slots=True)
class Board:
    """The latest of each dyad, and the open alerts.

    Attributes:
        topics: Where messages come from.
        dyads: By key.
        alerts: Open ones by id.
    """

    topics: Topics
    dyads: dict[str, Dyad] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)

    def take(self, message: Message) -> None:
        """Bring the board up to date; a message that can't be read changes nothing."""
        key = (message.key or b"").decode(errors="replace")
        if message.topic == self.topics.dyads.name:
            self._take_dyad(key, message)
        elif message.topic == self.topics.alerts_current.name:
            if message.value is None:
                self.alerts.pop(key, None)
            elif (alert := readable(message)) is not None:
                self.alerts[key] = alert

    def _take_dyad(self, key: str, message: Message) -> None:
        if message.value is None:
            self.dyads.pop(key, None)
            return
        try:
            self.dyads[key] = decode(message.value, Dyad)
        except DecodeError:
            return

    def ranked(self, wanted: str = "") -> list[Dyad]:
        """The dyads that have something to show and match ``wanted``: highest level first, then highest score."""
        shown = (dyad for dyad in self.dyads.values() if dyad.score >= LEAST_SCORE or dyad.open_alert)
        found = (dyad for dyad in shown if matches(wanted, dyad.dyad, dyad.level, dyad.evidence))
        return sorted(found, key=lambda dyad: (-dyad.level.rank, -dyad.score, dyad.dyad))

    def open_alerts(self, wanted: str = "") -> list[Alert]:
        """Those that match ``wanted``: muted ones last, highest level first, then latest."""
        found = (
            alert
            for alert in self.alerts.values()
            if matches(wanted, f"{alert.dyad} {alert.rule}", alert.level, alert.evidence)
        )
        return sorted(found, key=_urgency)


def _urgency(alert: Alert) -> tuple[bool, int, float, str]:
    return alert.muted is not None, -alert.level.rank, -alert.at.timestamp(), alert.alert_id


def matches(wanted: str, name: str, level: Level, evidence: tuple[AlertEvidence, ...]) -> bool:
    """Whether each word of ``wanted`` stands in the name, the level, or the evidence's words, types or sources."""
    sought = wanted.casefold().split()
    if not sought:
        return True
    told = (f"{each.sentence} {each.source} {each.event_type} {each.modality}" for each in evidence)
    text = " ".join((name, level, *told)).casefold()
    return all(word in text for word in sought)


def condensed(values: Sequence[float], width: int) -> list[float]:
    """All of ``values`` as at most ``width`` of them: of those that fall together the greatest."""
    stride = -(-len(values) // width) or 1
    return [max(values[at : at + stride]) for at in range(0, len(values), stride)]


def row(dyad: Dyad) -> tuple[str, str, str, str, str, str, str]:
    """A dyad's cells: key, level, score, baseline, sparkline, trend, heaviest evidence."""
    leading = clean(dyad.evidence[0].sentence, 120) if dyad.evidence else ""
    return (
        clean(dyad.dyad, 16),
        dyad.level.value,
        f"{dyad.score:.1f}",
        f"{dyad.baseline:.1f}",
        sparkline(condensed(dyad.history, SPARK), SPARK),
        ARROWS[dyad.trend],
        leading,
    )
