"""Control: who does what a verb says, through passives, relative clauses and infinitives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.referents import resolve_all

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.extraction.scene import Reference, Scene


MAX_DEPTH = 8
OBJECT_CONTROL = frozenset(
    ["urge", "tell", "order", "force", "ask", "allow", "call", "press", "push", "want", "warn", "expect",
    "instruct", "persuade", "help",
     "encourage", "permit", "compel", "request", "command", "direct", "require", "invite", "beg", "implore",
     "lead", "give", "oblige"]
)  # fmt: skip


def doers(verb: Token, depth: int = 0) -> list[Token]:
    """Tokens of who does what ``verb`` says: its subject, its agent, or whoever controls it."""
    if depth > MAX_DEPTH:
        return []
    agents = [o for a in tree.kids(verb, "agent") for p in tree.kids(a, "pobj") for o in tree.conjuncts(p)]
    if agents:
        return agents
    if tree.misread_perfect(verb):
        first = min(child.i for child in tree.kids(verb, "aux"))
        return [verb.doc[first - 1]] if first else []
    if tree.is_passive(verb):
        return []
    own = tree.kids(verb, "nsubj")
    if own:
        return _relative(own[0], verb, depth)
    return _of_headline(verb) or _controllers(verb, depth)


def _of_headline(verb: Token) -> list[Token]:
    """``Macron to visit …``: the name before *to* that opens a headline; the tagger may take it for a verb."""
    marker = next((child for child in verb.children if child.tag_ == "TO"), None)
    if marker is None or marker.i == 0 or verb.dep_ not in {"ROOT", "advcl", "relcl", "acl"}:
        return []
    before = verb.doc[marker.i - 1]
    opens = all(t.text[:1].isupper() or t.lower_ in {"and", ","} for t in verb.doc[: marker.i])
    return tree.conjuncts(before) if opens and (before.dep_ == "ROOT" or before.head == verb) else []


def _relative(subject: Token, verb: Token, depth: int) -> list[Token]:
    if subject.lower_ in {"who", "which", "that"} and verb.dep_ == "relcl":
        return tree.conjuncts(verb.head)
    joined = tree.conjuncts(subject)
    return [t for t in joined if t.lower_ not in {"who", "which", "that"}] or _controllers(verb, depth)


def _controllers(verb: Token, depth: int) -> list[Token]:
    """Who does it where the verb has no subject of its own."""
    head = verb.head
    if verb.dep_ == "ccomp" and verb.tag_ not in {"VB", "VBG"}:
        return []
    if verb.dep_ in {"xcomp", "ccomp", "advcl", "conj", "dep", "acomp"} and (tree.is_verb(head) or head.pos_ == "ADJ"):
        return _from_head(verb, head, depth)
    if verb.dep_ == "acl" or (verb.dep_ == "relcl" and _infinitive(verb)):
        return _of_modified(verb, head, depth)
    if verb.dep_ == "relcl":
        return tree.conjuncts(head)
    return _of_preposition(head, depth) if verb.dep_ in {"pcomp", "pobj"} else []


def _infinitive(verb: Token) -> bool:
    return any(child.tag_ == "TO" for child in verb.children)


def _from_head(verb: Token, head: Token, depth: int) -> list[Token]:
    if verb.dep_ in {"xcomp", "ccomp", "advcl"} and tree.lemma(head) in OBJECT_CONTROL:
        controlled = tree.objects(head) or tree.kids(head, "dative") or tree.pobjs(head, "on", "for")
        if controlled and not (verb.dep_ == "advcl" and verb.tag_ == "VBG"):
            return controlled
    if head.pos_ == "ADJ":
        return doers(head.head, depth + 1) if tree.is_verb(head.head) else [head.head]
    if tree.is_passive(head) and verb.dep_ != "conj":
        return [s for base in tree.kids(head, "nsubjpass") for s in tree.conjuncts(base)] or doers(head, depth + 1)
    if tree.is_passive(head):
        return (
            [s for base in tree.kids(head, "nsubjpass") for s in tree.conjuncts(base)]
            if not tree.kids(verb, "auxpass")
            else []
        )
    return doers(head, depth + 1)


def _of_modified(verb: Token, noun: Token, depth: int) -> list[Token]:
    """``a plan to invade`` is its owner's, ``forces massing`` is the noun's own."""
    if verb.tag_ == "VBG":
        return tree.conjuncts(noun)
    owners = tree.kids(noun, "poss")
    if owners:
        return owners
    named = [c for c in noun.children if c.dep_ in {"amod", "compound"} and c.text[:1].isupper()]
    if named:
        return named
    above, relation = tree.governor(noun)
    if above is not None and tree.kids(above, "dative") and tree.lemma(above) in {"give", "offer", "grant"}:
        return [o for d in tree.kids(above, "dative") for o in (tree.kids(d, "pobj") or [d])]
    if (above is not None and relation in {"dobj", "attr"}) or (above is not None and relation.startswith("prep")):
        return doers(above, depth + 1)
    return tree.pobjs(noun, "by")


def _of_preposition(prep: Token, depth: int) -> list[Token]:
    head = prep.head
    if tree.is_verb(head):
        objects = tree.objects(head)
        if objects and prep.lower_ in {"of", "for", "from", "against", "into", "to"}:
            return objects
        if tree.is_passive(head):
            return [s for base in tree.kids(head, "nsubjpass") for s in tree.conjuncts(base)]
        return doers(head, depth + 1)
    owners = tree.kids(head, "poss")
    if owners:
        return owners
    above, _ = tree.governor(head)
    return doers(above, depth + 1) if above is not None else []


def commanders(verb: Token, scene: Scene) -> list[Reference]:
    """Whoever orders forces that are not named: ``Maduro ordered the army to …``."""
    for above in verb.ancestors:
        if tree.lemma(above) not in OBJECT_CONTROL or not tree.is_verb(above):
            return []
        controlled = tree.objects(above)
        if any(tree.lemma(o) in scene.lexicon.classes["people_in_arms"] for o in controlled):
            return resolve_all(doers(above), scene)
    return []
