"""Aims: whom an event is done to: by objects, prepositions, borders, and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.referents import resolve_all
from pipeline.extraction.scene import WHERE_ONLY, Reference, Scene
from pipeline.records import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacy.tokens import Token


TARGETED = {
    EventType.FORCE: (
        "on",
        "against",
        "at",
        "in",
        "into",
        "near",
        "inside",
        "toward",
        "towards",
        "with",
        "over",
        "to",
        "across",
    ),
    EventType.SANCTION: ("on", "against", "to", "at", "over"),
    EventType.SANCTION_RELIEF: ("on", "against", "from"),
    EventType.DEMAND: ("to", "on", "for", "of"),
    EventType.ARMS_SUPPLY: ("to", "for", "with"),
    EventType.RUPTURE: ("with", "from", "to", "in"),
    EventType.TALKS: ("with",),
    EventType.CEASEFIRE: ("with",),
    EventType.INCIDENT: ("with", "of", "against", "near", "over", "into"),
}
OBJECT_IS_RECIPIENT = frozenset(
    {EventType.FORCE, EventType.SANCTION, EventType.SANCTION_RELIEF, EventType.DEMAND, EventType.TALKS,
     EventType.RUPTURE, EventType.INCIDENT}
)  # fmt: skip
PLACED_AT_BORDER = frozenset(
    {
        "zone",
        "waters",
        "coast",
        "adiz",
        "strait",
        "islands",
        "shore",
        "border",
        "frontier",
        "boundary",
        "doorstep",
        "territory",
        "airspace",
        "proximity",
    }
)
REGIONS = frozenset({"region", "peninsula", "territory", "island", "enclave", "province", "area"})


def targets(verb: Token, kind: EventType, objects: list[Token], scene: Scene, taken: set[str]) -> list[Reference]:
    """Whom a verb's event is done to, without those in ``taken``: objects, datives, nouns after prepositions."""
    found: list[Reference] = []
    if kind in OBJECT_IS_RECIPIENT:
        found += [r for r in resolve_all(objects, scene) if r.code not in taken]
        found += resolve_all((d for d in tree.kids(verb, "dative")), scene)
        if not found and kind is EventType.DEMAND:
            found += _addressed(verb, scene)
    preps = TARGETED.get(kind, ())
    if not found or kind in {EventType.SANCTION, EventType.TALKS}:
        found += placed(tree.pobjs(verb, *preps), kind, scene)
        for theme in objects:
            found += placed(tree.pobjs(theme, *preps, "of"), kind, scene)
    return found


def _addressed(verb: Token, scene: Scene) -> list[Reference]:
    """Of whom something is demanded: the subject of what shall be done, or whoever it is asked of."""
    found: list[Reference] = []
    for complement in (c for c in tree.kids(verb, "ccomp", "xcomp") if c.i > verb.i):
        found += resolve_all((s for base in tree.kids(complement, *tree.SUBJECTS) for s in tree.conjuncts(base)), scene)
    return found or resolve_all(tree.pobjs(verb, "of", "from", "on", "to"), scene)


def placed(tokens: Iterable[Token], kind: EventType, scene: Scene) -> list[Reference]:
    """Whom nouns after prepositions stand for; what merely lies somewhere (``in the Black Sea``) stands for nobody."""
    places = list(tokens)
    found = resolve_all(places, scene)
    if kind is EventType.FORCE and not found:
        inner = [p for token in places for p in tree.pobjs(token, "near", "in", "off", "around", "inside", "outside")]
        found = resolve_all(inner, scene)
        found = found or [r for token in (*places, *inner) for r in by_place(token, scene)]
    return found


def by_place(token: Token, scene: Scene) -> list[Reference]:
    """The state that a city or region belongs to, where it is attacked."""
    name = scene.name_at(token)
    if name is None and tree.lemma(token) in REGIONS and any(c.lower_ == "the" for c in token.children):
        before = [
            n for t in reversed(scene.doc[: token.i]) if (n := scene.name_at(t)) and n.kind == "region" and n.code
        ]
        name = before[0] if before else None
    if name is None or name.kind not in WHERE_ONLY or name.code is None:
        return []
    start, end = scene.place(name.start, name.end)
    return [Reference(name.text, name.code, (start, end), "name", name.kind, name.certainty)]


