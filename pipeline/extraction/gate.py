"""The gate: which sentences are worth reading closely. Most of ordinary news names nobody who acts, and costs little.

A sentence passes that has a trigger, and an actor as near as the trigger asks for:

    a strong pattern that speaks of arms; a telling word
    or a pattern beside who fights (troops, rebels)          nowhere
    a word of arms                                           in the sentence; with any pattern, in one before
    a telling word, a pattern with the words it needs        in the sentence; with any pattern, in the one right before
    an everyday word, a pattern that needs no other word     two in the sentence

Beside two words of sport, business and the like a telling word is an everyday one. The words besides the patterns' are
``gate`` of the lexicon: many, for the sentence model that comes next knows more ways of saying things than patterns do.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import ahocorasick

from config.fold import fold
from config.lexicon import CLASS_KEYS, Lexicon, Pattern
from pipeline.extraction.scene import WHO

if TYPE_CHECKING:
    from pipeline.extraction.names import Mention
    from pipeline.extraction.sentences import Sentence

Verdict = Literal["passed", "no trigger", "no actor", "one actor"]
"""What the gate says. ``no actor``: a trigger, but no actor near; ``one actor``: a trigger that counts between two."""
Actors = Mapping[int, int]
"""How many different actors each sentence of the article names, by its index; those that name none are left out."""

SHORT_STEM = 3
TWO = 2
NO_TRIGGER = 3
MAX_WORDS = 50_000
"""Words whose stems are remembered: some 10 MB, more than a month of news uses often."""
_SUFFIXES = frozenset(
    ["", "s", "es", "e", "ed", "d", "ing", "y", "ies", "ied", "ier", "er", "ers", "ying", "yed", "yment", "yments",
     "ment", "ments", "ves", "ion", "ions", "al"]
)  # fmt: skip
_BOLD = frozenset({"forces", "armed"})
_NOT_NEEDED = frozenset({"unless", "unless_modifier"})
_INFLECTED = re.compile(r"[a-z]{0,6}")
_Ending = Literal["inflected", "any", "none"]


@dataclass(frozen=True, slots=True)
class _Stem:
    """What one stem may stand for: patterns by number, classes and lists of the gate by name."""

    text: str
    ending: _Ending
    patterns: frozenset[int] = frozenset()
    classes: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    ordinary: bool = False


@dataclass(frozen=True, slots=True)
class _Trigger:
    """What actors a sentence's words ask for.

    Attributes:
        actors: How many in the sentence; ``NO_TRIGGER`` where its words are none.
        leans: Whether an actor of the article before will do instead, and how near: ``far`` in any sentence.
    """

    actors: int
    leans: Literal["", "near", "far"] = ""


class _Near(NamedTuple):
    """How many actors a sentence names, and whether the sentence right before names one, or any before."""

    here: int
    right_before: bool
    before: bool


class Gate:
    """Decides which sentences are read closely. Made once, then read-only."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._patterns = lexicon.patterns
        self._needs = tuple(_needed(pattern) for pattern in lexicon.patterns)
        stems = [*_of_patterns(lexicon), *_of_lists(lexicon)]
        self._stems = _by_text(stem for stem in stems if " " not in stem.text)
        self._longest = max(map(len, self._stems), default=0)
        self._phrases = _automaton(stem for stem in stems if " " in stem.text)
        self._bold = _automaton(stem for stem in stems if stem.lists & _BOLD or self._is_strong(stem.patterns))
        # Words repeat: each is looked up once, and most never again. Bounded, for texts may be hostile.
        self._of_word = lru_cache(maxsize=MAX_WORDS)(self._look_up)

    def passed(self, text: str, sentences: Sequence[Sentence], actors: Actors) -> list[Sentence]:
        """The sentences of one text that are worth reading.

        Args:
            text: Title or text, which ``sentences`` are of.
            sentences: In order.
            actors: How many actors each sentence of the article, title and text, names.
        """
        plain = _plain(text)
        bold = [last for last, _ in self._bold.iter(plain)]
        first = min(actors, default=None)
        found = []
        for sentence in sentences:
            near = _near(actors, first, sentence)
            # Most sentences of ordinary news end here: nobody acts, and no word is bold enough to do without.
            if not (near.here or near.right_before or _any_between(bold, sentence.start, sentence.end)):
                continue
            if _verdict(self._trigger(plain[sentence.start : sentence.end]), near) == "passed":
                found.append(sentence)
        return found

    def verdicts(self, text: str, sentences: Sequence[Sentence], actors: Actors) -> dict[int, Verdict]:
        """What the gate says of each sentence, by its index: for people who ask why one was not read.

        Args:
            text: Title or text, which ``sentences`` are of.
            sentences: In order.
            actors: How many actors each sentence of the article, title and text, names.
        """
        plain = _plain(text)
        first = min(actors, default=None)
        return {s.index: _verdict(self._trigger(plain[s.start : s.end]), _near(actors, first, s)) for s in sentences}

    def _trigger(self, plain: str) -> _Trigger:
        patterns, classes, lists, ordinary = self._hits(plain)
        whole = [n for n in patterns if all(need & classes for need in self._needs[n])]
        armed = "armed" in lists
        telling = "telling" in lists or any(self._needs[n] or self._patterns[n].strong for n in whole)
        if ordinary >= TWO:
            return _Trigger(1 if armed else TWO if whole or lists else NO_TRIGGER)
        if (telling and "forces" in lists) or (armed and self._is_strong(whole)):
            return _Trigger(0)
        if telling or armed:
            return _Trigger(1, "" if not whole else "far" if armed else "near")
        return _Trigger(TWO if whole or lists else NO_TRIGGER)

    def _is_strong(self, patterns: Iterable[int]) -> bool:
        return any(self._patterns[number].strong for number in patterns)

    def _hits(self, plain: str) -> tuple[set[int], set[str], set[str], int]:
        """Patterns, classes and lists whose words stand in a sentence, and how many words are of ordinary news."""
        patterns: set[int] = set()
        classes: set[str] = set()
        lists: set[str] = set()
        ordinary = 0
        for stems in (*map(self._of_word, set(plain.split())), tuple(self._of_phrases(plain))):
            ordinary += any(stem.ordinary for stem in stems)
            for stem in stems:
                patterns |= stem.patterns
                classes |= stem.classes
                lists |= stem.lists
        return patterns, classes, lists, ordinary

    def _look_up(self, word: str) -> tuple[_Stem, ...]:
        """The stems that a word is a form of."""
        beginnings = (self._stems.get(word[:length], ()) for length in range(1, min(len(word), self._longest) + 1))
        return tuple(stem for same in beginnings for stem in same if _ends(word, len(stem.text), stem))

    def _of_phrases(self, plain: str) -> Iterator[_Stem]:
        """The stems of more than one word that stand in a sentence."""
        for last, stems in self._phrases.iter(plain):
            begin = last + 1 - len(stems[0].text)
            if begin == 0 or plain[begin - 1] == " ":
                yield from (stem for stem in stems if _ends(plain, last + 1, stem))


