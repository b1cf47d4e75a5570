"""The gazetteer: names of states, organisations, armed groups, people, places and outlets, and what they stand for."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from config.document import Document, Location, Strict, load
from config.errors import ConfigError, Fault
from config.fold import fold

Kind = Literal[
    "state", "territory", "organisation", "alliance", "armed_group", "person", "office", "force",
    "city", "region", "sea", "outlet", "trap", "given_name", "title", "armed_word",
]  # fmt: skip
Group = Literal["names", "adjectives", "people", "combining", "capitals", "seats", "surnames", "later"]
GROUPS: tuple[Group, ...] = (
    "names", "adjectives", "people", "combining", "capitals", "seats", "surnames", "later",
)  # fmt: skip
PLACES = frozenset({"city", "region", "sea"})
WORDS = frozenset({"given_name", "title", "armed_word"})
ACTORS = frozenset({"state", "territory", "organisation", "alliance", "armed_group"})
CODELESS = PLACES | WORDS | {"outlet", "trap", "person"}
MAX_NAME = 80

Code = Annotated[str, pydantic.StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,15}$")]
NameText = Annotated[str, pydantic.StringConstraints(min_length=2, max_length=MAX_NAME, strip_whitespace=True)]
Names = tuple[NameText, ...]

_PARTIAL = re.compile(r"^(\d{4})(?:-(\d{2}))?$")


def _partial(value: Any, *, last: bool) -> Any:
    """``2011`` or ``2011-03`` as its first or last day; anything else unchanged."""
    match = _PARTIAL.match(str(value))
    if match is None:
        return value
    year, month = int(match[1]), int(match[2] or (12 if last else 1))
    if not (1 <= month <= 12 and year >= 1):  # noqa: PLR2004 - months of a year
        return value
    return dt.date(year, month, calendar.monthrange(year, month)[1] if last else 1)


Since = Annotated[dt.date, pydantic.BeforeValidator(lambda value: _partial(value, last=False))]
Until = Annotated[dt.date, pydantic.BeforeValidator(lambda value: _partial(value, last=True))]


class Term(Strict):
    """A time in office.

    Attributes:
        code: For whom the holder spoke.
        office: Which, such as ``foreign minister``.
        since: First day; ``2011-03`` or ``2011`` will do.
        until: Last day, in the same forms; None while it lasts.
    """

    code: Code
    office: str
    since: Since
    until: Until | None = None

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> Term:
        if self.until is not None and self.until < self.since:
            raise ValueError("until is before since")
        return self


class Caution(Strict):
    """When some names of an entry do not count, because the same letters often mean something else.

    Attributes:
        names: Which of the entry's names; none given: all.
        unless: Words that void the name when they stand anywhere in the text.
        not_before: Words that void it as the next word.
        not_after: Words that void it as the word before.
        uncased_not_after: The same, only in text that is all capitals or all lower case.
        uncased: False: never counts in such text.
        given_name: It is a first name too: void when a further capitalised word follows.
        surname: It is a family name too: void after a first name (entries of kind ``given_name``).
    """

    names: Names = ()
    unless: Names = ()
    not_before: Names = ()
    not_after: Names = ()
    uncased_not_after: Names = ()
    uncased: bool = True
    given_name: bool = False
    surname: bool = False


class Entry(Strict):
    """One thing that has names.

    Attributes:
        code: What its names resolve to; None for what speaks for nobody, and for people (their terms say).
        kind: What it is.
        names: What it is called.
        adjectives: ``Russian``.
        people: ``Russians``.
        combining: First halves such as ``Russo``; count only before a hyphen.
        capitals: Cities that stand for the government.
        seats: Buildings and streets that do.
        surnames: A person's family name where it is distinctive enough to stand alone.
        later: A person's family name that counts only after a title, or after the full name in the same text.
        terms: A person's times in office.
        since: A name counts from this day.
        until: A name counts to this day.
        exact: Names that must be spelt just so, case and accents included. Short names in capitals always must.
        silent: Names kept for the record that are never matched, for they mostly mean something else.
        ambiguous: Names that another entry has too; that one wins, unless it lists them here as well.
        cautions: When names do not count.
        conflict: Of a place: its mere name makes a sentence worth reading (``NameMatcher.has_actor``).
        drill: True: matched in drill articles only.
    """

    code: Code | None = None
    kind: Kind
    names: Names = pydantic.Field(min_length=1)
    adjectives: Names = ()
    people: Names = ()
    combining: Names = ()
    capitals: Names = ()
    seats: Names = ()
    surnames: Names = ()
    later: Names = ()
    terms: tuple[Term, ...] = ()
    since: Since | None = None
    until: Until | None = None
    exact: Names = ()
    silent: Names = ()
    ambiguous: Names = ()
    cautions: tuple[Caution, ...] = ()
    conflict: bool = False
    drill: bool = False

    @pydantic.model_validator(mode="after")
    def _fits_kind(self) -> Entry:
        if self.code is None and self.kind not in CODELESS:
            raise ValueError(f"a {self.kind} needs a code")
        if (self.kind == "person") != bool(self.terms):
            raise ValueError("a person, and only a person, needs terms")
        if self.kind == "person" and self.code is not None:
            raise ValueError("a person has no code: the terms say for whom they speak")
        if (self.surnames or self.later) and self.kind != "person":
            raise ValueError("only a person has surnames")
        if self.kind not in ACTORS and (self.adjectives or self.people or self.capitals or self.seats):
            raise ValueError(f"a {self.kind} has no adjectives, people, capitals or seats")
        return self

    @pydantic.model_validator(mode="after")
    def _refers_to_itself(self) -> Entry:
        known = {text for _, _, text in self.all_names()}
        lists = [self.exact, self.silent, self.ambiguous, *(caution.names for caution in self.cautions)]
        unknown = sorted({name for names in lists for name in names} - known)
        if unknown:
            raise ValueError(f"exact, silent, ambiguous and cautions name what is no name of the entry: {unknown}")
        return self

    def all_names(self) -> Iterator[tuple[Group, int, str]]:
        """Every name, with its group and its place there."""
        for group in GROUPS:
            for index, text in enumerate(getattr(self, group)):
                yield group, index, text

    def codes(self) -> frozenset[str]:
        """Every code its names may resolve to."""
        return frozenset(term.code for term in self.terms) | ({self.code} if self.code else frozenset())


@dataclass(frozen=True)
class Gazetteer:
    """Every entry of the folder, in the order of file names and of their entries."""

    entries: tuple[Entry, ...]

    @cached_property
    def actors(self) -> Mapping[str, Entry]:
        """States, territories, organisations, alliances and armed groups by code; the first entry of a code counts."""
        found: dict[str, Entry] = {}
        for entry in self.entries:
            if entry.code is not None and entry.kind in ACTORS:
                found.setdefault(entry.code, entry)
        return found

    def codes(self) -> frozenset[str]:
        """Every code that a name may resolve to."""
        return frozenset().union(*(entry.codes() for entry in self.entries))

    def label(self, code: str) -> str:
        """What to call ``code`` on a screen: its first name, or the code itself where it is not known."""
        entry = self.actors.get(code)
        return entry.names[0] if entry else code

    def words(self, kind: Kind) -> frozenset[str]:
        """The folded names of all entries of ``kind``."""
        return frozenset(fold(name) for entry in self.entries if entry.kind == kind for name in entry.names)


class _File(Strict):
    entries: tuple[Entry, ...]


def load_gazetteer(folder: Path) -> Gazetteer:
    """Read every ``*.yaml`` of ``folder``.

    Raises:
        ConfigError: With every fault: files that can't be read, entries that are wrong, and names that two entries
            claim for different codes.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ConfigError([Fault(str(folder), "", "a folder with at least one gazetteer file, *.yaml")])
    faults: list[Fault] = []
    read: list[tuple[Document, _File]] = []
    for path in paths:
        try:
            document = load(path)
            read.append((document, document.check(_File)))
        except ConfigError as error:
            faults += error.faults
    if not faults:
        faults = _clashes(read) + _unknown_codes(read)
    if faults:
        raise ConfigError(faults)
    return Gazetteer(tuple(entry for _, file in read for entry in file.entries))


