"""Triggers: which words of a parsed sentence name an event of which type.

A pattern of the lexicon applies where its words, classes and needs all hold and no veto does; the first that applies
to a token wins. The needs, which take more than a list of words, are in ``needs.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.extraction import needs, tree
from pipeline.records import EventType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spacy.tokens import Token

    from config.lexicon import Pattern
    from pipeline.extraction.scene import Scene

# Nouns that an event's name may stand before and still mean the event: ``invasion fears``, ``ceasefire deal``.
EVENT_HEADS = frozenset(
    ["deal", "agreement", "package", "campaign", "wave", "violation", "order", "talk", "negotiation", "effort",
    "proposal", "force",
     "plan", "regime", "offer", "attempt", "zone", "spree", "season", "operation", "announcement", "drill",
     "exercise", "attack", "strike",
     "measure", "relief", "list", "threat", "warning", "fear", "risk", "call", "demand", "bill", "mission",
     "term", "extension", "round"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that names an event.

    Attributes:
        token: The word.
        kind: The event's type.
        pattern: The pattern that applied.
        words: Tokens of the whole expression, in order: ``military response``, ``ruled out``.
        ruled: Whether a rule found it; else the sentence model alone did, and ``pattern`` only stands for its type.
    """

    token: Token
    kind: EventType
    pattern: Pattern
    words: tuple[Token, ...]
    ruled: bool = True


def candidates(scene: Scene) -> list[Candidate]:
    """Every event that the sentence names, in order."""
    found: list[Candidate] = []
    for token in scene.doc:
        patterns = scene.lexicon.by_word.get(tree.lemma(token)) or scene.lexicon.by_word.get(token.lower_)
        if patterns and not _is_name(token, scene):
            pattern = next((p for p in patterns if _applies(token, p, scene)), None)
            if pattern is not None:
                found.append(Candidate(token, _kind(token, pattern, scene), pattern, _words(token, pattern, scene)))
    return found


def _is_name(token: Token, scene: Scene) -> bool:
    return scene.name_at(token) is not None


def _kind(token: Token, pattern: Pattern, scene: Scene) -> EventType:
    """The pattern's type; sanctions that are lifted are relief."""
    kind = EventType(pattern.type)
    if kind is EventType.SANCTION and token.pos_ in tree.NOMINAL and _relieved(token, scene):
        return EventType.SANCTION_RELIEF
    return kind


def _relieved(token: Token, scene: Scene) -> bool:
    relieve = scene.lexicon.cues.verbs.relieve
    if token.dep_ == "compound" and tree.lemma(token.head) in {"relief", "waiver", "exemption"}:
        return True
    verb, relation = tree.governor(token)
    if (
        verb is not None
        and tree.lemma(verb) in relieve
        and relation in {"dobj", "nsubjpass", "nsubj"}
        and not _called_off(verb, relation)
    ):
        return True
    over = token.head.head if token.dep_ == "pobj" and token.head.lower_ in {"of", "from"} else None
    return over is not None and tree.lemma(over) in {
        "lifting",
        "easing",
        "removal",
        "relief",
        "suspension",
        "relaxation",
        "end",
        "waiver",
        "lift",
    }


def _called_off(verb: Token, relation: str) -> bool:
    return relation == "nsubj" and tree.lemma(verb) not in {"ease", "relax", "end"}


def _applies(token: Token, pattern: Pattern, scene: Scene) -> bool:
    return (
        _pos_fits(token, pattern)
        and _particle_fits(token, pattern)
        and _arguments_fit(token, pattern, scene)
        and _surroundings_fit(token, pattern, scene)
        and all(needs.holds(need, token, scene) for need in pattern.needs)
        and not _vetoed(token, pattern, scene)
    )


def _pos_fits(token: Token, pattern: Pattern) -> bool:
    if pattern.pos == "verb":
        held = token.dep_ not in {"amod", "aux", "auxpass", "compound"} or tree.misread_perfect(token)
        return tree.is_verb(token) and held
    if token.tag_ == "VBG" and token.dep_ in {"dobj", "pobj", "nsubj", "nsubjpass"} and not tree.kids(token, "dobj"):
        return True
    if token.pos_ not in tree.NOMINAL:
        return False
    return token.dep_ not in {"compound", "nmod", "npadvmod", "amod"} or tree.lemma(token.head) in EVENT_HEADS


def _particle_fits(token: Token, pattern: Pattern) -> bool:
    return not pattern.particle or any(
        child.lower_ in pattern.particle and child.dep_ in {"prt", "advmod", "prep"} for child in token.children
    )


