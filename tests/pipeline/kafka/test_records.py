"""A header that a client can't read must not stop its reader."""

from __future__ import annotations

import pytest
from kafka import KafkaProducer
from service import Topic

from pipeline.kafka.client import producer
from pipeline.kafka.group import GroupMember
from pipeline.kafka.message import as_dead_letter, send
from pipeline.records.topics import Topics

pytestmark = pytest.mark.slow


class Bytes(str):
    """A header's key whose encoding is not text: what clients in other languages may send."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        """The raw bytes, one for each character."""
        return super().encode("latin-1")


HEADERS = [("plain", b"1"), (Bytes("k\xff\xfey"), b"\x00\xff"), ("grün", b"2"), (Bytes("\x80"), b"")]
READ = [("plain", b"1"), ("k??y", b"\x00\xff"), ("grün", b"2"), ("?", b"")]


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_header_key_that_is_no_text_is_passed(broker, compression):
    """It must not hold up what follows it, nor change the message; and it can be kept as a dead letter."""
    settings = broker.settings("headers")
    topics = Topics(settings.topic_prefix)
    with KafkaProducer(
        bootstrap_servers=settings.bootstrap_servers, compression_type=compression, linger_ms=50
    ) as sender:
        for value, headers in ((b"before", []), (b"odd", HEADERS), (None, HEADERS[1:2]), (b"after", [])):
            sender.send(topics.articles.name, key=b"k", value=value, headers=headers, partition=0)
        sender.flush()
    member = GroupMember(settings, topics.articles.name, topics.extract_group, "test")
    messages = []
    while len(messages) < 4:
        messages += member.poll(100)
    assert [message.value for message in messages] == [b"before", b"odd", None, b"after"]
    assert messages[1].headers == READ
    with producer(settings, "test") as sender:
        send(sender, as_dead_letter(messages[1], topics.deadletter.name, "test", "schema", "why"))
        sender.flush()
    assert member.commit()
    member.close()
    letters = Topic(settings, topics.deadletter.name)
    (letter,) = letters.wait(1)
    assert (letter.value, letter.headers[: len(READ)]) == (b"odd", READ)
    letters.close()
