"""Names in text: finds the gazetteer's names, tells the traps apart, and resolves them to codes as of a date.

    text ─▶ fold (same length) ─▶ Aho-Corasick ─▶ word bounds, case, cautions ─▶ leftmost longest ─▶ code at the date

Everything is linear in the text: the automaton reads it once, and what asks about all of it is asked once per name.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import ahocorasick

from config.fold import fold
from config.names import PLACES, WORDS, Caution, Entry, Gazetteer, Group, Term

ResolvedBy = Literal["name", "demonym", "capital", "office"]
MentionKind = Literal[
    "state", "territory", "organisation", "alliance", "armed_group", "demonym", "people", "capital", "seat", "person",
    "office", "force", "city", "region", "sea", "outlet",
]  # fmt: skip

AFTER_OFFICE = 0.5
LONG_AFTER_OFFICE = 0.25
LONG_AFTER = dt.timedelta(days=730)
SHORT_ACRONYM = 6
MOSTLY = 0.6
MIN_WORDS_FOR_TITLE_CASE = 4

_HYPHENS = "-\u2010\u2011\u2013"
_WORD = re.compile(r"[^\W_]+")
_NEXT_WORD = re.compile(r"[^\w.!?]{1,3}((?:['\w]|(?<=\w)\.(?=\w))+)")
_PREFIX = re.compile(rf"([^\W\d_]{{2,12}})[{_HYPHENS}]$")
_SUFFIX = re.compile(rf"(?:['\u2019]s)?[{_HYPHENS}]([^\W\d_]{{2,20}})")
_WINDOW = 40


@dataclass(frozen=True, slots=True)
class Mention:
    """One name in a text.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last one; a possessive ``'s`` is not part of it.
        text: The characters between.
        code: What it stands for at the date; None for seas, most outlets, and people who do not speak for anybody yet.
            An outlet's code is the state that runs it.
        kind: What the name is; ``PLACES`` (city, region, sea) say where, not who.
        resolved_by: How it became the code.
        certainty: 0 to 1: lower for capitals, for people out of office, and for names that others share.
        name: First name of the gazetteer's entry, whatever was written.
        prefix: What stands before a hyphen, lower case: ``anti`` in ``anti-Russian``; else empty.
        suffix: What stands after a hyphen, lower case: ``led`` in ``US-led``; else empty.
        office: Of a person: the office held at the date, or held last.
    """

    start: int
    end: int
    text: str
    code: str | None
    kind: MentionKind
    resolved_by: ResolvedBy
    certainty: float
    name: str
    prefix: str = ""
    suffix: str = ""
    office: str = ""


@dataclass(frozen=True, slots=True)
class _Caution:
    """A caution, folded."""

    unless: frozenset[str]
    not_before: frozenset[str]
    not_after: frozenset[str]
    uncased_not_after: frozenset[str]
    uncased: bool
    given_name: bool
    surname: bool


@dataclass(frozen=True, slots=True)
class _Name:
    """One meaning of one folded name."""

    length: int
    text: str
    group: Group
    entry: Entry
    exact: bool
    ambiguous: bool
    cautions: tuple[_Caution, ...]


class _Hit(NamedTuple):
    """Where a name's letters stand, and what they may mean."""

    start: int
    end: int
    names: tuple[_Name, ...]