def count_actors(named: Mapping[int, Iterable[Mention]]) -> dict[int, int]:
    """How many different actors each sentence names; sentences that name none are left out.

    Args:
        named: The names of each sentence, by its index.
    """
    codes = {index: {name.code for name in names if name.code and name.kind in WHO} for index, names in named.items()}
    return {index: len(found) for index, found in codes.items() if found}


def _near(actors: Actors, first: int | None, sentence: Sentence) -> _Near:
    """Who acts in a sentence and before it, from the ``first`` on; a title stands for the whole article."""
    index = sentence.index
    before = first is not None and (sentence.part == "title" or first < index)
    return _Near(actors.get(index, 0), right_before=index - 1 in actors, before=before)


def _verdict(trigger: _Trigger, near: _Near) -> Verdict:
    if trigger.actors == NO_TRIGGER:
        return "no trigger"
    leans = (trigger.leans == "far" and near.before) or (trigger.leans != "" and near.right_before)
    if near.here >= trigger.actors or leans:
        return "passed"
    return "one actor" if near.here else "no actor"


def _any_between(places: Sequence[int], start: int, end: int) -> bool:
    """Whether one of sorted ``places`` lies in a span."""
    place = bisect_left(places, start)
    return place < len(places) and places[place] < end


def _ends(plain: str, end: int, stem: _Stem) -> bool:
    """Whether what follows a stem is an ending that it may have, so that ``war`` is not found in ``warm``."""
    if stem.ending == "any":
        return True
    if stem.ending == "none":
        return plain[end : end + 1] in {"", " "}
    return _inflected(plain, end, len(stem.text))


def _inflected(plain: str, end: int, length: int) -> bool:
    match = _INFLECTED.match(plain, end)
    rest = match[0] if match else ""
    if rest in _SUFFIXES:
        return True
    doubled = length > SHORT_STEM and rest[:1] == plain[end - 1] and rest[1:] in {"ed", "ing", "er"}
    return doubled or rest in {"ting", "ted"}


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
        found |= {_plain(form[:-1] if form[-1:] in "ey" and len(form) > SHORT_STEM else form) for form in forms}
    return found


class _Table(dict[int, str]):
    """A translation table that fills itself as characters are met: letters and digits folded, a space for all else."""

    def __missing__(self, point: int) -> str:
        folded = fold(chr(point))
        self[point] = plain = folded if folded.isalnum() else " "
        return plain


_PLAIN = _Table()


def _plain(text: str) -> str:
    """``text`` folded, with a space for all that is no letter or digit; as long as ``text``."""
    return text.translate(_PLAIN)


def _by_text(stems: Iterable[_Stem]) -> dict[str, tuple[_Stem, ...]]:
    found: dict[str, list[_Stem]] = {}
    for stem in stems:
        if stem.text.strip():
            found.setdefault(stem.text, []).append(stem)
    return {text: tuple(same) for text, same in found.items()}


def _automaton(stems: Iterable[_Stem]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    automaton.add_word("\0", ())  # never in plain text; an automaton of nothing can't be asked
    for text, same in _by_text(stems).items():
        automaton.add_word(text, same)
    automaton.make_automaton()
    return automaton


def _of_patterns(lexicon: Lexicon) -> Iterator[_Stem]:
    patterns: dict[str, set[int]] = {}
    classes: dict[str, set[str]] = {}
    for number, pattern in enumerate(lexicon.patterns):
        for stem in _stems(pattern.words, lexicon):
            patterns.setdefault(stem, set()).add(number)
    for name, words in lexicon.classes.items():
        for stem in _stems(words, lexicon):
            classes.setdefault(stem, set()).add(name)
    for text in patterns.keys() | classes.keys():
        of = frozenset(patterns.get(text, ())), frozenset(classes.get(text, ()))
        yield _Stem(text, "inflected", *of, ordinary=not of[1].isdisjoint(lexicon.gate.ordinary))


def _of_lists(lexicon: Lexicon) -> Iterator[_Stem]:
    for name in ("forces", "armed", "telling", "everyday"):
        words: frozenset[str] = getattr(lexicon.gate, name)
        for word in sorted(words):
            ending: _Ending = "any" if word.endswith("*") else "none"
            yield _Stem(_plain(word.removesuffix("*")), ending, lists=frozenset({name}))
