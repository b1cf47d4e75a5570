"""Redrive, the decisions: what is to become of a dead letter, and what is written for those that are sent again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from config.receivers import Alertmanager, AnyReceiver
from pipeline.deadletters.letter import Letter, Place
from pipeline.kafka.message import Outgoing
from pipeline.records import Redriven, encode
from pipeline.records.headers import REDRIVEN
from pipeline.records.topics import Topics

MAX_BATCH = 500
MAX_BATCH_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Resend:
    """It goes back to the topic that it came from."""

    topic: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """It goes to the receiver that it was for."""

    receiver: str


@dataclass(frozen=True, slots=True)
class Leave:
    """It stays where it is.

    Attributes:
        why: For a person.
        needless: Nothing is missing for it.
    """

    why: str
    needless: bool = False


Fate = Resend | Deliver | Leave


def fate(letter: Letter, topics: Topics, receivers: Mapping[str, AnyReceiver]) -> Fate:
    """What is to become of a letter.

    An alert goes to the one receiver that missed it, never to its topic: every other subscriber would hear it again,
    late, and whoever began to listen meanwhile would take a thing of the past for news. An Alertmanager hears of what
    is open again and again anyway, and would take an old transition for what is so now.
    """
    name = letter.receiver
    if name is not None:
        if name not in receivers:
            return Leave(f"receivers.yaml has no receiver {name!r}")
        if isinstance(receivers[name], Alertmanager):
            return Leave("notify sends open alerts again to an Alertmanager by itself", needless=True)
        return Deliver(name)
    topic = letter.failure.topic
    if topic not in {topics.articles.name, topics.signals.name}:
        return Leave(f"it came from {topic!r}, which no job reads")
    return Resend(topic)


def resent(letter: Letter, topic: str) -> Outgoing:
    """The original message, in the partition of its key, and of the time at which it is written.

    Its old time would have the broker delete it at once where it is older than the topic's retention.
    """
    return Outgoing(topic, letter.key, letter.value, letter.headers)


def marks(places: Iterable[Place], topic: str, at: datetime) -> list[Outgoing]:
    """Messages that say that these letters were sent again, each in its letters' partition.

    There, a mark is behind its letters, so that the broker never deletes it before them.
    """
    offsets: dict[int, list[int]] = {}
    for place in places:
        offsets.setdefault(place.partition, []).append(place.offset)
    return [
        Outgoing(
            topic,
            None,
            encode(Redriven(at=at, offsets=tuple(sorted(held)))),
            [(REDRIVEN, b"1")],
            partition=partition,
        )
        for partition, held in sorted(offsets.items())
    ]


@dataclass(slots=True)
class Batch:
    """Letters that are sent again in one transaction."""

    letters: list[tuple[Letter, str]] = field(default_factory=list)
    size: int = 0

    def add(self, letter: Letter, topic: str) -> None:
        """One more, for ``topic``."""
        self.letters.append((letter, topic))
        self.size += letter.size

    @property
    def is_full(self) -> bool:
        """Whether it is to be written before there are more: its memory and its transaction are bounded."""
        return len(self.letters) >= MAX_BATCH or self.size >= MAX_BATCH_BYTES

    def messages(self, topic: str, at: datetime) -> Sequence[Outgoing]:
        """What is written: the original messages, and that they were sent again."""
        return [
            *(resent(letter, to) for letter, to in self.letters),
            *marks((letter.place for letter, _ in self.letters), topic, at),
        ]
