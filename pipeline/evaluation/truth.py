"""Truth: dated events that alerts are held against, as lines of JSON that somebody wrote; every fault with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import pydantic

from config.document import Strict, fault_text
from config.errors import ConfigError, Fault
from pipeline.records import Level
from pipeline.records.dyad import dyad_key

MAX_LINE = 16 * 1024
MAX_EVENTS = 10_000
MAX_FAULTS = 50
_DYAD = re.compile(r"(\*|[A-Z0-9_]{2,20})-(\*|[A-Z0-9_]{2,20})")
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Between these a window can be reckoned that the calendar holds."""


def _dyad(text: str) -> str:
    match = _DYAD.fullmatch(text)
    if match is None:
        raise ValueError("a dyad such as RUS-UKR")
    return dyad_key(*match.groups())


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _at(text: object, whole_day: timedelta) -> datetime:
    """The time; of a date alone its midnight, and ``whole_day`` more."""
    if not isinstance(text, str):
        raise ValueError("an ISO 8601 date or time")  # noqa: TRY004  pydantic tells of a ValueError only
    try:
        day = _date(text)
        at = datetime.combine(day, time(), UTC) + whole_day if day else datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("an ISO 8601 date or time") from None
    if not _EARLIEST <= at < _LATEST:
        raise ValueError("a time between the years 1900 and 9000")
    return at


def _begin(text: object) -> datetime:
    return _at(text, timedelta())


def _end(text: object) -> datetime:
    return _at(text, timedelta(days=1) - timedelta(seconds=1))


class TruthLine(Strict):
    """A line as it stands in the file."""

    dyad: Annotated[str, pydantic.AfterValidator(_dyad)]
    begins: Annotated[datetime, pydantic.BeforeValidator(_begin)] = pydantic.Field(alias="from")
    until: Annotated[datetime, pydantic.BeforeValidator(_end)] | None = None
    level: Level = Level.WATCH
    note: str = pydantic.Field(default="", max_length=1000)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened between two actors, and that an alert should have told of.

    Attributes:
        dyad: Between whom: a key.
        begins: When it began (UTC).
        until: When it was over; None where that is not said.
        level: The least level that an alert should have reached.
        note: What it was, for a person.
    """

    dyad: str
    begins: datetime
    until: datetime | None = None
    level: Level = Level.WATCH
    note: str = ""


def parse_truth(lines: Iterable[bytes], name: str) -> list[Event]:
    """The events of ``lines``, in order of time; empty lines are passed over.

    Args:
        lines: Lines of JSON: ``dyad``, ``from``, and if you like ``until``, ``level`` and ``note``. A date alone is the
            whole day: ``from`` is its beginning, ``until`` its end. A time without a zone is UTC.
        name: What faults call the file.

    Raises:
        ConfigError: With every fault (the first fifty) and its line.
    """
    events: list[Event] = []
    faults: list[Fault] = []
    for number, raw in enumerate(lines, 1):
        if len(faults) >= MAX_FAULTS:
            break
        if len(events) == MAX_EVENTS:
            faults.append(Fault(name, "", f"at most {MAX_EVENTS} events", number))
            break
        if raw.strip():
            _take(raw, name, number, events, faults)
    if not events and not faults:
        faults.append(Fault(name, "", "at least one event"))
    if faults:
        raise ConfigError(faults)
    return sorted(events, key=lambda event: (event.begins, event.dyad, event.level.rank, event.note))


def _take(raw: bytes, name: str, number: int, events: list[Event], faults: list[Fault]) -> None:
    if len(raw) > MAX_LINE:
        faults.append(Fault(name, "", f"a line of at most {MAX_LINE} bytes", number))
        return
    try:
        events.append(_event(TruthLine.model_validate(msgspec.json.decode(raw))))
    except pydantic.ValidationError as error:
        faults += [Fault(name, ".".join(map(str, each["loc"])), fault_text(each), number) for each in error.errors()]
    except (ValueError, RecursionError) as error:
        faults.append(Fault(name, "", str(error), number))


def _event(line: TruthLine) -> Event:
    begins, until = line.begins, line.until
    if line.level is Level.CALM:
        raise ValueError("level: watch, warning or critical (found 'calm')")
    if until is not None and until < begins:
        raise ValueError("until: a time that is not before from")
    return Event(line.dyad, begins, until, line.level, line.note)


def read_truth(path: Path) -> list[Event]:
    """The events of a file.

    Raises:
        ConfigError: It can't be read, or with every fault and its line.
    """
    from pipeline.replay import bounded_lines

    try:
        with path.open("rb") as file:
            return parse_truth(bounded_lines(file), str(path))
    except OSError as error:
        raise ConfigError([Fault(str(path), "", f"a readable file ({error.strerror})")]) from None
