"""Roles: who does it, and to whom: through passives, nominal forms, light verbs, control and conjunction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.aims import TARGETED, at_border, by_place, placed, supplied, targets
from pipeline.extraction.control import commanders, doers
from pipeline.extraction.referents import resolve_all
from pipeline.extraction.scene import Reference, Scene
from pipeline.records import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacy.tokens import Token


REJECTS = frozenset(
    {"dismiss", "reject", "oppose", "resist", "repudiate", "support", "back", "favour", "welcome", "discuss", "violate"}
)
ANSWERS = frozenset({"reject", "defy", "ignore", "accept", "refuse", "dismiss", "face", "receive", "meet", "get"})
HOSTS = frozenset({"host", "mediate", "broker", "organise", "organize", "facilitate", "offer", "propose", "chair"})
PAIR = frozenset({EventType.TALKS, EventType.CEASEFIRE})
MOVED = frozenset(
    {EventType.DEPLOYMENT, EventType.WITHDRAWAL, EventType.EXERCISE, EventType.MOBILIZATION, EventType.WEAPONS_TEST}
)


def roles(trigger: Token, kind: EventType, scene: Scene) -> tuple[list[Reference], list[Reference]]:
    """Actors and recipients of the event that ``trigger`` names, each code once, nobody in both."""
    if tree.is_verb(trigger):
        actors, recipients = _of_verb(trigger, kind, scene)
    else:
        actors, recipients = _of_noun(trigger, kind, scene)
    actors = once(actors)
    taken = {r.code for r in actors}
    return actors, [r for r in once(recipients) if r.code not in taken]


def once(references: Iterable[Reference]) -> list[Reference]:
    """Each code once, at most six."""
    found: dict[str, Reference] = {}
    for reference in references:
        found.setdefault(reference.code, reference)
    return list(found.values())[:6]


def _of_verb(verb: Token, kind: EventType, scene: Scene) -> tuple[list[Reference], list[Reference]]:
    actors = resolve_all(doers(verb), scene)
    objects = tree.objects(verb)
    actors = actors or commanders(verb, scene)
    if kind in MOVED and not actors:
        actors = resolve_all(tree.themes(verb), scene)
    if kind is EventType.EXERCISE:
        return actors, []
    if kind in {EventType.DEPLOYMENT, EventType.WITHDRAWAL}:
        return actors, at_border([verb, *objects], scene) if kind is EventType.DEPLOYMENT else []
    if kind is EventType.ARMS_SUPPLY:
        return actors, supplied(verb, objects, actors, scene)
    if kind in {EventType.MOBILIZATION, EventType.WEAPONS_TEST, EventType.EVACUATION}:
        return actors, []
    taken = {r.code for r in actors}
    return actors, [r for r in targets(verb, kind, objects, scene, taken) if r.code not in taken]


def _of_noun(noun: Token, kind: EventType, scene: Scene) -> tuple[list[Reference], list[Reference]]:
    actors = _owners(noun, kind, scene)
    recipients = _aimed_at(noun, kind, scene)
    if kind in PAIR | {EventType.RUPTURE, EventType.EXERCISE, EventType.INCIDENT, EventType.FORCE}:
        actors = once([*actors, *resolve_all(tree.pobjs(noun, "between", "among"), scene)])
    actors = once([*actors, *_involved(noun, scene)])
    verb, relation = tree.governor(noun)
    if verb is not None:
        actors, recipients = _through_verb(verb, relation, noun, kind, actors, recipients, scene)
    asked = verb is not None and tree.lemma(verb) in scene.lexicon.cues.verbs.demand
    if (
        kind in PAIR
        and not actors
        and not recipients
        and verb is not None
        and not asked
        and not _adjunct(relation, scene)
    ):
        actors = resolve_all(doers(verb), scene) if relation.startswith("prep") else []
    if noun.dep_ == "conj" and noun.head.pos_ in tree.NOMINAL and not (actors and recipients):
        above = _of_noun(noun.head, kind, scene)
        actors, recipients = actors or above[0], recipients or above[1]
    if kind in {
        EventType.EXERCISE,
        EventType.MOBILIZATION,
        EventType.WITHDRAWAL,
        EventType.WEAPONS_TEST,
        EventType.EVACUATION,
    }:
        recipients = []
    return actors, recipients


def _owners(noun: Token, kind: EventType, scene: Scene) -> list[Reference]:
    """Whose event it is by its own words: possessive, adjective, ``by …``; for what moves also ``of …``."""
    by = resolve_all(tree.pobjs(noun, "by"), scene)
    mine = [c for c in noun.children if c.dep_ == "poss"]
    before = [c for c in noun.children if c.dep_ in {"amod", "compound", "nmod"}]
    found = [*by, *resolve_all(mine, scene)]
    if kind is EventType.SANCTION and mine and not by and _is_target_owner(noun):
        return []
    if not found:
        found = resolve_all(before, scene) or resolve_all((c for m in before for c in m.children), scene)
    if kind in MOVED | PAIR and not found:
        found = resolve_all(tree.pobjs(noun, "of"), scene)
    if kind in {EventType.ARMS_SUPPLY, EventType.DEMAND} and not found:
        found = resolve_all(tree.pobjs(noun, "from"), scene)
    return found


def _is_target_owner(noun: Token) -> bool:
    return bool(noun.dep_ == "nsubjpass")


def _involved(noun: Token, scene: Scene) -> list[Reference]:
    """``exercises involving US and Nato``."""
    found: list[Reference] = []
    for clause in tree.kids(noun, "acl", "prep"):
        if clause.lower_ in {"involving", "including"}:
            found += resolve_all((o for base in tree.kids(clause, "dobj", "pobj") for o in tree.conjuncts(base)), scene)
    return found


def _aimed_at(noun: Token, kind: EventType, scene: Scene) -> list[Reference]:
    preps = TARGETED.get(kind, ())
    if kind is EventType.DEPLOYMENT:
        return at_border([noun], scene)
    if kind in {EventType.FORCE, EventType.INCIDENT, EventType.SANCTION} and not tree.pobjs(noun, "by"):
        preps = (*preps, "of") if kind is not EventType.SANCTION else preps
    elif kind is EventType.FORCE:
        preps = (*preps, "of")
    if kind is EventType.ARMS_SUPPLY:
        preps = ("to", "for")
    if kind is EventType.RUPTURE:
        preps = ("of", "with", "from", "to")
    found = placed(tree.pobjs(noun, *preps), kind, scene)
    if kind is EventType.FORCE and not found:
        compounds = [c for c in noun.children if c.dep_ in {"compound", "nmod"}]
        found = [r for c in compounds for r in by_place(c, scene)]
    return found


def _through_verb(
    verb: Token,
    relation: str,
    noun: Token,
    kind: EventType,
    actors: list[Reference],
    recipients: list[Reference],
    scene: Scene,
) -> tuple[list[Reference], list[Reference]]:
    """What the verb adds that the noun depends on."""
    cues = scene.lexicon.cues
    word = tree.lemma(verb)
    if relation in {"nsubj", "nsubjpass"} and not (relation == "nsubjpass" and tree.kids(verb, "agent")):
        return _of_subject_noun(verb, relation, kind, actors, recipients, scene)
    done_by = resolve_all(doers(verb), scene)
    if kind is EventType.DEMAND and word in ANSWERS and relation == "dobj":
        return actors, recipients or [r for r in done_by if r.code not in {a.code for a in actors}]
    if word in cues.suffers and relation in {"dobj", "prep:with", "prep:from"}:
        recipients = recipients or [r for r in done_by if r.code not in {a.code for a in actors}]
        return actors or _who_menaces(verb, recipients, scene), recipients
    light = (word in cues.light or _is_cue(word, scene)) and not (word in REJECTS and kind not in PAIR)
    light = light and not (word in cues.verbs.demand and relation.startswith("prep"))
    near = relation in {"dobj", "nsubjpass", "attr", "oprd", "dative"} or relation.startswith("prep")
    if not actors and light and near and not _adjunct(relation, scene):
        actors = done_by
        actors = actors or commanders(verb, scene)
    if kind in PAIR and near and light and not (actors and word in HOSTS) and not _adjunct(relation, scene):
        taken = {r.code for r in recipients}
        actors = once([*actors, *(r for r in done_by if r.code not in taken)])
    if not recipients and near and (light or kind in PAIR):
        recipients = _of_light_verb(verb, noun, kind, actors, scene)
    return actors, recipients


def _who_menaces(verb: Token, recipients: list[Reference], scene: Scene) -> list[Reference]:
    """Who says that someone shall ``face`` something: the nearest other subject above."""
    if tree.lemma(verb) != "face":
        return []
    taken = {r.code for r in recipients}
    for above in verb.ancestors:
        if tree.is_verb(above):
            found = [r for r in resolve_all(doers(above), scene) if r.code not in taken]
            if found:
                return found
    return []


def _is_cue(word: str, scene: Scene) -> bool:
    verbs = scene.lexicon.cues.verbs
    return any(
        word in group
        for group in (
            verbs.threat,
            verbs.vow,
            verbs.warn,
            verbs.negate,
            verbs.mull,
            verbs.plan,
            verbs.relieve,
            verbs.cease,
        )
    )


def _adjunct(relation: str, scene: Scene) -> bool:
    """Whether the noun only stands beside the verb; *as* is then a conjunction that was taken for a preposition."""
    return relation.startswith("prep:") and (relation[5:] == "as" or relation[5:] in scene.lexicon.cues.factive)


def _of_subject_noun(
    verb: Token, relation: str, kind: EventType, actors: list[Reference], recipients: list[Reference], scene: Scene
) -> tuple[list[Reference], list[Reference]]:
    """``Strikes by X hit Y``; ``sanctions were imposed on Y``."""
    preps = TARGETED.get(kind, ())
    if not recipients and kind is EventType.FORCE and relation == "nsubj":
        recipients = placed([*tree.objects(verb), *tree.pobjs(verb, *preps)], kind, scene)
    elif not recipients and relation == "nsubjpass":
        recipients = placed(tree.pobjs(verb, *preps), kind, scene)
    if kind in PAIR and not actors:
        actors = resolve_all(tree.pobjs(verb, "between", "with"), scene)
    if not actors and verb.lemma_ == "be":
        wished = [d for said in tree.kids(verb, "attr") for clause in tree.kids(said, "relcl") for d in doers(clause)]
        actors = resolve_all(wished, scene)
    return actors, recipients


def _of_light_verb(verb: Token, noun: Token, kind: EventType, actors: list[Reference], scene: Scene) -> list[Reference]:
    """``imposed sanctions on X``, ``gave X an ultimatum``, ``threatened X with strikes``."""
    preps = TARGETED.get(kind, ())
    taken = {r.code for r in actors}
    if kind is EventType.DEPLOYMENT:
        return at_border([verb], scene)
    if kind in MOVED:
        return []
    places = [p for p in tree.pobjs(verb, *preps) if p != noun and p not in tree.conjuncts(noun)]
    found = [r for r in placed(places, kind, scene) if r.code not in taken]
    others = [
        o for o in (*tree.objects(verb), *tree.kids(verb, "dative")) if o != noun and o not in tree.conjuncts(noun)
    ]
    return found or [r for r in resolve_all(others, scene) if r.code not in taken]
