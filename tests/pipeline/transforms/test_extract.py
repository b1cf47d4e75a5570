"""The extract step: every message ends as signals or as one dead letter, whatever the others do."""

from __future__ import annotations

import pytest
from samples import article, signal

from pipeline.extraction.engine import Extraction
from pipeline.extraction.sandbox import ExtractionFailed
from pipeline.kafka.message import Message
from pipeline.records import Signal, decode, encode
from pipeline.records.topics import Topics
from pipeline.transforms.extract import Suspects, work

TOPICS = Topics("t")


class Extractor:
    """Gives one signal an article; fails, batch and all, on an article whose text is ``poison``."""

    def __init__(self):
        self.asked = []

    def extract(self, articles, *, alone=False):
        self.asked.append(("alone" if alone else "batch", len(articles)))
        if any(a.text == "poison" for a in articles):
            raise ExtractionFailed("stalled", "it took more than 20 s", "worker")
        return [found(a.article_id, signal(article_id=a.article_id)) for a in articles]


def found(article_id, *signals):
    return Extraction(article_id, "signals", signals, 1, 1)


def taken(messages, extractor=None, suspects=None, enough=lambda: False):
    """What the step makes of the messages."""
    return work(extractor or Extractor(), messages, TOPICS, suspects or Suspects(), enough)


def after(count):
    """Enough, once it was asked ``count`` times."""
    left = iter([False] * count)
    return lambda: next(left, True)


def message(value, offset=0, partition=1):
    return Message(TOPICS.articles.name, partition, offset, 1000, b"key", value, [("h", b"1")])


def by_topic(outcome, topic):
    return [m for m in outcome.outgoing if m.topic == topic.name]


def test_an_article_gives_its_signals():
    """The signal is written under its dyad, and can be read back."""
    outcome = taken([message(encode(article()))])
    (written,) = by_topic(outcome, TOPICS.signals)
    assert written.key == b"RUS-UKR"
    assert decode(written.value, Signal) == signal()


def test_a_signal_stands_under_each_of_its_dyads():
    """Score reads a dyad's signals from one partition: each dyad needs its own copy."""
    extractor = Extractor()
    extractor.extract = lambda *_, **__: [found("a", signal(dyads=("A-B", "A-C")), signal(dyads=()))]
    outcome = taken([message(encode(article()))], extractor)
    assert [m.key for m in by_topic(outcome, TOPICS.signals)] == [b"A-B", b"A-C", b"*-*"]


def test_a_heartbeat_passes_only_with_a_signal():
    """It is counted among no articles; one that gives nothing says that extraction does not work."""
    extractor = Extractor()
    beat = article(heartbeat=True)
    outcome = taken([message(encode(beat)), message(encode(article()), 1)], extractor)
    assert outcome.heartbeats == [beat.published_at.timestamp()]
    assert len(outcome.articles) == len(outcome.extractions) == 1
    extractor.extract = lambda *_, **__: [Extraction("a", "gated", (), 1, 0)]
    silent = taken([message(encode(beat))], extractor)
    assert (silent.heartbeats, silent.articles, silent.outgoing) == ([], [], [])


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
    """Bytes, key and headers are untouched; the reason is in further headers; its neighbours give signals."""
    good = encode(article())
    outcome = taken([message(good), message(value, 7), message(good, 8)])
    assert len(by_topic(outcome, TOPICS.signals)) == 2
    (letter,) = by_topic(outcome, TOPICS.deadletter)
    assert (letter.key, letter.value) == (b"key", value)
    assert letter.headers[0] == ("h", b"1")
    headers = dict(letter.headers)
    assert headers["__connect.errors.exception.class.name"] == reason.encode()
    assert (headers["__connect.errors.offset"], headers["__connect.errors.timestamp"]) == (b"7", b"1000")
    assert outcome.dead == [("extract.decode", reason)]


def test_a_message_without_key_and_value_can_be_written():
    """kafka-python refuses to send nothing at all: an empty value keeps the dead letter, and the partition moving."""
    empty = Message(TOPICS.articles.name, 0, 3, 1000, None, None, [])
    (letter,) = taken([empty]).outgoing
    assert (letter.key, letter.value) == (None, b"")


