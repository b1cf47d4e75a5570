"""The comparison itself: each way in which the topics could be wrong is told, and of the right kind."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from config.alerts import load_alerts
from pipeline.kafka.message import Message
from pipeline.records import Alert, Dyad, decode, encode
from pipeline.records.topics import Topics
from pipeline.scoring.book import Book
from pipeline.transforms.outgoing import as_messages
from tests.faults.line import RULES
from tests.faults.oracle import Written, first_copies, judge_scoring
from tests.faults.signals import told

TOPICS = Topics()


@pytest.fixture(scope="module")
def good() -> Written:
    """What score writes of 630 signals in bundles of seven, each tenth signal twice."""
    book, places = Book(load_alerts(RULES)), count()
    written = {topic.name: [] for topic in TOPICS.all}
    for start in range(0, 630, 7):
        for number in range(start, start + 7):
            signal = told(number)
            for _ in range(1 + (number % 10 == 0)):
                book.apply(signal.dyads[0], signal)
                key = signal.dyads[0].encode()
                written[TOPICS.signals.name].append(Message("signals", 0, next(places), 0, key, encode(signal)))
        book.advance(signal.observed_at)
        for out in as_messages(*book.drain()[:2], TOPICS):
            written[out.topic].append(Message(out.topic, 0, next(places), 0, out.key, out.value))
    names = (TOPICS.articles, TOPICS.signals, TOPICS.alerts, TOPICS.alerts_current, TOPICS.dyads, TOPICS.deadletter)
    return Written(*(tuple(written[topic.name]) for topic in names))


def judged(written):
    return judge_scoring(written, first_copies(written.signals)[0], load_alerts(RULES))


def changed(message, kind, **changes):
    """The message with other values in its record."""
    return replace(message, value=encode(msgspec.structs.replace(decode(message.value, kind), **changes)))


def test_what_is_right_has_no_fault(good):
    """Repeats of known ids, and advances between signals, are no faults; and there is something to compare."""
    verdict = judged(good)
    assert verdict.faults == []
    assert verdict.transitions > 20


def test_a_transition_that_is_missing_is_lost(good):
    """In the middle of an alert, or at its end."""
    for place in (3, -1):
        alerts = list(good.alerts)
        del alerts[place]
        assert judged(replace(good, alerts=tuple(alerts))).lost


def test_a_transition_that_is_told_twice_is_repeated(good):
    """Though both are the same to the byte."""
    verdict = judged(replace(good, alerts=(*good.alerts[:4], good.alerts[3], *good.alerts[4:])))
    assert verdict.repeated
    assert verdict.lost == []


def test_a_transition_of_another_content_is_wrong(good):
    """A score that is off by a little."""
    alerts = (changed(good.alerts[0], Alert, score=1.0), *good.alerts[1:])
    assert judged(replace(good, alerts=alerts)).wrong


def test_a_signal_that_was_never_scored_is_lost(good):
    """Another one on the topic, behind what the last states have counted."""
    late = told(1000)
    message = Message("signals", 0, 10_000, 0, late.dyads[0].encode(), encode(late))
    verdict = judged(replace(good, signals=(*good.signals, message)))
    assert [late.signal_id in fault for fault in verdict.lost] == [True]
    assert verdict.repeated == verdict.wrong == []


def test_a_signal_that_counted_twice_is_repeated(good):
    """A state that has counted one signal more than there are."""
    missing = good.signals[-1].key, good.signals[-1].value
    signals = tuple(message for message in good.signals if (message.key, message.value) != missing)
    assert judged(replace(good, signals=signals)).repeated


def test_any_state_that_differs_is_wrong(good):
    """One in the middle, which later ones have made good."""
    dyads = list(good.dyads)
    dyads[30] = changed(dyads[30], Dyad, score=decode(dyads[30].value, Dyad).score + 0.01)
    assert len(judged(replace(good, dyads=tuple(dyads))).wrong) == 1


def test_an_open_alert_that_was_resolved_is_wrong(good):
    """A tombstone that is missing leaves the alert open for whoever reads the open ones."""
    tombstones = [message for message in good.current if message.value is None]
    current = tuple(message for message in good.current if message is not tombstones[-1])
    assert judged(replace(good, current=current)).wrong