class NameMatcher:
    """Finds names. Made once (tens of milliseconds), then read-only: safe to share between threads."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._given_names = gazetteer.words("given_name")
        self._titles = gazetteer.words("title")
        self._armed = _any_of(gazetteer.words("armed_word"))
        self._live = _automaton(gazetteer, drill=False)
        self._drill = _automaton(gazetteer, drill=True)

    def mentions(self, text: str, when: dt.date, drill: bool = False) -> list[Mention]:
        """Every name in ``text``, in order, not overlapping.

        Args:
            text: A sentence, a title or a whole article, as it was published; offsets index it.
            when: Date of publication: decides for whom people speak.
            drill: Whether the names of the drill count.
        """
        reading = _Reading(text, when, self._given_names, self._titles)
        found: list[Mention] = []
        for start, end, name in self._chosen(reading, drill=drill):
            mention = _mention(reading, start, end, name, when)
            if mention is not None:
                found.append(mention)
        return found

    def has_actor(self, text: str, drill: bool = False) -> bool:
        """Whether ``text`` names an actor, someone who speaks for one or a place of conflict, or has a word of arms."""
        reading = _Reading(text, None, self._given_names, self._titles)
        if self._armed.search(reading.folded):
            return True
        return any(_acts(name.entry) for _, _, name in self._chosen(reading, drill))

    def _chosen(self, reading: _Reading, drill: bool) -> Iterable[tuple[int, int, _Name]]:
        """Names that stand, leftmost and longest first, each beginning after the one before ended."""
        reached = 0
        for hit in self._bounded(reading.text, self._hits(reading.folded, drill)):
            if hit.start < reached:
                continue
            name = reading.accepted(hit)
            if name is not None:
                reached = hit.end
                if name.entry.kind != "trap":
                    yield hit.start, hit.end, name

    @staticmethod
    def _bounded(text: str, hits: Iterable[tuple[int, tuple[_Name, ...]]]) -> list[_Hit]:
        """The hits that stand between word bounds, leftmost and longest first.

        Most hits are parts of other words, so nothing is built before the bounds are looked at.
        """
        found: list[_Hit] = []
        beyond = len(text)
        for last, names in hits:
            end = last + 1
            if end < beyond and ((after := text[end]).isalnum() or after == "_"):
                continue
            start = end - names[0].length
            if start and ((before := text[start - 1]).isalnum() or before in "_@"):
                continue
            found.append(_Hit(start, end, names))
        found.sort(key=lambda hit: (hit.start, -hit.end))
        return found

    def _hits(self, folded: str, drill: bool) -> Iterable[tuple[int, tuple[_Name, ...]]]:
        return (self._drill if drill else self._live).iter(folded)  # type: ignore[no-any-return]  # untyped library


def _acts(entry: Entry) -> bool:
    return entry.conflict if entry.kind in PLACES else entry.kind != "outlet"


def _automaton(gazetteer: Gazetteer, *, drill: bool) -> ahocorasick.Automaton:
    meanings: dict[str, list[_Name]] = {}
    for entry in gazetteer.entries:
        if entry.kind in WORDS or (entry.drill and not drill):
            continue
        for group, _, text in entry.all_names():
            if text not in entry.silent:
                meanings.setdefault(fold(text), []).append(_name(entry, group, text))
    automaton = ahocorasick.Automaton()
    for folded, names in meanings.items():
        automaton.add_word(folded, tuple(sorted(names, key=lambda name: (not name.entry.drill, name.ambiguous))))
    automaton.make_automaton()
    return automaton


def _name(entry: Entry, group: Group, text: str) -> _Name:
    cautions = tuple(_folded(caution) for caution in entry.cautions if not caution.names or text in caution.names)
    exact = text in entry.exact or (len(text) <= SHORT_ACRONYM and text.isupper())
    return _Name(len(text), text, group, entry, exact, text in entry.ambiguous, cautions)


def _folded(caution: Caution) -> _Caution:
    return _Caution(
        unless=frozenset(map(fold, caution.unless)),
        not_before=frozenset(map(fold, caution.not_before)),
        not_after=frozenset(map(fold, caution.not_after)),
        uncased_not_after=frozenset(map(fold, caution.uncased_not_after)),
        uncased=caution.uncased,
        given_name=caution.given_name,
        surname=caution.surname,
    )


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern for any of ``words``, whole, in folded text; one that never matches where there are none."""
    parts = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{parts})(?!\w)" if parts else r"(?!)")


