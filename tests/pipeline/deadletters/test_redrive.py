"""What becomes of a letter that is to be sent again: decisions, without Kafka."""

from __future__ import annotations

import pytest
from letters import letter, original
from samples import NOON

from config.receivers import Alertmanager, Webhook
from pipeline.deadletters.letter import Place, read
from pipeline.deadletters.redrive import (
    MAX_BATCH,
    MAX_BATCH_BYTES,
    Batch,
    Deliver,
    Leave,
    Resend,
    fate,
    marks,
    resent,
)
from pipeline.records import Redriven, decode
from pipeline.records.topics import Topics

TOPICS = Topics("t")
RECEIVERS = {
    "ops": Webhook(name="ops", type="webhook", url="https://ops.example/", secret_env="S"),
    "am": Alertmanager(name="am", type="alertmanager", url="http://127.0.0.1:9093"),
}


def of(topic, stage):
    return fate(read(letter(original(1, topic), 0, stage=stage)), TOPICS, RECEIVERS)


def test_back_to_where_it_came_from():
    """Articles to articles, signals to signals."""
    assert of("t.articles.v1", "extract.parse") == Resend("t.articles.v1")
    assert of("t.signals.v1", "score.decode") == Resend("t.signals.v1")


def test_an_alert_goes_to_its_receiver_alone():
    """Back on the alert topic it would be news to every subscriber, hours late."""
    assert of("t.alerts.v1", "notify.ops") == Deliver("ops")


def test_an_old_transition_never_goes_to_an_alertmanager():
    """It would bring a resolved alert back to life; what is open is sent again anyway."""
    left = of("t.alerts.v1", "notify.am")
    assert isinstance(left, Leave)
    assert left.needless


@pytest.mark.parametrize(
    ("topic", "stage"),
    [
        ("t.dyads.v1", "score.decode"),
        ("t.alerts.v1", "score.decode"),
        ("t.alerts.current.v1", "x"),
        ("other.articles.v1", "extract.decode"),
        ("t.alerts.v1", "notify.gone"),
        ("t.alerts.v1", "notify"),
    ],
)
def test_what_has_nowhere_to_go_stays(topic, stage):
    """A header must not have us write wherever it says: only what a job reads, or a receiver that is configured."""
    left = of(topic, stage)
    assert isinstance(left, Leave)
    assert not left.needless


def test_the_original_message_and_nothing_else():
    """Key, value and headers as they came; the time is that of the writing, or retention would delete it at once."""
    out = resent(read(letter(original(4), 0)), "t.articles.v1")
    assert (out.topic, out.key, out.value, out.headers) == ("t.articles.v1", b"k4", b"v4", [("origin", b"test")])
    assert (out.timestamp_ms, out.partition) == (None, None)


def test_marks_stand_with_their_letters():
    """In each letter's own partition, so that the broker never deletes a mark before its letter."""
    out = marks([Place(1, 9), Place(0, 4), Place(1, 2)], "dead", NOON)
    assert [(m.topic, m.partition, decode(m.value, Redriven).offsets) for m in out] == [
        ("dead", 0, (4,)),
        ("dead", 1, (2, 9)),
    ]


def test_a_batch_is_bounded_and_holds_its_marks():
    """By number and by bytes: neither memory nor a transaction grows with the topic."""
    many, large = Batch(), Batch()
    while not many.is_full:
        many.add(read(letter(original(1), 1)), "t.articles.v1")
    assert len(many.letters) == MAX_BATCH
    assert len(many.messages("dead", NOON)) == MAX_BATCH + 1
    large.add(read(letter(original(1, value=b"x" * MAX_BATCH_BYTES), 1)), "t.articles.v1")
    assert large.is_full
