"""Subscribing: which alerts are wanted, and following them on a real broker."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime, timedelta

import pytest
import samples

from config.errors import BrinkwatchError
from config.settings import load_settings
from pipeline.kafka.client import producer
from pipeline.kafka.message import Message
from pipeline.records import Level, Transition, encode
from pipeline.records.topics import Topics
from pipeline.watch.plain import Lines, Once, run_plain
from pipeline.watch.subscribe import Filter, as_json, open_now, parse_dyad, parse_since, subscribe

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
ENDED = samples.alert(
    sequence=2, transition=Transition.RESOLVED, level=Level.CALM, previous_level=Level.WATCH, alert_id="1" * 32
)


@pytest.mark.parametrize(
    ("wanted", "alert", "expected"),
    [
        (Filter(), samples.alert(), True),
        (Filter(level=Level.WARNING), samples.alert(), False),
        (Filter(level=Level.WARNING), samples.alert(level=Level.CRITICAL), True),
        (Filter(level=Level.WARNING), samples.alert(previous_level=Level.WARNING), True),
        (Filter(), ENDED, True),
        (Filter(dyad="RUS-UKR"), samples.alert(), True),
        (Filter(dyad="UKR"), samples.alert(), True),
        (Filter(dyad="UK"), samples.alert(), False),
        (Filter(dyad="CHN-TWN"), samples.alert(), False),
        (Filter(since=NOW), samples.alert(at=NOW), True),
        (Filter(since=NOW), samples.alert(at=NOW - timedelta(seconds=1)), False),
    ],
)
def test_filters(wanted, alert, expected):
    """Level, dyad and time; who heard an alert begin at a level hears it leave that level."""
    assert wanted.wants(alert) is expected


def test_dyads_are_read_in_either_order():
    """Case and order do not matter; what is no dyad is said to be none."""
    assert parse_dyad("ukr-rus") == "RUS-UKR"
    assert parse_dyad("rus") == "RUS"
    for bad in ("", "a-b-c", "RUS UKR", "-"):
        with pytest.raises(BrinkwatchError, match="--dyad"):
            parse_dyad(bad)


def test_since():
    """A duration before now, or a time; one without zone is UTC."""
    assert parse_since("24h", NOW) == NOW - timedelta(days=1)
    assert parse_since("2024-05-01", NOW) == datetime(2024, 5, 1, tzinfo=UTC)
    assert parse_since("2024-05-01T10:00+02:00", NOW) == datetime(2024, 5, 1, 8, tzinfo=UTC)
    with pytest.raises(BrinkwatchError, match="--since"):
        parse_since("yesterday", NOW)


def message(topic: str, value: bytes | None, key: bytes = b"k") -> Message:
    """A message as it was read."""
    return Message(topic, 0, 0, 0, key, value)


def test_what_is_open_now():
    """The last of a key counts; a tombstone takes it away; what can't be read is passed over."""
    one, two = samples.alert(alert_id="1" * 32), samples.alert(alert_id="2" * 32)
    messages = [
        message("t", encode(one), b"1"),
        message("t", encode(two), b"2"),
        message("t", b"junk", b"3"),
        message("t", None, b"1"),
    ]
    assert list(open_now(messages).values()) == [two]


def test_plain_lines_say_a_thing_once():
    """A signal stands under each of its dyads and may be written again: one line."""
    topics = Topics("x")
    lines = Lines(topics)
    signal, alert = encode(samples.signal()), encode(samples.alert())
    said = [
        line
        for topic, value in [
            (topics.signals, signal),
            (topics.signals, signal),
            (topics.signals, b"junk"),
            (topics.signals, None),
            (topics.alerts, alert),
            (topics.alerts, alert),
            (topics.alerts, b"junk"),
        ]
        for line in lines.of(message(topic.name, value))
    ]
    assert [line.split()[1] for line in said] == ["signal", "RAISED", "“Arvia"]
    held = {topics.articles.name: 7, topics.signals.name: 3}
    assert lines.status(NOW, held) == "12:00:00 status   7 articles, 3 signals, 0 dead letters, 1 open alert"


def test_heartbeats_are_no_news():
    """No line is said of them, and the status counts them neither as articles nor as signals."""
    topics = Topics("x")
    lines = Lines(topics)
    beats = [encode(samples.signal(heartbeat=True, signal_id=digit * 32)) for digit in "12"]
    said = [line for value in (*beats, beats[0]) for line in lines.of(message(topics.signals.name, value))]
    sent = [encode(samples.article(heartbeat=True)), encode(samples.article()), b'{"heartbeat":true', None]
    said += [line for value in sent for line in lines.of(message(topics.articles.name, value))]
    assert said == []
    held = {topics.articles.name: 7, topics.signals.name: 3}
    assert "6 articles, 1 signals" in lines.status(NOW, held)


