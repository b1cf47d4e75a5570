"""``watch`` where there is no terminal: plain lines, as things happen."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TextIO

from config.errors import BrinkwatchError
from config.settings import Settings
from pipeline.kafka.message import Message
from pipeline.records import Alert, Article, DecodeError, Signal, Transition, decode
from pipeline.records.topics import Topics
from pipeline.watch.render import alert_lines, clock, signal_line
from pipeline.watch.subscribe import open_now, readable
from pipeline.watch.tail import Tail

STATUS_EVERY_S = 10.0
REMEMBERED = 5_000
HEARTBEAT = b'"heartbeat":true'


class Once:
    """Tells whether a key is new; remembers the latest few thousand."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_new(self, key: str) -> bool:
        """True the first time."""
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return True


class Lines:
    """What messages are worth saying, as lines; remembers what was said, and which alerts are open."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._once = Once()
        self._open: set[str] = set()
        self._heartbeats: Counter[str] = Counter()

    def standing(self, alerts: Iterable[Alert]) -> Iterator[str]:
        """Alerts that are open as it begins."""
        for alert in sorted(alerts, key=lambda alert: (alert.at, alert.alert_id)):
            if self._note(alert):
                yield from alert_lines(alert, "OPEN")

    def of(self, message: Message) -> Iterator[str]:
        """A signal once, however many dyads it stands under; a transition with its evidence."""
        if message.topic == self._topics.alerts.name:
            alert = readable(message)
            if alert is not None and self._note(alert):
                yield from alert_lines(alert)
        elif message.topic == self._topics.articles.name:
            self._note_article(message)
        elif message.topic == self._topics.signals.name:
            try:
                signal = decode(message.value, Signal)
            except DecodeError:
                return  # score makes it a dead letter, and the status line counts it
            if self._once.is_new(signal.signal_id):
                if signal.heartbeat:
                    self._heartbeats[message.topic] += 1
                else:
                    yield signal_line(signal)

    def _note_article(self, message: Message) -> None:
        """Only whether it is a heartbeat; decoded only where it may be."""
        if message.value is None or HEARTBEAT not in message.value:
            return
        try:
            self._heartbeats[message.topic] += decode(message.value, Article).heartbeat
        except DecodeError:
            return  # extract makes it a dead letter, and the status line counts it

    def status(self, at: datetime, held: Mapping[str, int]) -> str:
        """``12:03:50 status   120 articles, 34 signals, 0 dead letters, 1 open alert``.

        Heartbeats are taken off; those from before we began can't be told from others.
        """
        counts = (self._topics.articles, self._topics.signals, self._topics.deadletter)
        articles, signals, dead = (max(0, held.get(t.name, 0) - self._heartbeats[t.name]) for t in counts)
        alerts = f"{len(self._open)} open alert{'' if len(self._open) == 1 else 's'}"
        return f"{clock(at)} status   {articles} articles, {signals} signals, {dead} dead letters, {alerts}"

    def _note(self, alert: Alert) -> bool:
        """Whether the transition is new."""
        if alert.transition is Transition.RESOLVED:
            self._open.discard(alert.alert_id)
        else:
            self._open.add(alert.alert_id)
        return self._once.is_new(f"{alert.alert_id}-{alert.sequence}")


def run_plain(settings: Settings, stop: threading.Event, out: TextIO, status_every: float = STATUS_EVERY_S) -> None:
    """Write a line for each signal, each transition with its evidence, and a status line now and then, until ``stop``.

    Args:
        settings: Where Kafka is.
        stop: Ends it.
        out: Where lines go; it is flushed after each poll that gave some.
        status_every: Seconds between status lines.

    Raises:
        BrinkwatchError: The broker is away when it starts, or the topics do not exist.
    """
    topics = Topics(settings.topic_prefix)
    lines = Lines(topics)
    with Tail(settings, "watch") as tail:
        tail.from_end(topics.alerts)  # before the open ones are read: what comes meanwhile is not lost
        tail.from_end(topics.signals)
        tail.from_end(topics.articles)  # only to know heartbeats by
        with Tail(settings, "watch-current") as current:
            current.from_beginning(topics.alerts_current)
            _say(lines.standing(open_now(current.to_end()).values()), out)
        due = time.monotonic() + status_every
        while not stop.is_set():
            for message in tail.poll():
                _say(lines.of(message), out)
            if time.monotonic() >= due:
                due = time.monotonic() + status_every
                _say(_status(tail, topics, lines), out)


def _status(tail: Tail, topics: Topics, lines: Lines) -> Iterator[str]:
    try:
        yield lines.status(datetime.now(UTC), tail.held((topics.articles, topics.signals, topics.deadletter)))
    except BrinkwatchError as error:  # the broker may be away for a while: say so, and go on
        yield f"{clock(datetime.now(UTC))} status   {error}"


def _say(lines: Iterable[str], out: TextIO) -> None:
    for line in lines:
        print(line, file=out, flush=True)
