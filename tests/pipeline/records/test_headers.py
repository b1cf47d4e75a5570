"""Headers follow CloudEvents and Connect, and keep what came."""

from __future__ import annotations

from samples import alert

from pipeline.kafka.message import Message, as_dead_letter
from pipeline.records.headers import MAX_REASON, Failure, cloudevent, dead_letter, taken_apart


def test_cloudevent_has_every_required_attribute():
    """A CloudEvents reader needs specversion, id, source and type; ours adds subject and time."""
    headers = dict(cloudevent(alert()))
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_id"] == b"e" * 32 + b"-1"
    assert headers["ce_type"] == b"brinkwatch.alert.raised.v1"
    assert headers["ce_source"] == b"/brinkwatch/rules/escalation"
    assert headers["ce_subject"] == b"RUS-UKR"
    assert headers["ce_time"] == b"2024-05-06T12:00:00Z"
    assert headers["content-type"] == b"application/json"


def test_each_transition_has_its_own_event_id():
    """A consumer that drops repeats by event id must not drop an update."""
    assert dict(cloudevent(alert()))["ce_id"] != dict(cloudevent(alert(sequence=2)))["ce_id"]


def test_dead_letter_keeps_the_original_headers_in_order():
    """Headers that came, even twice the same, stand first and untouched; the reason follows."""
    original = [("b", b"1"), ("a", b""), ("b", b"2")]
    failure = Failure("extract.decode", "schema", "x" * 5000, "articles", 2, 7)
    headers = dead_letter(failure, original)
    assert headers[:3] == original
    added = dict(headers[3:])
    assert added["__connect.errors.topic"] == b"articles"
    assert added["__connect.errors.partition"] == b"2"
    assert added["__connect.errors.offset"] == b"7"
    assert added["__connect.errors.stage"] == b"extract.decode"
    assert added["__connect.errors.exception.class.name"] == b"schema"
    assert len(added["__connect.errors.exception.message"]) == MAX_REASON


def test_dead_letter_survives_text_that_is_no_utf8():
    """A lone surrogate in an error's text must not lose the dead letter."""
    headers = dead_letter(Failure("s", "r", "\ud800", "t", 0, 0), [])
    assert headers[-1][1] == b"?"


def test_a_letter_has_a_time_of_its_own():
    """The broker keeps it by its time: the letter of an old message would be deleted as soon as it is written."""
    out = as_dead_letter(Message("t", 1, 2, 86_400_000, b"k", b"v"), "t.dead", "extract.decode", "schema", "why")
    assert out.timestamp_ms is None
    assert taken_apart(out.headers)[1].timestamp_ms == 86_400_000
