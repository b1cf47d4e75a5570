"""Subscribing to alerts: which of them are wanted, what is open now, what comes."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.duration import seconds
from config.errors import BrinkwatchError
from config.settings import Settings
from pipeline.kafka.message import Message
from pipeline.records import Alert, DecodeError, Level, decode, encode
from pipeline.records.topics import Topics
from pipeline.watch.render import alert_lines
from pipeline.watch.tail import Tail

log = logging.getLogger(__name__)
Show = Callable[[Alert, bool], None]
"""What shows an alert; True for one that was open before."""
_CODE = re.compile(r"\*|[A-Z0-9_]{2,20}")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which alerts are wanted.

    Attributes:
        level: At this level or above; a transition counts by the higher of the levels it joins, so that whoever heard
            an alert begin hears it end.
        dyad: Of this dyad, or of every dyad that has this side.
        since: At this time or later.
    """

    level: Level = Level.WATCH
    dyad: str | None = None
    since: datetime | None = None

    def wants(self, alert: Alert) -> bool:
        """Whether ``alert`` is wanted."""
        if max(alert.level.rank, alert.previous_level.rank) < self.level.rank:
            return False
        if self.since is not None and alert.at < self.since:
            return False
        return self.dyad is None or self.dyad == alert.dyad or self.dyad in alert.dyad.split("-")


def parse_dyad(text: str) -> str:
    """``ukr-rus`` as the key ``RUS-UKR``; one side stays one side.

    Raises:
        BrinkwatchError: It is neither.
    """
    sides = text.upper().split("-")
    if len(sides) > 2 or not all(_CODE.fullmatch(side) for side in sides):  # noqa: PLR2004  a dyad is two sides
        raise BrinkwatchError(f"reading the options failed: --dyad: {text!r} is no dyad such as RUS-UKR, nor one side")
    return "-".join(sorted(sides))


def parse_since(text: str, now: datetime) -> datetime:
    """``24h`` before ``now``, or an ISO 8601 time; one without a zone is UTC.

    Raises:
        BrinkwatchError: It is neither.
    """
    try:
        return now - timedelta(seconds=seconds(text))
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        why = "is neither a duration such as 24h nor an ISO 8601 time"
        raise BrinkwatchError(f"reading the options failed: --since: {text!r} {why}") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def as_json(alert: Alert, was_open: bool) -> str:
    """One line of JSON: the record as it stands on the topic."""
    del was_open
    return encode(alert).decode()


def as_text(alert: Alert, was_open: bool) -> str:
    """Lines for a person."""
    return "\n".join(alert_lines(alert, "OPEN" if was_open else ""))


def open_now(messages: Iterable[Message]) -> dict[str, Alert]:
    """Alerts of the compacted topic that have no tombstone, by id."""
    current: dict[str, Alert] = {}
    for message in messages:
        key = (message.key or b"").decode(errors="replace")
        if message.value is None:
            current.pop(key, None)
        elif (alert := readable(message)) is not None:
            current[key] = alert
    return current


def readable(message: Message) -> Alert | None:
    """The alert, or None (and a warning) for what is none: a subscriber goes on."""
    try:
        return decode(message.value, Alert)
    except DecodeError as error:
        place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
        log.warning("an alert can't be read: %s", error, extra={"fields": place})
        return None


def subscribe(settings: Settings, wanted: Filter, show: Show, stop: threading.Event, *, follow: bool) -> None:
    """Show what is open now (or, with ``since``, every transition from then on), then what comes, until ``stop``.

    Args:
        settings: Where Kafka is.
        wanted: Which alerts.
        show: Called for each, in order.
        stop: Ends it.
        follow: False ends it when everything that is there was shown.

    Raises:
        BrinkwatchError: The broker is away, or the topics do not exist.
    """
    topics = Topics(settings.topic_prefix)
    with Tail(settings, "alerts") as tail:
        if wanted.since is None:
            tail.from_end(topics.alerts)  # before the open ones are read: what comes meanwhile is not lost
            shown = _show_open(settings, topics, wanted, show)
        else:
            tail.from_time(topics.alerts, wanted.since)
            shown = {}
        backlog = () if follow else tail.to_end()
        for message in _until(tail, stop) if follow else backlog:
            alert = readable(message)
            if alert is not None and wanted.wants(alert) and alert.sequence > shown.get(alert.alert_id, 0):
                show(alert, False)  # noqa: FBT003  the callback's one flag


def _show_open(settings: Settings, topics: Topics, wanted: Filter, show: Show) -> dict[str, int]:
    with Tail(settings, "alerts-current") as tail:
        tail.from_beginning(topics.alerts_current)
        current = open_now(tail.to_end()).values()
    for alert in sorted(current, key=lambda alert: (alert.at, alert.alert_id)):
        if wanted.wants(alert):
            show(alert, True)  # noqa: FBT003  as above
    return {alert.alert_id: alert.sequence for alert in current}


def _until(tail: Tail, stop: threading.Event) -> Iterable[Message]:
    while not stop.is_set():
        yield from tail.poll()


def stop_after(stop: threading.Event, length: float | None) -> None:
    """Set ``stop`` after ``length`` seconds, if it is given."""
    if length is not None:
        timer = threading.Timer(length, stop.set)
        timer.daemon = True
        timer.start()
