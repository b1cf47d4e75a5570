"""Standing: the open alerts that an Alertmanager has to hear of again and again."""

from __future__ import annotations

from collections.abc import Iterable

from config.receivers import Match
from pipeline.notify.selection import stands
from pipeline.records import Alert, Transition


class Standing:
    """Open alerts by id, as of their latest transition that is known."""

    def __init__(self, match: Match) -> None:
        self._match = match
        self._latest: dict[str, Alert] = {}

    def begin(self, alerts: Iterable[Alert]) -> None:
        """What the topic of open alerts holds."""
        for alert in alerts:
            self.note(alert)

    def note(self, alert: Alert) -> None:
        """A transition; one that is older than what is known changes nothing."""
        known = self._latest.get(alert.alert_id)
        if known is not None and known.sequence > alert.sequence:
            return
        if alert.transition is Transition.RESOLVED:
            self._latest.pop(alert.alert_id, None)
        else:
            self._latest[alert.alert_id] = alert

    def now(self) -> list[Alert]:
        """Those that the receiver wants, oldest first."""
        wanted = (alert for alert in self._latest.values() if stands(self._match, alert))
        return sorted(wanted, key=lambda alert: (alert.started_at, alert.alert_id))
