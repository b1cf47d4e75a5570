"""The extract step: every message ends as signals or as one dead letter, whatever the others do."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from samples import article, signal

from pipeline.kafka.message import Message
from pipeline.records import Signal, decode, encode
from pipeline.records.topics import Topics
from pipeline.transforms.extract import work

TOPICS = Topics("t")


@dataclass(frozen=True)
class Found:
    """What the engine under test gives for an article."""

    article_id: str
    outcome: str
    signals: tuple[Signal, ...]


class Engine:
    """Gives one signal an article; fails, batch and all, on an article whose text is ``poison``."""

    def extract(self, articles):
        if any(a.text == "poison" for a in articles):
            raise RecursionError("too deep")
        return [Found(a.article_id, "signals", (signal(article_id=a.article_id),)) for a in articles]


def message(value, offset=0):
    return Message(TOPICS.articles.name, 1, offset, 1000, b"key", value, [("h", b"1")])


def by_topic(outcome, topic):
    return [m for m in outcome.outgoing if m.topic == topic.name]


def test_an_article_gives_its_signals():
    """The signal is written under its dyad, and can be read back."""
    outcome = work(Engine(), [message(encode(article()))], TOPICS)
    (written,) = by_topic(outcome, TOPICS.signals)
    assert written.key == b"RUS-UKR"
    assert decode(written.value, Signal) == signal()


def test_a_signal_stands_under_each_of_its_dyads():
    """Score reads a dyad's signals from one partition: each dyad needs its own copy."""
    engine = Engine()
    engine.extract = lambda _: [Found("a", "signals", (signal(dyads=("A-B", "A-C")), signal(dyads=())))]
    outcome = work(engine, [message(encode(article()))], TOPICS)
    assert [m.key for m in by_topic(outcome, TOPICS.signals)] == [b"A-B", b"A-C", b"*-*"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "not_json"),
        (b"<html>", "not_json"),
        (b'{"schema_version": 1}', "schema"),
        (encode(article()).replace(b'"schema_version":1', b'"schema_version":7'), "version"),
        (b"x" * (5 * 1024 * 1024), "too_large"),
    ],
    ids=["none", "html", "fields", "version", "5MB"],
)
def test_a_bad_message_is_a_dead_letter_and_harms_no_other(value, reason):
    """Bytes, key, headers and timestamp are untouched; the reason is in the headers; its neighbours give signals."""
    good = encode(article())
    outcome = work(Engine(), [message(good), message(value, 7), message(good, 8)], TOPICS)
    assert len(by_topic(outcome, TOPICS.signals)) == 2
    (letter,) = by_topic(outcome, TOPICS.deadletter)
    assert (letter.key, letter.value, letter.timestamp_ms) == (b"key", value, 1000)
    assert letter.headers[0] == ("h", b"1")
    headers = dict(letter.headers)
    assert headers["__connect.errors.exception.class.name"] == reason.encode()
    assert headers["__connect.errors.offset"] == b"7"
    assert outcome.dead == (("extract.decode", reason),)


def test_a_message_without_key_and_value_can_be_written():
    """kafka-python refuses to send nothing at all: an empty value keeps the dead letter, and the partition moving."""
    empty = Message(TOPICS.articles.name, 0, 3, 1000, None, None, [])
    (letter,) = work(Engine(), [empty], TOPICS).outgoing
    assert (letter.key, letter.value) == (None, b"")


def test_a_poison_article_harms_only_itself():
    """An article that crashes the parser becomes a dead letter; the rest of its batch gives signals."""
    values = [encode(article()), encode(article(text="poison")), encode(article())]
    outcome = work(Engine(), [message(value, n) for n, value in enumerate(values)], TOPICS)
    assert len(by_topic(outcome, TOPICS.signals)) == 2
    (letter,) = by_topic(outcome, TOPICS.deadletter)
    assert letter.value == values[1]
    assert outcome.dead == (("extract.parse", "crash"),)
    assert b"too deep" in dict(letter.headers)["__connect.errors.exception.message"]


def test_the_same_messages_give_the_same_bytes():
    """After a crash the work is repeated: ids and bytes must not change."""
    messages = [message(encode(article()))]
    assert work(Engine(), messages, TOPICS).outgoing == work(Engine(), messages, TOPICS).outgoing
