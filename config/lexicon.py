"""The lexicon: what words make an event of which type, what words decide its modality, and what is counted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from config.document import Document, Strict, load
from config.errors import ConfigError, Fault

EventName = Literal[
    "deployment", "exercise", "mobilization", "force", "sanction", "sanction_relief", "demand", "arms_supply",
    "rupture", "talks", "withdrawal", "ceasefire", "incident", "weapons_test", "evacuation",
]  # fmt: skip
Need = Literal[
    "actor", "two_actors", "object_actor", "subject_actor", "arms_to_actor", "at_no_one", "not_calling", "warlike",
    "menace", "military_clause", "definite_object", "indefinite", "armed_subject", "on_actor", "between_actors",
    "convened", "addressed", "ultimatum", "parties", "met",
]  # fmt: skip
CLASS_KEYS = (
    "theme", "object", "subject", "modifier", "near", "from", "complement", "complement_of", "governor", "unless",
    "unless_modifier",
)  # fmt: skip

Word = Annotated[str, pydantic.StringConstraints(min_length=1, max_length=40)]
Words = frozenset[Word]
Classes = tuple[str, ...]
Stem = Annotated[str, pydantic.StringConstraints(pattern=r"^[^\W_]{2,}(?: [^\W_]+)*\*?$", max_length=40)]


class Pattern(Strict):
    """Words that may name an event, and what else must hold: every key given. The first pattern that holds wins.

    Attributes:
        type: The event type.
        pos: Whether the word is read as a verb or a noun.
        words: Lemmas.
        theme: What is moved or done (object, passive subject; without an object, the subject) is in these classes.
        object, subject: The same for just that.
        modifier: A word that stands with a noun (adjective, compound, ``of …``) is in one of these classes.
        near: A word of the same clause is.
        from_: The noun after ``from`` or ``out of`` is.
        complement: The verb of a clause that depends on it is.
        complement_of: A word of its prepositional phrases or adverbs is.
        governor: The word that it depends on is.
        unless: No word of the clause is (classes under ``soft`` give way to talk of arms).
        unless_modifier: No modifier is.
        particle: One of these particles belongs to the verb.
        phrase: One of these texts stands in the clause.
        needs: Tests by name, see ``pipeline/extraction/needs.py``.
        plover: PLOVER event and mode when it is asserted.
        strong: It says enough without any named actor.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    type: EventName
    pos: Literal["verb", "noun"]
    words: Words = pydantic.Field(min_length=1)
    theme: Classes = ()
    object: Classes = ()
    subject: Classes = ()
    modifier: Classes = ()
    near: Classes = ()
    from_: Classes = pydantic.Field((), alias="from")
    complement: Classes = ()
    complement_of: Classes = ()
    governor: Classes = ()
    unless: Classes = ()
    unless_modifier: Classes = ()
    particle: Words = frozenset()
    phrase: tuple[Word, ...] = ()
    needs: tuple[Need, ...] = ()
    plover: str
    strong: bool = False

    def classes(self, key: str) -> Classes:
        """The classes that ``key`` names, such as ``theme``."""
        value: Classes = getattr(self, "from_" if key == "from" else key)
        return value


class VerbCues(Strict):
    """Verbs by what they do to the modality of what they govern. Two words: verb and particle."""

    threat: Words
    vow: Words
    warn: Words
    negate: Words
    cease: Words
    doubt: Words
    suppose: Words
    mull: Words
    plan: Words
    demand: Words
    face: Words
    hesitate: Words
    relieve: Words


class NounCues(Strict):
    """Nouns by what they do to the modality of what they govern; nothing above them but a negation counts."""

    threat: Words
    warn: Words
    suppose: Words
    plan: Words
    demand: Words
    negate: Words
    cease: Words
    past: Words
    report: Words


class AdjectiveCues(Strict):
    """Adjectives, before the noun or after a copula."""

    suppose: Words
    plan: Words
    threat: Words
    negate: Words
    past: Words


class AdverbCues(Strict):
    """Adverbs."""

    suppose: Words
    negate: Words
    past: Words


class AuxiliaryCues(Strict):
    """Auxiliaries."""

    suppose: Words
    future: Words
    would: Words
    demand: Words