@dataclass(frozen=True, slots=True)
class _Claim:
    document: Document
    at: Location
    entry: Entry
    text: str


def _claims(read: list[tuple[Document, _File]]) -> dict[tuple[str, bool], list[_Claim]]:
    """Who claims each folded name without saying that it is another's."""
    claims: dict[tuple[str, bool], list[_Claim]] = {}
    for document, file in read:
        for number, entry in enumerate(file.entries):
            if entry.kind in WORDS:
                continue
            for group, index, text in entry.all_names():
                if text not in entry.ambiguous and text not in entry.silent and group != "later":
                    claim = _Claim(document, ("entries", number, group, index), entry, text)
                    claims.setdefault((fold(text), entry.drill), []).append(claim)
    return claims


def _clashes(read: list[tuple[Document, _File]]) -> list[Fault]:
    faults: list[Fault] = []
    for same in _claims(read).values():
        first = same[0]
        for claim in same[1:]:
            if _differ(first.entry, claim.entry):
                line = first.document.line_of(first.at)
                expected = (
                    f"one meaning for {claim.text!r}, but {first.document.path.name}:{line} has it too "
                    f"({_meaning(first.entry)}, here {_meaning(claim.entry)}); list it under `ambiguous` in one of them"
                )
                faults.append(claim.document.fault(claim.at, expected))
    return faults


def _differ(one: Entry, other: Entry) -> bool:
    """Two people may share a name where the times in office tell them apart."""
    if one.kind == other.kind == "person":
        return False
    return one is not other and (one.codes() != other.codes() or one.kind != other.kind)


def _meaning(entry: Entry) -> str:
    return ", ".join(sorted(entry.codes())) or entry.kind


def _unknown_codes(read: list[tuple[Document, _File]]) -> list[Fault]:
    """Codes of people, offices, forces, places and outlets that no actor has."""
    known = {entry.code for _, file in read for entry in file.entries if entry.kind in ACTORS}
    faults: list[Fault] = []
    for document, file in read:
        for number, entry in enumerate(file.entries):
            unknown = sorted(entry.codes() - known)
            if unknown:
                expected = f"the code of a state, organisation or armed group (found {', '.join(unknown)})"
                faults.append(document.fault(("entries", number), expected))
    return faults
