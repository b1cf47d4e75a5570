"""Rows: the files that evaluation reads, line by line, each bounded; what is wrong is said with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from config.errors import BrinkwatchError
from pipeline.evaluation.labels import CATEGORIES, NAMES, TYPES, Scheme
from pipeline.extraction.lines import Line
from pipeline.records import EventType, Modality

MAX_FILE = 256 * 1024 * 1024
MAX_LINE = 4 * 1024 * 1024
MAX_ROWS = 200_000
Id = str | int
T = TypeVar("T")


class RowError(BrinkwatchError):
    """A file of rows that can't be used; the text names file and line."""


class HowMuch(msgspec.Struct, frozen=True, kw_only=True):
    """A number that an event has: its value, or the comparator that stands for one, such as ``dozens``."""

    value: float | None = None
    comparator: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a gold row says should be found.

    Attributes:
        event_type, category: One of them: our event type, or a category of ``labels``.
        modality: In what way it holds; None: not judged.
        actors, recipients: Their codes; None: not judged.
        magnitudes: Numbers that must be among those found; None: not judged.
    """

    event_type: str | None = None
    category: str | None = None
    modality: Modality | None = None
    actors: tuple[str, ...] | None = None
    recipients: tuple[str, ...] | None = None
    magnitudes: tuple[float | str | HowMuch, ...] | None = None

    @property
    def name(self) -> str:
        """Type or category."""
        return self.event_type or self.category or ""


class Gold(Line, frozen=True, kw_only=True):
    """A labelled row: a line of ``brinkwatch extract`` with what should be found; fields beyond these are ignored.

    Attributes:
        events: What should be found; empty: nothing.
        ambiguous: Whether it is left out.
        negative_type: What kind of row without events it is; its alarms are then counted apart.
    """

    events: tuple[Event, ...]
    ambiguous: bool = False
    negative_type: str | None = None


class FoundParty(msgspec.Struct, frozen=True):
    """An actor or recipient, by its code."""

    code: str


class FoundMagnitude(msgspec.Struct, frozen=True):
    """A number that was found."""

    value: float | None = None
    comparator: str = ""


class Found(msgspec.Struct, frozen=True):
    """What evaluation needs of a signal."""

    event_type: EventType
    modality: Modality
    active: bool
    actors: tuple[FoundParty, ...] = ()
    recipients: tuple[FoundParty, ...] = ()
    magnitudes: tuple[FoundMagnitude, ...] = ()


class Prediction(msgspec.Struct, frozen=True):
    """A line of ``brinkwatch extract``: a row's id, and what was found in it."""

    id: Id
    signals: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A file of gold rows: the rows, and by which names they call events."""

    rows: tuple[Gold, ...]
    scheme: Scheme


def read_gold(path: Path) -> Labelled:
    """The labelled rows of ``path``.

    Raises:
        RowError: It can't be read, is too large, or a line of it is no labelled row.
    """
    rows: list[Gold] = []
    seen: dict[Id, int] = {}
    left = set(Scheme)
    for number, row in _rows(path, Gold):
        _once(path, number, row.id, seen)
        for event in row.events:
            left = _schemes(path, number, event, left)
        rows.append(row)
    if not rows:
        raise RowError(f"reading labelled rows failed: {path}: it has none")
    return Labelled(tuple(rows), Scheme.TYPES if Scheme.TYPES in left else Scheme.CATEGORIES)


def read_predictions(path: Path) -> dict[Id, tuple[Found, ...]]:
    """What was found in each row, by its id.

    Raises:
        RowError: The file can't be read, is too large, or a line of it is no prediction.
    """
    found: dict[Id, tuple[Found, ...]] = {}
    seen: dict[Id, int] = {}
    for number, row in _rows(path, Prediction):
        _once(path, number, row.id, seen)
        found[row.id] = row.signals
    return found


def _once(path: Path, number: int, name: Id, seen: dict[Id, int]) -> None:
    if name in seen:
        raise RowError(f"reading rows failed: {path}:{number}: id {str(name)[:80]!r} stands in line {seen[name]} too")
    if len(seen) == MAX_ROWS:
        raise RowError(f"reading rows failed: {path}:{number}: more than {MAX_ROWS} rows")
    seen[name] = number


def _schemes(path: Path, number: int, event: Event, left: set[Scheme]) -> set[Scheme]:
    """The schemes that all names up to this one belong to."""
    place = f"reading labelled rows failed: {path}:{number}: events"
    if (event.event_type is None) == (event.category is None):
        raise RowError(f"{place}: an event has event_type or category, one of them")
    if event.name not in TYPES | CATEGORIES:
        raise RowError(f"{place}: no event type or category: {event.name[:80]!r}; known: {_known()}")
    fitting = {scheme for scheme in left if event.name in NAMES[scheme]}
    if not fitting:
        raise RowError(f"{place}: {event.name!r} is not among the {', '.join(left)} that the rows above it use")
    return fitting


def _known() -> str:
    return ", ".join(sorted(TYPES)) + "; or " + ", ".join(sorted(CATEGORIES))


def _rows(path: Path, kind: type[T]) -> Iterator[tuple[int, T]]:
    """Each line of the file as ``kind``, with its number; empty ones are passed over."""
    decoder = msgspec.json.Decoder(kind)
    for number, raw in _lines(path):
        try:
            yield number, decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise RowError(f"reading rows failed: {path}:{number}: {error}") from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    read = number = 0
    try:
        with path.open("rb") as file:
            while raw := file.readline(MAX_LINE + 1):
                number += 1
                read += len(raw)
                if len(raw) > MAX_LINE:
                    raise RowError(f"reading rows failed: {path}:{number}: longer than {MAX_LINE} bytes")
                if read > MAX_FILE:
                    raise RowError(f"reading rows failed: {path}:{number}: the file is larger than {MAX_FILE} bytes")
                if raw.strip():
                    yield number, raw
    except OSError as error:
        raise RowError(f"reading rows failed: {path}: {error.strerror}") from None
