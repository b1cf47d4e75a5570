"""Reading the dead-letter topic: all of it once, or one letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime

from config.errors import BrinkwatchError
from config.settings import Settings
from pipeline.deadletters.letter import Letter, Place, read
from pipeline.deadletters.survey import State, Survey, surveyed
from pipeline.kafka.message import Message
from pipeline.records.topics import Topics
from pipeline.watch.tail import Tail

Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""What shows progress: it is told what is done, of how many steps, and gives what is told of each step."""


class Reading:
    """The topic as it is read. It is read twice: marks stand behind the letters that they are of.

    Args:
        settings: Where Kafka is.
        bar: What shows progress.
        since: Nothing that was first written before then.
    """

    def __init__(self, settings: Settings, bar: Bar, since: datetime | None = None) -> None:
        self._settings, self._bar, self._since = settings, bar, since
        self._topic = Topics(settings.topic_prefix).deadletter

    def survey(self) -> Survey:
        """How it stands with each letter.

        Raises:
            BrinkwatchError: The broker is away, or the topic does not exist.
        """
        return surveyed(self._messages("looking"))

    def letters(self, survey: Survey) -> Iterator[tuple[Letter, State]]:
        """Each letter, in the order of its partition, and how it stands with it.

        Raises:
            BrinkwatchError: As ``survey``.
        """
        for message in self._messages("reading"):
            letter = read(message)
            if isinstance(letter, Letter):
                yield letter, survey.state(letter.place)

    def letter(self, place: Place) -> Letter:
        """The letter at a place.

        Raises:
            BrinkwatchError: There is none; or as ``survey``.
        """
        with Tail(self._settings, "deadletters") as tail:
            tail.from_place(self._topic, place.partition, place.offset)
            found = next(tail.to_end(), None)
        letter = None if found is None or found.offset != place.offset else read(found)
        if not isinstance(letter, Letter):
            why = "no dead letter stands there; `brinkwatch deadletters list --since 30d` shows where they do"
            raise BrinkwatchError(f"reading failed: {self._topic.name}: {place}: {why}")
        return letter

    def _messages(self, what: str) -> Iterator[Message]:
        with Tail(self._settings, "deadletters") as tail:
            if self._since is None:
                tail.from_beginning(self._topic)
            else:
                tail.from_time(self._topic, self._since)
            with self._bar(what, tail.held([self._topic])[self._topic.name]) as step:
                for message in tail.to_end():
                    step(1)
                    yield message
