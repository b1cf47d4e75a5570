"""Survey: which letters of the topic are waiting, which were sent again, and which are copies; one byte a letter."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from enum import IntEnum

from pipeline.deadletters.letter import Letter, Place, Source, read
from pipeline.kafka.message import Message
from pipeline.records import Redriven

MAX_RECENT = 50_000
"""Letters among which copies are looked for: a writer that was killed repeats its last bundle within seconds."""


class State(IntEnum):
    """How it stands with a letter."""

    WAITING = 0
    REDRIVEN = 1
    COPY = 2


class Survey:
    """States by place. Marks stand behind the letters they are of, so all of a topic is noted before it is asked."""

    def __init__(self) -> None:
        self._first: dict[int, int] = {}
        self._states: dict[int, bytearray] = {}
        self._recent: OrderedDict[Source, None] = OrderedDict()
        self.strangers = 0

    def note(self, message: Message) -> None:
        """The next message of its partition."""
        place = Place(message.partition, message.offset)
        self._reach(place)
        match read(message):
            case Letter() as letter:
                self._note_letter(letter)
            case Redriven(offsets=offsets):
                for offset in offsets:
                    self._set(Place(place.partition, offset), State.REDRIVEN)
            case None:
                self.strangers += 1

    def state(self, place: Place) -> State:
        """How it stands with the letter; one that came after the survey is waiting."""
        index = self._index(place)
        return State.WAITING if index is None else State(self._states[place.partition][index])

    def _note_letter(self, letter: Letter) -> None:
        if letter.source in self._recent:
            self._set(letter.place, State.COPY)
            return
        self._recent[letter.source] = None
        if len(self._recent) > MAX_RECENT:
            self._recent.popitem(last=False)

    def _reach(self, place: Place) -> None:
        """Make room up to this place."""
        first = self._first.setdefault(place.partition, place.offset)
        states = self._states.setdefault(place.partition, bytearray())
        states.extend(bytes(max(0, place.offset - first + 1 - len(states))))

    def _set(self, place: Place, state: State) -> None:
        index = self._index(place)
        if index is not None:  # else its letter is gone already, or the mark is none of ours
            self._states[place.partition][index] = state

    def _index(self, place: Place) -> int | None:
        index = place.offset - self._first.get(place.partition, 0)
        return index if 0 <= index < len(self._states.get(place.partition, b"")) else None


def surveyed(messages: Iterable[Message]) -> Survey:
    """The survey of a topic's messages, read once."""
    survey = Survey()
    for message in messages:
        survey.note(message)
    return survey