class Cues(Strict):
    """Words that decide the modality.

    Attributes:
        conditionals: Words that open a condition.
        aspectual: Verbs whose own modality is that of the event which is their subject (``the drills will begin``).
        light: Verbs whose subject is the event's actor (``launched an attack``).
        suffers: Verbs whose subject is the event's recipient (``repelled an attack``).
        factive: Prepositions that take the event after them for granted.
        governed: Prepositions through which a cue verb or noun governs (``warned of``).
        say: Verbs of saying and holding: their subject is the speaker.
        blames: Verbs that lay the act of a following ``-ing`` to their object (``accused Serbia of sending``).
        reporters: Verbs by which an outlet is cited (``comments carried by …``).
    """

    verbs: VerbCues
    nouns: NounCues
    adjectives: AdjectiveCues
    adverbs: AdverbCues
    auxiliaries: AuxiliaryCues
    conditionals: Words
    aspectual: Words
    light: Words
    suffers: Words
    factive: Words
    governed: Words
    say: Words
    blames: Words
    reporters: Words


class GateWords(Strict):
    """Words that make a sentence worth reading, by how near an actor must be; ``word*`` is every word that begins so.

    Attributes:
        forces: Who fights, by no name: an actor beside a pattern or a telling word.
        armed: Of arms and war: an actor in the sentence, or in any before.
        ordinary: Classes of ordinary news: beside two of their words a telling one is everyday, and nothing leans.
        telling: Of conflict and diplomacy: an actor in the sentence, or in the one before.
        everyday: Two actors in the sentence.
    """

    forces: frozenset[Stem]
    armed: frozenset[Stem]
    ordinary: Classes
    telling: frozenset[Stem]
    everyday: frozenset[Stem]


class Lexicon(Strict):
    """Everything of ``lexicon.yaml``.

    Attributes:
        classes: Sets of lemmas by name, which the patterns use.
        soft: Classes whose veto gives way where the clause speaks of arms.
        patterns: What may name an event, in order of precedence.
        cues: What decides the modality.
        countable: Units by their canonical plural, for words that mean the same.
        not_counted: Words whose number is no magnitude.
        gate: Further words that make a sentence worth reading.
        hyphenated: Words that are kept whole although they have a hyphen.
        irregular: Further forms of words, for the gate.
    """

    classes: Mapping[str, Words]
    soft: tuple[str, ...]
    patterns: tuple[Pattern, ...] = pydantic.Field(min_length=1)
    cues: Cues
    countable: Mapping[str, Words]
    not_counted: Words
    gate: GateWords
    hyphenated: tuple[Word, ...]
    irregular: Mapping[str, Words]

    @cached_property
    def by_word(self) -> Mapping[str, tuple[Pattern, ...]]:
        """The patterns of each lemma, in order of precedence."""
        found: dict[str, list[Pattern]] = {}
        for pattern in self.patterns:
            for word in pattern.words:
                found.setdefault(word, []).append(pattern)
        return {word: tuple(patterns) for word, patterns in found.items()}

    def words_of(self, classes: Classes) -> frozenset[str]:
        """All words of ``classes``."""
        return self._unions.setdefault(classes, frozenset().union(*(self.classes[name] for name in classes)))

    @cached_property
    def _unions(self) -> dict[Classes, frozenset[str]]:
        return {}


def load_lexicon(path: Path) -> Lexicon:
    """Read ``lexicon.yaml``.

    Raises:
        ConfigError: With every fault and its line.
    """
    document = load(path)
    lexicon = document.check(Lexicon)
    faults = _unknown_classes(document, lexicon)
    if faults:
        raise ConfigError(faults)
    return lexicon


def _unknown_classes(document: Document, lexicon: Lexicon) -> list[Fault]:
    faults = [
        document.fault((*key, place), f"the name of a class (found {name!r})")
        for key, names in ((("soft",), lexicon.soft), (("gate", "ordinary"), lexicon.gate.ordinary))
        for place, name in enumerate(names)
        if name not in lexicon.classes
    ]
    for number, pattern in enumerate(lexicon.patterns):
        for key in CLASS_KEYS:
            faults += [
                document.fault(("patterns", number, key), f"names of classes (found {name!r})")
                for name in pattern.classes(key)
                if name not in lexicon.classes
            ]
    return faults
