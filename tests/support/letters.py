"""Dead letters for tests, as our stages write them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.kafka.client import producer
from pipeline.kafka.message import Message, as_dead_letter, send
from pipeline.records.topics import Topics

WRITTEN_MS = 1_714_996_800_000
"""2024-05-06 12:00 UTC."""


def original(offset: int, topic: str = "t.articles.v1", **changes: Any) -> Message:
    """A message that is going to fail."""
    values = {"key": b"k%d" % offset, "value": b"v%d" % offset, "headers": [("origin", b"test")]} | changes
    return Message(topic, values.pop("partition", 2), offset, values.pop("timestamp_ms", WRITTEN_MS), **values)


def letter(
    message: Message,
    at: int,
    *,
    stage: str = "extract.decode",
    reason: str = "schema",
    why: str = "no title",
) -> Message:
    """The message as it stands on the dead-letter topic, at offset ``at``; it came there as the message was written."""
    out = as_dead_letter(message, "t.deadletter.v1", stage, reason, why)
    return Message(out.topic, 0, at, message.timestamp_ms, out.key, out.value, out.headers)


def write(settings, *failures) -> None:
    """Dead letters on a real topic, each of the time of its original: (original message, stage, reason, why)."""
    topic = Topics(settings.topic_prefix).deadletter.name
    with producer(settings, "test") as sender:
        for message, stage, reason, why in failures:
            out = as_dead_letter(message, topic, stage, reason, why)
            send(sender, replace(out, timestamp_ms=message.timestamp_ms))
        sender.flush()