class _Reading:
    """One text while it is read, with what is asked about it as a whole."""

    def __init__(self, text: str, when: dt.date | None, given_names: frozenset[str], titles: frozenset[str]) -> None:
        self.text = text
        self.folded = fold(text)
        self.when = when
        self.given_names = given_names
        self.titles = titles
        self.seen: set[int] = set()
        self._void: dict[frozenset[str], bool] = {}

    @cached_property
    def uncased(self) -> bool:
        """Whether the text is all capitals or all lower case, so that case tells nothing."""
        return self.text.isupper() or self.text.islower()

    @cached_property
    def title_case(self) -> bool:
        """Whether most words begin with a capital, as in a headline."""
        words = _WORD.findall(self.text)
        return len(words) >= MIN_WORDS_FOR_TITLE_CASE and sum(w[0].isupper() for w in words) > MOSTLY * len(words)

    def accepted(self, hit: _Hit) -> _Name | None:
        """The meaning of ``hit`` that stands here: the first, but of people with one name the likeliest at the date."""
        names = [name for name in hit.names if self._stands(hit.start, hit.end, name)]
        if not names:
            return None
        name = names[0] if len(names) == 1 or self.when is None else max(names, key=self._likelihood)
        self.seen.add(id(name.entry))
        return name

    def _likelihood(self, name: _Name) -> tuple[bool, bool, float]:
        when = self.when or dt.date.max
        return name.entry.drill, id(name.entry) in self.seen, _resolved(name, when)[2] * (not name.ambiguous)

    def _stands(self, start: int, end: int, name: _Name) -> bool:
        if not self._spelt(start, end, name):
            return False
        if name.group == "combining" and self.text[end : end + 1] not in tuple(_HYPHENS):
            return False
        if name.group in {"surnames", "later"} and self.before(start) in self.given_names:
            return False
        if name.group == "later" and id(name.entry) not in self.seen and self.before(start) not in self.titles:
            return False
        return not any(self._voids(start, end, caution) for caution in name.cautions)

    def _spelt(self, start: int, end: int, name: _Name) -> bool:
        """Whether case fits: exact names as listed, others with a capital where the name has one."""
        if self.uncased:
            return True
        written = self.text[start:end]
        if name.exact:
            return _plain(written) == _plain(name.text)
        return written[0].isupper() or not name.text[0].isupper() or written.isupper()

    def _voids(self, start: int, end: int, caution: _Caution) -> bool:
        if self.uncased and (not caution.uncased or self.before(start) in caution.uncased_not_after):
            return True
        if caution.not_before and fold(self._after(end)) in caution.not_before:
            return True
        if caution.not_after and self.before(start) in caution.not_after:
            return True
        if caution.given_name and self._family_name_follows(end):
            return True
        if caution.surname and self.before(start) in self.given_names:
            return True
        return bool(caution.unless) and self._anywhere(caution.unless)

    def _family_name_follows(self, end: int) -> bool:
        """Whether the next word, after one space, is capitalised where not every word is."""
        word = self._after(end) if self.text[end : end + 1] == " " else ""
        return word[:1].isupper() and not word.isupper() and not self.title_case

    def _anywhere(self, words: frozenset[str]) -> bool:
        if words not in self._void:
            self._void[words] = _any_of(words).search(self.folded) is not None
        return self._void[words]

    def before(self, start: int) -> str:
        """The folded word before ``start``, with nothing but a space or hyphen between; empty if none."""
        window = self.folded[max(0, start - _WINDOW) : start]
        if not window.endswith((" ", ". ")):
            return ""
        words = window.rstrip(" .").split(" ")
        return words[-1].strip("\"'(,;:")

    def _after(self, end: int) -> str:
        match = _NEXT_WORD.match(self.text, end, end + _WINDOW)
        return match[1] if match else ""


def _plain(text: str) -> str:
    """``text`` with typographic quotes, hyphens and spaces made plain; case and accents stay."""
    return "".join(fold(c) if not c.isalpha() else c for c in text)


def _mention(reading: _Reading, start: int, end: int, name: _Name, when: dt.date) -> Mention | None:
    entry = name.entry
    code, office, certainty = _resolved(name, when)
    if name.ambiguous:
        certainty *= AFTER_OFFICE
    if name.group == "capitals":
        certainty *= 0.9
    prefix = _PREFIX.search(reading.text[max(0, start - 14) : start])
    suffix = _SUFFIX.match(reading.text, end, end + 24)
    return Mention(
        start=start,
        end=end,
        text=reading.text[start:end],
        code=code,
        kind=_kind(name),
        resolved_by=_resolved_by(name),
        certainty=certainty,
        name=entry.names[0],
        prefix=prefix[1].lower() if prefix else "",
        suffix=suffix[1].lower() if suffix else "",
        office=office,
    )


_KINDS: dict[Group, MentionKind] = {
    "adjectives": "demonym",
    "combining": "demonym",
    "people": "people",
    "capitals": "capital",
    "seats": "seat",
}


def _kind(name: _Name) -> MentionKind:
    if name.group in _KINDS:
        return _KINDS[name.group]
    return name.entry.kind  # type: ignore[return-value]  # traps and words never come so far


def _resolved_by(name: _Name) -> ResolvedBy:
    if name.group in {"adjectives", "people", "combining"}:
        return "demonym"
    if name.group == "capitals":
        return "capital"
    return "office" if name.group == "seats" or name.entry.kind in {"person", "office"} else "name"


def _resolved(name: _Name, when: dt.date) -> tuple[str | None, str, float]:
    """Code, office and certainty of ``name`` at ``when``."""
    entry = name.entry
    if entry.kind == "person":
        return _spoken_for(entry.terms, when)
    if entry.since and when < entry.since:
        return None, "", 0.0
    if entry.until and when > entry.until:
        # "The Soviet Union stationed missiles" still has an actor; a "Soviet tank" has none any more.
        return (entry.code, "", LONG_AFTER_OFFICE) if name.group == "names" else (None, "", 0.0)
    return entry.code, "", 1.0


def _spoken_for(terms: Sequence[Term], when: dt.date) -> tuple[str | None, str, float]:
    """For whom someone speaks: the office held, else the one left last, else nobody yet."""
    begun = [term for term in terms if term.since <= when]
    if not begun:
        return None, "", 0.0
    held = [term for term in begun if term.until is None or when <= term.until]
    if held:
        term = max(held, key=lambda term: term.since)
        return term.code, term.office, 1.0
    term = max(begun, key=lambda term: term.until or when)
    left = term.until or when
    return term.code, term.office, AFTER_OFFICE if when - left <= LONG_AFTER else LONG_AFTER_OFFICE
