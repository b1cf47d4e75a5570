"""What Alertmanager is sent: alerts that it groups, silences and routes as it does those of Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from config.receivers import Alertmanager
from pipeline.notify.request import Request
from pipeline.notify.selection import reaches
from pipeline.records import Alert, Level, Transition
from pipeline.watch.render import clean

PATH = "/api/v2/alerts"
MOST_LABELS = 40
LABEL = 500
ANNOTATION = 2000
_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_]")
_encoder = msgspec.json.Encoder()
Posted = dict[str, Any]


def compose(alert: Alert, receiver: Alertmanager, now: datetime) -> Request:
    """The POST of a transition.

    The level is a label, so an alert of another level is another alert to Alertmanager: a change of level ends the one
    and begins the other.
    """
    alerts = []
    left = alert.transition is Transition.RESOLVED or alert.previous_level is not alert.level
    if left and reaches(receiver.match, alert.previous_level):
        alerts.append(ended(alert, receiver, now))
    if alert.transition is not Transition.RESOLVED and reaches(receiver.match, alert.level):
        alerts.append(firing(alert, receiver, now))
    return _request(alerts)


def again(alerts: Iterable[Alert], receiver: Alertmanager, now: datetime) -> Request:
    """The POST that keeps open alerts from expiring."""
    return _request([firing(alert, receiver, now) for alert in alerts])


def firing(alert: Alert, receiver: Alertmanager, now: datetime) -> Posted:
    """An open alert: it expires unless it is sent again."""
    ends = now + timedelta(seconds=receiver.expire_after)
    return _posted(alert, alert.level, receiver, _started(alert, now), ends)


def ended(alert: Alert, receiver: Alertmanager, now: datetime) -> Posted:
    """The alert at the level it left: it ended when it did, or now where the event's time is ahead of the clock."""
    start = _started(alert, now)
    return _posted(alert, alert.previous_level, receiver, start, max(start, min(alert.at, now)))


def labels_of(alert: Alert, level: Level) -> dict[str, str]:
    """The rule's labels under names that Prometheus allows; ours win, for they make the alert's identity."""
    named = sorted(alert.labels.items())[:MOST_LABELS]
    given = {_name(key): clean(value, LABEL) for key, value in named if value.strip()}
    drill = "true" if alert.drill else "false"
    return {**given, "alertname": alert.rule, "dyad": alert.dyad, "level": level.value, "drill": drill}


def texts_of(alert: Alert) -> dict[str, str]:
    """The summary, and the rule's texts; a text of the rule's that is called summary stands in its place."""
    given = {_name(key): clean(text, ANNOTATION) for key, text in sorted(alert.annotations.items())[:MOST_LABELS]}
    return {"summary": clean(alert.summary, ANNOTATION), "alert_id": alert.alert_id, **given}


def _posted(alert: Alert, level: Level, receiver: Alertmanager, start: datetime, end: datetime) -> Posted:
    posted: Posted = {
        "labels": labels_of(alert, level),
        "annotations": texts_of(alert),
        "startsAt": _written(start),
        "endsAt": _written(end),
    }
    if receiver.generator_url:
        link = receiver.generator_url.replace("{dyad}", quote(alert.dyad, safe=""))
        posted["generatorURL"] = link.replace("{alert_id}", quote(alert.alert_id, safe=""))
    return posted


def _started(alert: Alert, now: datetime) -> datetime:
    """When the episode began; Alertmanager refuses an alert that ends before it starts."""
    return min(alert.started_at, now)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _name(key: str) -> str:
    """``key`` as a label's name: letters, digits and underscores, no digit first."""
    name = _NOT_A_NAME.sub("_", key)[:100]
    return f"_{name}" if not name or name[0].isdigit() else name


def _request(alerts: list[Posted]) -> Request:
    return Request(_encoder.encode(alerts), path=PATH)