def test_a_poison_article_harms_only_itself():
    """An article that holds the parser up becomes a dead letter; the rest of its batch gives signals."""
    values = [encode(article()), encode(article(text="poison")), encode(article())]
    outcome = taken([message(value, n) for n, value in enumerate(values)])
    assert len(by_topic(outcome, TOPICS.signals)) == 2
    (letter,) = by_topic(outcome, TOPICS.deadletter)
    assert letter.value == values[1]
    assert outcome.dead == [("extract.parse", "stalled")]
    headers = dict(letter.headers)
    assert headers["__connect.errors.stage"] == b"extract.parse"
    assert headers["__connect.errors.exception.class.name"] == b"stalled"
    assert b"more than 20 s" in headers["__connect.errors.exception.message"]


def test_the_same_messages_give_the_same_bytes():
    """After a crash the work is repeated: ids and bytes must not change."""
    messages = [message(encode(article()))]
    assert taken(messages).outgoing == taken(messages).outgoing


def test_a_poison_article_is_tried_twice():
    """Once in its batch and once alone: neither a third time, nor a good one dead for its neighbour's sake."""
    extractor = Extractor()
    values = [encode(article()), encode(article(text="poison")), encode(article())]
    taken([message(value, n) for n, value in enumerate(values)], extractor)
    assert extractor.asked == [("batch", 3), ("alone", 1), ("alone", 1), ("alone", 1)]


def test_a_poison_article_that_came_by_itself_is_tried_twice_too():
    """A batch of one may fail for what the worker had read before: only alone, in a fresh worker, it is held guilty."""
    extractor = Extractor()
    outcome = taken([message(encode(article(text="poison")))], extractor)
    assert extractor.asked == [("batch", 1), ("alone", 1)]
    assert outcome.dead == [("extract.parse", "stalled")]


def test_what_time_does_not_suffice_for_is_left_in_order():
    """A bundle ends in time however many of its articles stall; what is left is neither written nor dead."""
    values = [encode(article(text=text)) for text in ("poison", "poison", "good", "poison")]
    messages = [message(value, n) for n, value in enumerate(values)]
    outcome = taken(messages, enough=after(3))
    assert outcome.left == messages[2:]
    assert len(outcome.outgoing) == len(outcome.dead) == 2
    assert outcome.articles == []


def test_what_is_left_of_a_failed_batch_is_taken_alone_next_time():
    """Else each bundle of stalling articles would lose its time to the batch, and none would ever be done."""
    suspects, extractor = Suspects(), Extractor()
    values = [encode(article(text=text)) for text in ("poison", "good", "good")]
    messages = [message(value, n) for n, value in enumerate(values)]
    assert taken(messages, extractor, suspects, after(1)).left == messages
    new = [message(encode(article()), n) for n in (3, 4)]
    assert taken([*messages, *new], extractor, suspects).left == []
    assert extractor.asked == [("batch", 3), ("alone", 1), ("alone", 1), ("alone", 1), ("batch", 2)]


def test_suspects_of_one_partition_are_none_of_another():
    """A partition with poison does not make those beside it slow."""
    suspects, extractor = Suspects(), Extractor()
    taken([message(encode(article(text="poison")), 9)], extractor, suspects)
    other = [message(encode(article()), n, partition=2) for n in range(3)]
    taken(other, extractor, suspects)
    assert extractor.asked[2:] == [("batch", 3)]


def test_a_bad_message_in_a_batch_that_fails_is_one_dead_letter():
    """The batch is taken apart: what could not be decoded must not be written a second time."""
    values = [b"<html>", encode(article(text="poison")), encode(article())]
    outcome = taken([message(value, n) for n, value in enumerate(values)])
    assert outcome.dead == [("extract.decode", "not_json"), ("extract.parse", "stalled")]
    assert len(by_topic(outcome, TOPICS.deadletter)) == 2


def test_told_to_stop_it_begins_nothing():
    """SIGTERM while articles stall one after the other: the bundle ends with the one under way, the rest is left."""
    messages = [message(encode(article()), n) for n in range(3)]
    assert taken(messages, enough=lambda: True).left == messages
