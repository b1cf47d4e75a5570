"""Parties: who is meant where grammar ties nobody to an event: the sentence's subject, the rival that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.aims import PLACED_AT_BORDER
from pipeline.extraction.referents import resolve, resolve_all
from pipeline.extraction.steps import ONGOING
from pipeline.records import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spacy.tokens import Token

    from config.rivals import Rivals
    from pipeline.extraction.events import Event
    from pipeline.extraction.scene import Reference, Scene

AIMED = frozenset({EventType.FORCE, EventType.SANCTION, EventType.DEMAND, EventType.RUPTURE})
TOWARDS = frozenset({"near", "along", "toward", "towards", "around", "outside", "opposite", "facing", "against"})
LEFT = TOWARDS | {"from"}
CERTAINTY = 0.8
UP = 4
BORDERS = frozenset({"border", "frontier", "boundary", "doorstep"})


def completed(event: Event, scene: Scene, rivals: Rivals, told: Sequence[Event] = ()) -> Event:
    """The event with an actor and a recipient, where the sentence leaves little doubt who they are.

    An actor only for what the sentence model found: its word has no place in the grammar that rules know. A recipient
    only if exactly one rival of the actor is named; of a deployment, at whose border or towards whom it is, or whom the
    sentence says they may attack; of a withdrawal, from whose soil or border.

    Args:
        event: One event of the sentence.
        scene: The sentence.
        rivals: Who is at odds with whom.
        told: The events that rules found in it.
    """
    actors = event.actors
    if not actors and not event.candidate.ruled:
        actors = _implied(_doing(event, scene, told), event.recipients)
    recipients = event.recipients
    if actors and not recipients and not event.verdict.hypothetical:
        recipients = _implied(_rivals(event, actors, scene, rivals, told), actors)
    if actors == event.actors and recipients == event.recipients:
        return event
    return replace(event, actors=actors, recipients=recipients)


def _doing(event: Event, scene: Scene, told: Sequence[Event]) -> list[Reference]:
    """Who does what only the model found: the sentence's subject, or the one of whom it says it.

    In a clause that has a subject of its own, that one. Who only warns or tells of a build-up is not the one who builds
    up: that is whoever is said to attack.
    """
    attacking = [r for other in told if other.candidate.kind is EventType.FORCE for r in other.actors]
    clause = next((t for t in (event.candidate.token, *event.candidate.token.ancestors) if t.dep_ == "advcl"), None)
    own = tree.kids(clause, "nsubj", "nsubjpass") if clause is not None else []
    if own:
        return resolve_all([one for subject in own for one in tree.conjuncts(subject)], scene) or attacking
    root = next((token for token in scene.doc if token.dep_ == "ROOT"), None)
    if root is None:
        return []
    cues = scene.lexicon.cues
    if tree.lemma(root) in cues.blames:
        return resolve_all((one for accused in tree.objects(root) for one in tree.conjuncts(accused)), scene)
    if event.candidate.kind in ONGOING and tree.lemma(root) in cues.say | cues.verbs.warn:
        return attacking
    subjects = tree.kids(root, "nsubj", "nsubjpass")
    return resolve_all([one for subject in subjects for one in tree.conjuncts(subject)], scene)


def _rivals(
    event: Event, actors: Iterable[Reference], scene: Scene, rivals: Rivals, told: Sequence[Event]
) -> list[Reference]:
    """The one rival of ``actors`` whom the event can only be aimed at; empty if there is none, or more than one."""
    kind = event.candidate.kind
    speaker = event.attribution.code if event.attribution is not None else None
    doing = {actor.code for actor in actors}

    def single(named: Iterable[Reference]) -> list[Reference]:
        found = {r.code: r for r in named if any(rivals.among([r.code, code]) for code in doing)}
        return list(found.values()) if len(found) == 1 else []

    if kind is EventType.WITHDRAWAL:
        return single(r for token in scene.doc if _is_towards(token, LEFT) for r in resolve(token, scene))
    if kind is EventType.DEPLOYMENT:
        towards = [r for token in scene.doc if _is_towards(token) for r in resolve(token, scene)]
        return (
            single(r for r in towards if r.code != speaker)
            or single(_attacked(scene, told))
            or (single(_speaking(scene, speaker)) if _at_home(event.candidate.token) else [])
        )
    named = (r for token in scene.doc if scene.actor_at(token) is not None for r in resolve(token, scene))
    return single(r for r in named if r.code != speaker) if kind in AIMED else []


def _attacked(scene: Scene, told: Sequence[Event]) -> list[Reference]:
    """Whom the sentence says are or may be attacked: ``as fears rise of a Ruritanian invasion`` names the victim."""
    force = [other for other in told if other.candidate.kind is EventType.FORCE]
    before = [
        r
        for other in force
        for child in other.candidate.token.children
        if child.dep_ in {"compound", "nmod"}
        for r in resolve(child, scene)
    ]
    return [*(r for other in force for r in other.recipients), *before]


def _speaking(scene: Scene, speaker: str | None) -> list[Reference]:
    """Who accuses, by name."""
    if speaker is None:
        return []
    return [r for token in scene.doc if scene.actor_at(token) for r in resolve(token, scene) if r.code == speaker]


def _at_home(token: Token) -> bool:
    """Whether troops are said to stand at *the* border, which is the border of whoever says so."""
    for below in token.subtree:
        if tree.lemma(below) in BORDERS:
            return all(child.dep_ == "det" for child in below.children if child.i < below.i) and not any(
                child.lower_ == "with" for child in below.children
            )
    return False


def _is_towards(token: Token, words: frozenset[str] = TOWARDS) -> bool:
    """Whether it names whose border a phrase is about: ``near Chad``, ``the Sudanese frontier``."""
    above = token
    for _ in range(UP):
        above = above.head
        if above.lower_ in words or tree.lemma(above) in PLACED_AT_BORDER:
            return True
        if tree.is_verb(above):
            return False
    return False


def _implied(found: Iterable[Reference], others: Iterable[Reference]) -> tuple[Reference, ...]:
    taken = {reference.code for reference in others}
    return tuple(replace(r, how="implied", certainty=CERTAINTY) for r in found if r.code not in taken)
