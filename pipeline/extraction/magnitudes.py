"""Magnitudes: how many of what, with the comparator: ``over a hundred thousand troops``, ``dozens of warships``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.records import Magnitude

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacy.tokens import Token

    from pipeline.extraction.scene import Scene

_SMALL = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
} | {
    word: 10 * number
    for number, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "dozen": 12.0,
    "m": 1e6,
    "mn": 1e6,
    "bn": 1e9,
    "k": 1e3,
}
_VAGUE = {"dozens": "dozens", "scores": "dozens", "hundreds": "hundreds", "thousands": "thousands"}
_COMPARATORS = tuple(
    (tuple(words.split()), comparator)
    for comparator, phrases in {
        "over": ("more than", "greater than", "over", "above", "exceeding"),
        "under": ("fewer than", "less than", "under", "almost", "nearly"),
        "up_to": ("up to", "as many as"),
        "at_least": ("at least", "no fewer than"),
        "about": ("about", "around", "some", "roughly", "approximately", "an estimated", "estimated", "close to"),
    }.items()
    for words in phrases
)
_DIGITS = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$|^\d+(?:\.\d+)?$")
_SCALED = re.compile(r"^(\d+(?:\.\d+)?)(k|m|mn|bn|b|tn)$", re.IGNORECASE)
_CURRENCY = {"$": "dollars", "€": "euros", "£": "pounds", "us$": "dollars"}
_SKIPPED = frozenset({"amod", "compound", "nummod", "quantmod", "nmod", "advmod", "det", "punct", "hyph"})
_YEARS = range(1500, 2050)
MAX_WORDS = 6


@dataclass(frozen=True, slots=True)
class _Number:
    first: Token
    last: Token
    value: float | None
    vague: str | None


def magnitudes(triggers: list[Token], scene: Scene) -> dict[int, tuple[Magnitude, ...]]:
    """The magnitudes of each trigger, by its place in ``triggers``; a number goes to the nearest event above it."""
    found: dict[int, list[Magnitude]] = {}
    for number in _numbers(scene):
        unit = _unit(number, scene)
        if unit is None:
            continue
        owner = _owner(unit, triggers, scene)
        if owner is not None:
            found.setdefault(owner, []).append(_magnitude(number, unit, scene))
    return {place: tuple(all_found) for place, all_found in found.items()}


def _numbers(scene: Scene) -> Iterator[_Number]:
    doc = scene.doc
    place = 0
    while place < len(doc):
        number = _number_at(place, scene)
        if number is None:
            place += 1
        else:
            yield number
            place = number.last.i + 1


def _number_at(place: int, scene: Scene) -> _Number | None:
    doc = scene.doc
    token = doc[place]
    if token.lower_ in _VAGUE:
        return _vague(place, scene)
    words: list[Token] = []
    for word in doc[place : place + MAX_WORDS]:
        if _value_of(word.lower_) is None and not (
            word.lower_ in {"a", "half", "and", "an", "-"} and _more(word, bool(words))
        ):
            break
        words.append(word)
    while words and words[-1].lower_ in {"a", "an", "and", "half", "-"}:
        words.pop()
    if not words:
        return None
    value = _total([w.lower_ for w in words])
    if value is None or _no_count(words, value, scene):
        return None
    return _Number(words[0], words[-1], value, None)


def _more(word: Token, begun: bool) -> bool:
    following = word.doc[word.i + 1 : word.i + 2]
    return bool(following) and (
        (_value_of(following[0].lower_) is not None and (begun or following[0].lower_ in _SCALES))
        or (word.lower_ == "half" and following[0].lower_ == "a")
    )


def _value_of(word: str) -> float | None:
    if _DIGITS.match(word):
        return float(word.replace(",", "")[:18])
    if match := _SCALED.match(word):
        return float(match[1]) * {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12}[match[2].lower()]
    if word in _SMALL:
        return float(_SMALL[word])
    return _SCALES.get(word) if len(word) > 2 else None  # noqa: PLR2004 - m and k alone are no numbers


def _total(words: list[str]) -> float | None:
    total, current = 0.0, 0.0
    for word in words:
        if word in {"and", "a", "an", "-"}:
            continue
        if word == "half":
            current = 0.5
        elif word in _SCALES:
            scaled = (current or 1.0) * _SCALES[word]
            if _SCALES[word] >= 1e3:  # noqa: PLR2004 - thousand and more close a group
                total, current = total + scaled, 0.0
            else:
                current = scaled
        else:
            current += _value_of(word) or 0.0
    return total + current or None


def _no_count(words: list[Token], value: float, scene: Scene) -> bool:
    """Years, days of a month, parts of names (``S-400``) and what stands in a name."""
    only = len(words) == 1
    token = words[0]
    if scene.name_at(token) is not None:
        return True
    before = token.doc[token.i - 1] if token.i else None
    if (
        before is not None
        and before.text in {"-", "/", ":", "."}
        and not before.whitespace_
        and not token.doc[token.i - 1].is_space
    ):
        return True
    if only and token.text.isdigit() and value in _YEARS and not _counts(token):
        return True
    if before is not None and before.lower_ in {"war", "phase", "article", "chapter", "day", "part", "force"}:
        return True
    return only and (token.lower_ == "one" and token.dep_ != "nummod")


def _counts(token: Token) -> bool:
    """Whether a number that looks like a year counts something: ``2000 troops``, not ``1990 invasion``."""
    return token.dep_ == "nummod" and token.head.tag_ in {"NNS", "NNPS"}


def _vague(place: int, scene: Scene) -> _Number:
    doc = scene.doc
    first = doc[place]
    comparator = _VAGUE[first.lower_]
    last = first
    if place >= 2 and doc[place - 1].lower_ == "of" and doc[place - 2].lower_ in {"tens", "hundreds"}:  # noqa: PLR2004 - two words before
        comparator = f"{doc[place - 2].lower_}_of_{comparator}"
        first = doc[place - 2]
    following = doc[place + 1 : place + 3]
    if [t.lower_ for t in following] == ["of", "thousands"] and comparator == "hundreds":
        comparator, last = "hundreds_of_thousands", following[1]
    return _Number(first, last, None, comparator if comparator != "tens_of_hundreds" else "thousands")


def _unit(number: _Number, scene: Scene) -> Token | None:
    """The noun that is counted."""
    token = _head_of(number)
    if token is None:
        return None
    not_counted = scene.lexicon.not_counted
    if tree.lemma(token) in not_counted or token.lower_ in not_counted:
        return None
    money = number.first.i and number.first.doc[number.first.i - 1].text.lower() in _CURRENCY
    if token.pos_ not in tree.NOMINAL and not money:
        return None
    name = scene.name_at(token)
    return token if money or name is None or token.text.islower() else None


def _head_of(number: _Number) -> Token | None:
    doc = number.last.doc
    if number.vague:
        after = doc[number.last.i + 1 : number.last.i + 2]
        if after and after[0].lower_ == "of":
            objects = tree.kids(after[0], "pobj")
            return objects[0] if objects else None
        return number.last if number.last.dep_ != "nummod" else number.last.head
    inside = set(range(number.first.i, number.last.i + 1))
    for token in (number.last, number.first):
        head = token
        while head.i in inside and head.head != head:
            head = head.head
        while head.i not in inside and head.dep_ in {"compound", "nmod", "amod"} and head.head.i > head.i:
            head = head.head
        if head.i not in inside and head.i > number.last.i and head.pos_ in tree.NOMINAL:
            return head
    for token in doc[number.last.i + 1 : number.last.i + 5]:
        if token.pos_ in tree.NOMINAL and token.dep_ not in {"compound", "nmod"}:
            return token
        if token.dep_ not in _SKIPPED and token.lower_ != "of":
            break
    before = number.first.i and doc[number.first.i - 1].text.lower() in _CURRENCY
    return number.last if before else None


def _owner(unit: Token, triggers: list[Token], scene: Scene) -> int | None:
    """The event that what is counted belongs to: the nearest above it, or a noun that the same verb governs."""
    dead = scene.lexicon.classes["dead_words"]
    by_token = {t.i: place for place, t in enumerate(triggers)}
    for above in tree.ancestors(unit):
        if tree.lemma(above) in dead and above != unit:
            return None
        if above.i in by_token:
            return by_token[above.i]
        if tree.is_verb(above):
            own = [place for place, t in enumerate(triggers) if tree.governor(t)[0] == above or _light(t, above)]
            if own:
                return own[0]
        if above.dep_ in {"relcl", "ccomp"} and tree.is_verb(above):
            return None
    return None


def _light(trigger: Token, verb: Token) -> bool:
    return trigger.dep_ in {"dobj", "nsubj", "nsubjpass", "attr"} and trigger.head == verb


def _magnitude(number: _Number, unit: Token, scene: Scene) -> Magnitude:
    comparator, first = _comparator(number)
    last = unit if unit.i >= number.last.i else number.last
    text, span = scene.cut(first.idx, last.idx + len(last.text))
    return Magnitude(
        value=number.value,
        comparator=number.vague or comparator,
        unit=_unit_name(number, unit, scene),
        text=text,
        span=span,
    )


def _comparator(number: _Number) -> tuple[str, Token]:
    doc, place = number.first.doc, number.first.i
    if place and doc[place - 1].text.lower() in _CURRENCY:
        place -= 1
    for words, comparator in _COMPARATORS:
        start = place - len(words)
        if start >= 0 and tuple(t.lower_ for t in doc[start:place]) == words:
            return comparator, doc[start]
    return "exactly", doc[place]


def _unit_name(number: _Number, unit: Token, scene: Scene) -> str:
    before = number.first.doc[number.first.i - 1].text.lower() if number.first.i else ""
    if before in _CURRENCY:
        return _CURRENCY[before]
    word = tree.lemma(unit)
    for canonical, words in scene.lexicon.countable.items():
        if word in words or unit.lower_ in words:
            return canonical
    compounds = [
        c for c in unit.children if c.dep_ in {"compound", "nmod"} and c.i > number.last.i and scene.name_at(c) is None
    ]
    head = unit.lower_ if unit.tag_ in {"NNS", "NNPS"} or unit.lower_.endswith("s") else unit.lower_ + "s"
    first = min((c.left_edge.i for c in compounds), default=unit.i)
    return " ".join(
        [*(t.lower_ for t in unit.doc[max(first, number.last.i + 1) : unit.i] if scene.name_at(t) is None), head]
    )