def test_memory_of_what_was_said_is_bounded():
    """The oldest is forgotten."""
    once = Once(2)
    assert [once.is_new(key) for key in "aabbcca"] == [True, False, True, False, True, False, True]


def send(settings, *records):
    """Write (topic, key, value) and wait for the broker."""
    with producer(settings, "test") as sender:
        for topic, key, value in records:
            sender.send(topic.name, key=key.encode(), value=value)
        sender.flush()


def raised(name, **changes):
    """An alert of its own id, about now."""
    return samples.alert(alert_id=name * 32, at=datetime.now(UTC), **changes)


def test_a_broker_that_is_away_is_named(monkeypatch):
    """The error says which broker, within bounded time."""
    monkeypatch.setattr("pipeline.kafka.client.BOOTSTRAP_MS", 500)
    settings = load_settings(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(BrinkwatchError, match=r"127\.0\.0\.1:1"):
        subscribe(settings, Filter(), pytest.fail, threading.Event(), follow=False)


def test_topics_that_do_not_exist_are_named(broker):
    """A wrong prefix is said to be one, not waited on."""
    settings = broker.settings("none", topics=False)
    with pytest.raises(BrinkwatchError, match=settings.topic_prefix):
        subscribe(settings, Filter(), pytest.fail, threading.Event(), follow=False)


def test_what_is_open_is_shown_then_what_comes(broker):
    """Open alerts first, then each new transition once and in order; the past is not told again unless asked for."""
    settings = broker.settings("subscribe")
    topics = Topics(settings.topic_prefix)
    past, standing = raised("1"), raised("2")
    gone = raised("1", sequence=2, transition=Transition.RESOLVED, level=Level.CALM, previous_level=Level.WATCH)
    send(
        settings,
        *((topics.alerts, alert.alert_id, encode(alert)) for alert in (past, standing, gone)),
        (topics.alerts_current, past.alert_id, encode(past)),
        (topics.alerts_current, standing.alert_id, encode(standing)),
        (topics.alerts_current, past.alert_id, None),
    )
    once = []
    subscribe(settings, Filter(), lambda *shown: once.append(shown), threading.Event(), follow=False)
    assert once == [(standing, True)]

    stop, shown = threading.Event(), []
    after = raised("3")

    def show(alert, was_open):
        shown.append((alert, was_open))
        if was_open:
            again = (topics.alerts, standing.alert_id, encode(standing))
            send(settings, again, (topics.alerts, after.alert_id, encode(after)))
        else:
            stop.set()

    subscribe(settings, Filter(), show, stop, follow=True)
    assert shown == [(standing, True), (after, False)]

    history = []
    since = Filter(since=past.at)
    subscribe(settings, since, lambda *each: history.append(each), threading.Event(), follow=False)
    assert [alert for alert, _ in history] == [past, standing, gone, standing, after]
    assert as_json(*history[0]).startswith("{")


def test_plain_watch_prints_at_once(broker):
    """An alert, its evidence and the signals stand there as they are committed, and the status line follows."""
    settings = broker.settings("plain")
    topics = Topics(settings.topic_prefix)
    standing, new = raised("1", dyad="ARV-CAL"), raised("2", dyad="ARV-BRN")
    send(settings, (topics.alerts_current, standing.alert_id, encode(standing)))
    stop = threading.Event()

    class Out(io.StringIO):
        """Sends more as it begins, stops it when all is there."""

        def write(self, text: str) -> int:
            count = super().write(text)
            if "OPEN" in text:
                signal = encode(samples.signal())
                send(settings, (topics.signals, "RUS-UKR", signal), (topics.alerts, new.alert_id, encode(new)))
            if "status" in self.getvalue() and "RAISED" in self.getvalue() and "signal " in self.getvalue():
                stop.set()
            return count

    out = Out()
    timer = threading.Timer(60, stop.set)
    timer.start()
    run_plain(settings, stop, out, status_every=1)
    timer.cancel()
    text = out.getvalue()
    assert "OPEN     watch    ARV-CAL" in text
    assert "RAISED   watch    ARV-BRN" in text
    assert "0 articles, 1 signals, 0 dead letters" in text
