"""Attribution: who says so, whether in a quotation, and which outlet is cited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.control import doers
from pipeline.extraction.referents import resolve_all
from pipeline.records import Attribution

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.extraction.scene import Scene

MAX_SPEAKER = 120
_AGENCY = (
    "newswire",
    "agency",
    "newspaper",
    "daily",
    "broadcaster",
    "media",
    "television",
    "channel",
    "outlet",
    "website",
)
_OWN = frozenset({"we", "i", "it", "that", "which", "who", "this", "there"})


def attribution(trigger: Token, scene: Scene) -> Attribution | None:
    """The speaker of the event that ``trigger`` names; None for the outlet's own voice."""
    quoted = scene.is_quoted(trigger)
    for token in _speakers(trigger, scene):
        return _of(token, scene, quoted=quoted)
    if scene.speaker is not None and (quoted or not scene.quoted):
        return Attribution(
            speaker=scene.speaker.text, code=scene.speaker.side[0].code if scene.speaker.side else None, quoted=quoted
        )
    return None


def _speakers(trigger: Token, scene: Scene) -> list[Token]:
    """Subjects of the verbs of saying above ``trigger``, nearest first; else whoever stands after *according to*."""
    say = scene.lexicon.cues.say
    found: list[Token] = []
    for above in tree.ancestors(trigger):
        if above != trigger and tree.lemma(above) in say and _speech(above):
            found += [s for s in _who(above) if s != trigger and s not in trigger.subtree]
        found += [s for p in tree.kids(above, "parataxis",
        "ccomp") if tree.lemma(p) in say and not p.is_ancestor(trigger) and p != trigger
                  and _aside(p, trigger) for s in _who(p)]  # fmt: skip
    if not found:
        found = _according(scene)
    return [s for s in found if not scene.is_quoted(s) or scene.is_quoted(trigger) is False]


def _speech(token: Token) -> bool:
    return tree.is_verb(token) or token.pos_ == "ADJ"


def _who(verb: Token) -> list[Token]:
    """The subject of saying; an adjective's (``is worried``) is its copula's."""
    if verb.pos_ == "ADJ":
        return tree.kids(verb.head, "nsubj")
    own = tree.kids(verb, "nsubj")
    if tree.kids(verb, "nsubjpass"):
        agents = [o for a in tree.kids(verb, "agent") for o in tree.kids(a, "pobj")]
        return agents or (tree.kids(verb, "nsubjpass") if tree.lemma(verb) in {"worry", "concern"} else [])
    return own or doers(verb)[:1]


def _aside(verb: Token, trigger: Token) -> bool:
    """``…, officials said``: it stands after the event and has nothing below it but its subject."""
    return verb.i > trigger.i and not tree.kids(verb, "ccomp")


def _according(scene: Scene) -> list[Token]:
    for token in scene.doc:
        if token.lower_ == "according":
            return tree.pobjs(token, "to") or [o for p in tree.kids(token, "prep") for o in tree.kids(p, "pobj")]
    return []


def _of(token: Token, scene: Scene, *, quoted: bool) -> Attribution:
    references = resolve_all(tree.conjuncts(token), scene)
    code = references[0].code if references else None
    if token.lower_ in _OWN | {"he", "she", "they"}:
        known = _antecedent_text(token, scene)
        return Attribution(speaker=known or token.text, code=code, quoted=quoted)
    words = tree.phrase(token)
    start, end = words[0].idx, words[-1].idx + len(words[-1].text)
    return Attribution(speaker=scene.sentence.text[start:end][:MAX_SPEAKER], code=code, quoted=quoted)


def _antecedent_text(token: Token, scene: Scene) -> str | None:
    """The name that a pronoun stands for, in the sentence or before it."""
    before = [
        n for n in (scene.actor_at(t) for t in reversed(scene.doc[: token.i])) if n is not None and n.kind == "person"
    ]
    if before:
        return before[0].text
    known = scene.context.person or scene.context.subject
    return known[0].text if known and token.lower_ in {"he", "she"} else None


def reported_by(trigger: Token, scene: Scene) -> str | None:
    """The outlet that is cited: by its name near a verb of reporting, or as an agency by its noun."""
    del trigger
    reporters = scene.lexicon.cues.reporters | scene.lexicon.cues.say
    words = {tree.lemma(t) for t in scene.doc}
    if not words & (reporters | {"according"}):
        return None
    for token in scene.doc:
        name = scene.name_at(token)
        if name is not None and name.kind == "outlet":
            return scene.sentence.text[name.start : name.end]
    for token in scene.doc:
        if tree.lemma(token) in _AGENCY and token.dep_ in {"compound", "appos", "nmod"} and token.head.pos_ == "PROPN":
            named = [t for t in (*tree.kids(token.head, "compound"), token.head) if t.pos_ == "PROPN" and t.i > token.i]
            if named:
                return tree.span_text(named)
    return None
