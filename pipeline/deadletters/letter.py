"""Letter: one dead letter as it stands on its topic, and where that is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from config.errors import BrinkwatchError
from pipeline.kafka.message import Message
from pipeline.records import DecodeError, Redriven, decode
from pipeline.records.headers import REDRIVEN, Failure, Headers, taken_apart

_PLACE = re.compile(r"([0-9]{1,9}):([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands on the dead-letter topic; as text ``0:12``."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Source:
    """Whose failure on which message: two letters of one source are copies, as a writer leaves that was killed.

    Attributes:
        reader: ``extract``, ``score``, ``notify.<receiver>``.
        topic, partition, offset: Of the message that failed.
        timestamp_ms: Its time, which tells it from one of a topic that was deleted and made anew.
    """

    reader: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter.

    Attributes:
        place: Where it stands.
        timestamp_ms: When it came to be, in ms since 1970; -1 where nobody said.
        key, value, headers: As the original message had them.
        failure: Why it is here.
    """

    place: Place
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    failure: Failure

    @property
    def at(self) -> datetime | None:
        """When it came to be; None where that is no time."""
        try:
            return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC) if self.timestamp_ms >= 0 else None
        except (OverflowError, ValueError, OSError):
            return None

    @property
    def receiver(self) -> str | None:
        """The receiver of alerts it was for, if it is one of notify's."""
        stage, dot, name = self.failure.stage.partition(".")
        return name if stage == "notify" and dot else None

    @property
    def source(self) -> Source:
        """What its copies have in common."""
        failure = self.failure
        reader = failure.stage if self.receiver is not None else failure.stage.partition(".")[0]
        return Source(reader, failure.topic, failure.partition, failure.offset, failure.timestamp_ms)

    @property
    def size(self) -> int:
        """Bytes of key, value and original headers, about."""
        headers = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers


def parse_place(text: str) -> Place:
    """``0:12`` as a place.

    Raises:
        BrinkwatchError: It is none.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        why = "is no dead letter's place such as 0:12 (partition and offset, as `deadletters list` shows them)"
        raise BrinkwatchError(f"reading the options failed: {text!r} {why}")
    return Place(int(found[1]), int(found[2]))


def read(message: Message) -> Letter | Redriven | None:
    """What a message of the dead-letter topic is; None for what is neither.

    A letter is known by its last headers, whatever the others are: a message can't pass itself off as a mark by the
    headers that it came with.

    Raises:
        DecodeError: It is a mark of another version: which letters were sent again can't be known.
    """
    place = Place(message.partition, message.offset)
    apart = taken_apart(message.headers)
    if apart is not None:
        return Letter(place, message.timestamp_ms, message.key, message.value, *apart)
    if all(name != REDRIVEN for name, _ in message.headers):
        return None
    try:
        return decode(message.value, Redriven)
    except DecodeError as error:
        if error.reason == "version":
            raise
        return None
