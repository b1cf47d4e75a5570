"""Redrive, the effects: each letter and the mark that it was sent again leave in one Kafka transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import kafka.errors

from config.errors import BrinkwatchError
from config.receivers import load_receivers
from config.settings import Settings
from pipeline.deadletters.letter import Letter, Place
from pipeline.deadletters.reading import Reading
from pipeline.deadletters.redrive import Batch, Deliver, Fate, Leave, Resend, fate, marks
from pipeline.deadletters.select import Wanted
from pipeline.deadletters.survey import State
from pipeline.kafka.exactly_once import Fenced, ReaderWriter
from pipeline.kafka.message import Outgoing
from pipeline.notify.redeliver import Redelivery
from pipeline.records.topics import Topics

MAX_LINES = 500


@dataclass(slots=True)
class Tally:
    """What became of letters, or what would.

    Attributes:
        sent: By stage, reason and where to.
        left: By stage, reason and why.
        failed: Whether any that should have been sent was not.
    """

    sent: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    left: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    failed: bool = False

    def note_sent(self, letter: Letter, where: str) -> None:
        """It was sent, or would be."""
        _count(self.sent, letter, where)

    def note_left(self, letter: Letter, why: str, *, needless: bool = False) -> None:
        """It stays."""
        _count(self.left, letter, why)
        self.failed |= not needless


def _count(counts: Counter[tuple[str, str, str]], letter: Letter, what: str) -> None:
    key = (letter.failure.stage, letter.failure.reason, what)
    counts[key if key in counts or len(counts) < MAX_LINES else ("others", "others", "")] += 1


class Sending:
    """Sends letters again, for good. One at a time: who begins fences whoever was about it.

    Raises:
        BrinkwatchError: Kafka is away, or refuses.
    """

    def __init__(self, settings: Settings, tally: Tally) -> None:
        self._settings, self._tally = settings, tally
        topics = Topics(settings.topic_prefix)
        self._topic = topics.deadletter.name
        self._batch = Batch()
        self._redelivery = Redelivery(settings.receivers_file)
        with self._explained():
            self._io = ReaderWriter(settings, self._topic, topics.redrive_id, "redrive")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._io.close()

    def close(self) -> None:
        """Send what is left of the last batch, and leave Kafka."""
        try:
            self._write()
        finally:
            self._io.close()

    def resend(self, letter: Letter, topic: str) -> None:
        """Send it to its topic, with the next batch."""
        self._batch.add(letter, topic)
        if self._batch.is_full:
            self._write()

    def deliver(self, letter: Letter, receiver: str) -> None:
        """Send it to its receiver, and then mark it: after a kill in between, the receiver gets the same id again."""
        redelivered = self._redelivery.deliver(receiver, letter.value)
        if not redelivered.is_done:
            self._tally.note_left(letter, f"receiver {receiver}: {redelivered.how}")
            return
        self._commit(marks([letter.place], self._topic, datetime.now(UTC)))
        self._tally.note_sent(letter, redelivered.how)

    def _write(self) -> None:
        batch, self._batch = self._batch, Batch()
        if not batch.letters:
            return
        self._commit(batch.messages(self._topic, datetime.now(UTC)))
        for letter, topic in batch.letters:
            self._tally.note_sent(letter, topic)

    def _commit(self, messages: Sequence[Outgoing]) -> None:
        with self._explained():
            self._io.commit(messages)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Fenced as error:
            raise BrinkwatchError(self._failure("another redrive began meanwhile")) from error
        except kafka.errors.KafkaError as error:
            raise BrinkwatchError(self._failure(f"{error!r}; the next run goes on from here")) from error

    def _failure(self, why: str) -> str:
        sent = self._tally.sent.total()
        return f"redriving failed: {self._settings.bootstrap_servers}: {why}; {sent} were sent before"


def redrive(reading: Reading, settings: Settings, wanted: Wanted | Place, *, execute: bool) -> Tally:
    """Send the wanted letters again that are waiting; without ``execute``, only say which those are.

    Args:
        reading: The dead-letter topic.
        settings: Where Kafka is, and the receivers.
        wanted: Which letters, or one.
        execute: Whether to do it.

    Raises:
        BrinkwatchError: Kafka is away or refuses; there is no such letter; it was sent again before, or is a copy.
    """
    tally = Tally()
    topics, receivers = Topics(settings.topic_prefix), {r.name: r for r in load_receivers(settings.receivers_file)}
    if not execute:
        for letter in _chosen(reading, wanted):
            _foretell(tally, letter, fate(letter, topics, receivers))
        return tally
    with Sending(settings, tally) as sending:  # before the survey: what an earlier run left open is settled by then
        for letter in _chosen(reading, wanted):
            _carry_out(sending, tally, letter, fate(letter, topics, receivers))
    return tally


def _chosen(reading: Reading, wanted: Wanted | Place) -> Iterator[Letter]:
    survey = reading.survey()
    if isinstance(wanted, Wanted):
        yield from (
            letter for letter, state in reading.letters(survey) if state is State.WAITING and wanted.wants(letter)
        )
        return
    letter = reading.letter(wanted)
    state = survey.state(wanted)
    if state is State.REDRIVEN:
        raise BrinkwatchError(f"redriving failed: {wanted}: it was sent again before")
    if state is State.COPY:
        raise BrinkwatchError(f"redriving failed: {wanted}: it is the copy of a letter before it; send that one")
    yield letter


def _foretell(tally: Tally, letter: Letter, what: Fate) -> None:
    match what:
        case Resend(topic):
            tally.note_sent(letter, topic)
        case Deliver(receiver):
            tally.note_sent(letter, f"receiver {receiver}")
        case Leave(why, needless):
            tally.note_left(letter, why, needless=needless)


def _carry_out(sending: Sending, tally: Tally, letter: Letter, what: Fate) -> None:
    match what:
        case Resend(topic):
            sending.resend(letter, topic)
        case Deliver(receiver):
            sending.deliver(letter, receiver)
        case Leave(why, needless):
            tally.note_left(letter, why, needless=needless)
