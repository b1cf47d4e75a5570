"""The gate: which sentences are worth parsing. One pass of Aho-Corasick over each text, so ordinary news costs little.

A sentence passes where a pattern's word stands in it together with a word of a class that the pattern needs, and it
names an actor, speaks of arms, or leans on the sentences before it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ahocorasick

from config.fold import fold
from config.lexicon import CLASS_KEYS, Lexicon, Pattern
from pipeline.extraction.sentences import Sentence

SHORT_STEM = 3
_SUFFIXES = frozenset(
    [
        "",
        "s",
        "es",
        "e",
        "ed",
        "d",
        "ing",
        "y",
        "ies",
        "ied",
        "ier",
        "er",
        "ers",
        "ying",
        "yed",
        "yment",
        "yments",
        "ment",
        "ments",
        "'s",
        "ves",
        "ion",
        "ions",
        "al",
    ]
)
_REFERS = re.compile(
    r"(?<!\w)(?:he|she|it|they|we|his|her|its|their|our|both|them|us|country|side|sides|nation|organi[sz]ation|alliance|bloc|"
    r"government|minister|ministry|president|leader|leaders|official|officials|premier|general)(?!\w)"
)
_NOT_NEEDED = frozenset({"unless", "unless_modifier"})
_INFLECTED = re.compile(r"[a-z']{0,6}")


@dataclass(frozen=True, slots=True)
class _Stem:
    """What one stem may stand for: patterns by number, classes by name."""

    length: int
    patterns: frozenset[int]
    classes: frozenset[str]


class Gate:
    """Decides which sentences are parsed. Made once, then read-only."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._patterns = lexicon.patterns
        self._needs = tuple(_needed(pattern) for pattern in lexicon.patterns)
        self._automaton = _automaton(lexicon)
        self._armed = frozenset({"strong_military"})

    def passed(self, text: str, sentences: Sequence[Sentence], actors: frozenset[int]) -> list[Sentence]:
        """The sentences of one text that are worth parsing.

        Args:
            text: Title or text, which ``sentences`` are of.
            sentences: In order.
            actors: Indexes of sentences that name an actor; empty: the whole article names nobody.
        """
        folded = fold(text)
        hits = self._hits(folded, [sentence.start for sentence in sentences], len(sentences))
        return [
            sentence
            for sentence, (patterns, classes) in zip(sentences, hits, strict=True)
            if patterns and self._passes(sentence, folded, patterns, classes, actors)
        ]

    def _passes(
        self, sentence: Sentence, folded: str, patterns: set[int], classes: set[str], actors: frozenset[int]
    ) -> bool:
        named = sentence.index in actors
        leans = (
            named or "strong_military" in classes or _REFERS.search(folded, sentence.start, sentence.end) is not None
        )
        return any(
            (leans or self._patterns[number].strong) and all(need & classes for need in self._needs[number])
            for number in patterns
        )

    def _hits(self, folded: str, starts: list[int], count: int) -> list[tuple[set[int], set[str]]]:
        found: list[tuple[set[int], set[str]]] = [(set(), set()) for _ in range(count)]
        for end, stems in self._automaton.iter(folded):
            begin = end + 1 - stems[0].length
            if begin and folded[begin - 1].isalnum():
                continue
            place = bisect_right(starts, begin) - 1
            if place < 0 or not _inflected(folded, end + 1, folded[end], stems[0].length):
                continue
            for stem in stems:
                found[place][0].update(stem.patterns)
                found[place][1].update(stem.classes)
        return found


def _inflected(folded: str, end: int, last: str, length: int) -> bool:
    """Whether what follows a stem is an ending of inflection, so that ``war`` is not found in ``warm``."""
    match = _INFLECTED.match(folded, end)
    rest = match[0] if match else ""
    if rest in _SUFFIXES:
        return True
    return (length > SHORT_STEM and (rest[:1] == last and rest[1:] in {"ed", "ing", "er"})) or rest in {"ting", "ted"}


def _needed(pattern: Pattern) -> tuple[frozenset[str], ...]:
    """Of each key that the pattern gives, the classes of which one must be there."""
    return tuple(
        frozenset(pattern.classes(key)) for key in CLASS_KEYS if key not in _NOT_NEEDED and pattern.classes(key)
    )


def _stems(words: Iterable[str], lexicon: Lexicon) -> set[str]:
    """What every form of ``words`` begins with, folded."""
    found: set[str] = set()
    for word in words:
        forms = {word, *lexicon.irregular.get(word, ())}
        found |= {fold(form[:-1] if form[-1:] in "ey" and len(form) > SHORT_STEM else form) for form in forms}
    return found


def _automaton(lexicon: Lexicon) -> ahocorasick.Automaton:
    patterns: dict[str, set[int]] = {}
    classes: dict[str, set[str]] = {}
    for number, pattern in enumerate(lexicon.patterns):
        for stem in _stems(pattern.words, lexicon):
            patterns.setdefault(stem, set()).add(number)
    for name, words in lexicon.classes.items():
        for stem in _stems(words, lexicon):
            classes.setdefault(stem, set()).add(name)
    automaton = ahocorasick.Automaton()
    for stem in patterns.keys() | classes.keys():
        value = _Stem(len(stem), frozenset(patterns.get(stem, ())), frozenset(classes.get(stem, ())))
        automaton.add_word(stem, (value,))
    automaton.make_automaton()
    return automaton
