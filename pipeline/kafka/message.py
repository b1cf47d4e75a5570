"""What is read from and written to topics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from config.trace import parent_of
from pipeline.records.headers import Failure, Headers, dead_letter


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was read; nothing of it is decoded yet."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to write; a value of None is a tombstone, a partition of None is the one of the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default_factory=list)
    timestamp_ms: int | None = None
    partition: int | None = None


def from_record(record: Any) -> Message:
    """A kafka-python record as a message. Headers whose value is null keep an empty value."""
    headers = [(str(key), value or b"") for key, value in record.headers or ()]
    return Message(record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, headers)


def place(message: Message) -> dict[str, Any]:
    """A message in a line of the log: where it stands, and the trace that it belongs to."""
    parent = parent_of(message.headers)
    fields = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    return {**fields, **({"trace_id": parent.trace} if parent else {})}


def as_dead_letter(message: Message, topic: str, stage: str, reason: str, why: str) -> Outgoing:
    """The message, untouched, for the dead-letter topic, with the reason in its headers.

    Its time is its own: the broker keeps it by that, and an old message's letter would be gone at once.

    One without key and value gets an empty value: kafka-python does not send nothing at all.
    """
    value = b"" if message.key is None and message.value is None else message.value
    failure = Failure(stage, reason, why, message.topic, message.partition, message.offset, message.timestamp_ms)
    return Outgoing(topic, message.key, value, dead_letter(failure, message.headers))


def send(producer: Any, message: Outgoing) -> Any:
    """Hand a message to a kafka-python producer; its future."""
    return producer.send(
        message.topic,
        key=message.key,
        value=message.value,
        headers=message.headers,
        partition=message.partition,
        timestamp_ms=message.timestamp_ms,
    )


def flat(polled: dict[object, list[Any]]) -> Iterable[Message]:
    """What one poll gave, partition by partition, in order of offset within each."""
    for records in polled.values():
        yield from map(from_record, records)