def at_border(tokens: list[Token], scene: Scene) -> list[Reference]:
    """Whose border troops are moved to: ``on its border with X``, ``near X's border``, ``the X border``."""
    found: list[Reference] = []
    for token in tokens:
        for place in tree.pobjs(
            token,
            "on",
            "near",
            "along",
            "towards",
            "toward",
            "to",
            "at",
            "within",
            "around",
            "outside",
            "close",
            "by",
            "into",
            "in",
            "off",
        ):
            found += _border_of(place, scene)
    if tokens and not found and tokens[0].dep_ == "conj" and tree.is_verb(tokens[0].head):
        head = tokens[0].head
        found = at_border([head, *tree.objects(head)], scene)
    return found or resolve_all(tree.pobjs(tokens[0], "against"), scene)


def _border_of(place: Token, scene: Scene) -> list[Reference]:
    if tree.lemma(place) not in PLACED_AT_BORDER:
        return []
    inner = [place, *tree.pobjs(place, "of")]
    found = resolve_all((w for p in inner for w in tree.pobjs(p, "with", "between")), scene)
    if not found:
        owners = [c for p in inner for c in p.children if c.dep_ in {"poss", "amod", "compound", "nmod"}]
        found = resolve_all(owners, scene)
    return found


def supplied(verb: Token, objects: list[Token], actors: list[Reference], scene: Scene) -> list[Reference]:
    """To whom arms go: the dative, the noun after ``to``, or the object that is supplied *with* them."""
    datives = [o for d in tree.kids(verb, "dative") for o in (tree.kids(d, "pobj") or [d])]
    found = resolve_all((c for d in datives for c in tree.conjuncts(d)), scene)
    for token in (verb, *objects):
        found = found or resolve_all(tree.pobjs(token, "to", "for"), scene)
    taken = {r.code for r in actors}
    return found or [r for r in resolve_all(objects, scene) if r.code not in taken]


def implied_recipients(trigger: Token, scene: Scene, actors: list[Reference]) -> list[Reference]:
    """Against whom a threat goes where only its condition or the one who is warned says so."""
    taken = {r.code for r in actors}
    for above in tree.ancestors(trigger):
        if not tree.is_verb(above):
            continue
        if tree.lemma(above) in scene.lexicon.cues.verbs.warn | scene.lexicon.cues.verbs.threat | {"tell"}:
            found = [r for r in resolve_all(tree.objects(above), scene) if r.code not in taken]
            if found:
                return [_implied(r) for r in found]
        for joined in tree.kids(above, "conj"):
            if tree.lemma(joined) in scene.lexicon.cues.verbs.warn | scene.lexicon.cues.verbs.threat:
                found = [r for r in resolve_all(tree.objects(joined), scene) if r.code not in taken]
                if found:
                    return [_implied(r) for r in found]
        for condition in (
            *tree.kids(above, "advcl"),
            *(c for j in tree.kids(above, "conj") for c in tree.kids(j, "advcl")),
        ):
            found = _who_would(condition, trigger, scene, taken)
            if found:
                return found
    return []


def _who_would(condition: Token, trigger: Token, scene: Scene, taken: set[str]) -> list[Reference]:
    """The subject of an ``if`` or ``unless``."""
    marks = {m.lower_ for m in tree.kids(condition, "mark", "advmod")}
    if condition == trigger or condition.is_ancestor(trigger) or not marks & scene.lexicon.cues.conditionals:
        return []
    subjects = [s for base in tree.kids(condition, "nsubj") for s in tree.conjuncts(base)]
    return [_implied(r) for r in resolve_all(subjects, scene) if r.code not in taken]


def _implied(reference: Reference) -> Reference:
    return Reference(
        reference.text, reference.code, reference.span, "implied", reference.kind, 0.8 * reference.certainty
    )