def _arguments_fit(token: Token, pattern: Pattern, scene: Scene) -> bool:
    checks: tuple[tuple[tuple[str, ...], Callable[[], set[str]]], ...] = (
        (pattern.theme, lambda: _heads(tree.themes(token))),
        (pattern.object, lambda: _heads(tree.objects(token))),
        (pattern.subject, lambda: _heads(_subjects(token))),
        (
            pattern.modifier,
            lambda: {tree.lemma(m) for m in tree.modifiers(token)} | {m.lower_ for m in tree.modifiers(token)},
        ),
        (pattern.from_, lambda: _heads(tree.pobjs(token, "from", "of"))),
        (pattern.complement, lambda: {tree.lemma(c) for c in tree.kids(token, "xcomp", "ccomp", "advcl")}),
        (pattern.complement_of, lambda: _hung_on(token)),
        (pattern.governor, lambda: _governors(token)),
    )
    return all(not classes or words() & scene.lexicon.words_of(classes) for classes, words in checks)


def _heads(tokens: Iterable[Token]) -> set[str]:
    return {tree.lemma(t) for t in tokens} | {t.lower_ for t in tokens}


def _subjects(verb: Token) -> list[Token]:
    found = [s for base in tree.kids(verb, "nsubj") for s in tree.conjuncts(base)]
    if not found and verb.dep_ in {"acl", "relcl"}:
        found = [verb.head]
    if not found and verb.dep_ in {"xcomp", "conj"} and tree.is_verb(verb.head):
        found = [s for base in tree.kids(verb.head, "nsubj") for s in tree.conjuncts(base)]
    return [*found, *(inner for s in found for inner in tree.pobjs(s, "of"))]


def _hung_on(token: Token) -> set[str]:
    """Words of adverbs and prepositional phrases that hang on ``token``."""
    found = {c.lower_ for c in tree.kids(token, "advmod", "acomp", "oprd")}
    found |= {c.lower_ for p in tree.kids(token, "prep") for c in tree.kids(p, "advmod")}
    return found | _heads(tree.pobjs(token)) | {m.lower_ for p in tree.pobjs(token) for m in tree.modifiers(p)}


def _governors(token: Token) -> set[str]:
    """What the noun depends on: its verb, or the noun before ``of``."""
    found = set()
    above = token
    for _ in range(3):
        if above.dep_ == "ROOT":
            break
        above = above.head
        if above.pos_ != "ADP":
            found.add(tree.lemma(above))
    return found


def _surroundings_fit(token: Token, pattern: Pattern, scene: Scene) -> bool:
    if pattern.near and not _others(token) & scene.lexicon.words_of(pattern.near):
        return False
    if pattern.phrase:
        text = tree.span_text(tree.clause(token)).lower()
        return any(words in text for words in pattern.phrase)
    return True


def _others(token: Token) -> set[str]:
    """Lemmas and words of the clause, without ``token`` itself."""
    tokens = [t for t in tree.clause(token) if t != token]
    return {tree.lemma(t) for t in tokens} | {t.lower_ for t in tokens}


def _vetoed(token: Token, pattern: Pattern, scene: Scene) -> bool:
    lexicon = scene.lexicon
    if pattern.unless_modifier and token.pos_ in tree.NOMINAL:
        beside = [*tree.modifiers(token), *tree.pobjs(token, "on", "about", "over")]
        if _heads(beside) & lexicon.words_of(pattern.unless_modifier):
            return True
    if not pattern.unless:
        return False
    words = _others(token)
    hit = [name for name in pattern.unless if words & lexicon.classes[name]]
    if not hit:
        return False
    if all(name in lexicon.soft for name in hit):
        return not words & lexicon.classes["strong_military"]
    return True


def _words(token: Token, pattern: Pattern, scene: Scene) -> tuple[Token, ...]:
    """The trigger with its particle, its deciding modifiers and adverbs, if they stand beside it."""
    if token.pos_ in tree.NOMINAL:
        named = scene.lexicon.words_of(pattern.modifier) if pattern.modifier else frozenset()
        before = [
            c
            for c in token.children
            if c.dep_ in {"amod", "compound"} and (tree.lemma(c) in named or c.dep_ == "compound")
        ]
        before = [c for c in before if scene.name_at(c) is None and c.i < token.i]
        start = min([c.i for c in before], default=token.i)
        return tuple(token.doc[start : token.i + 1])
    after = [c.i for c in token.children if c.dep_ == "prt" and c.i == token.i + 1]
    return tuple(token.doc[token.i : max([token.i, *after]) + 1])
