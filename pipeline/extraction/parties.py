"""Parties: who is meant where grammar ties nobody to an event: the sentence's subject, the rival that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.aims import PLACED_AT_BORDER
from pipeline.extraction.referents import resolve, resolve_all
from pipeline.records import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacy.tokens import Token

    from config.rivals import Rivals
    from pipeline.extraction.events import Event
    from pipeline.extraction.scene import Reference, Scene

AIMED = frozenset({EventType.FORCE, EventType.SANCTION, EventType.DEMAND, EventType.RUPTURE})
TOWARDS = frozenset({"near", "along", "toward", "towards", "around", "outside", "opposite", "facing", "against"})
CERTAINTY = 0.8
UP = 4


def completed(event: Event, scene: Scene, rivals: Rivals) -> Event:
    """The event with an actor and a recipient, where the sentence leaves little doubt who they are.

    An actor only for what the sentence model found: its word has no place in the grammar that rules know. A recipient
    only if exactly one rival of the actor is named; of a deployment, at whose border or towards whom it is.
    """
    actors = event.actors
    if not actors and not event.candidate.ruled:
        actors = _implied(_subject(scene), event.recipients)
    recipients = event.recipients
    if actors and not recipients and not event.verdict.hypothetical:
        recipients = _implied(_rivals(event, actors, scene, rivals), actors)
    if actors == event.actors and recipients == event.recipients:
        return event
    return replace(event, actors=actors, recipients=recipients)


def _subject(scene: Scene) -> list[Reference]:
    """Who the sentence is about."""
    root = next((token for token in scene.doc if token.dep_ == "ROOT"), None)
    found = tree.kids(root, "nsubj", "nsubjpass") if root is not None else []
    return resolve_all([one for subject in found for one in tree.conjuncts(subject)], scene)


def _rivals(event: Event, actors: Iterable[Reference], scene: Scene, rivals: Rivals) -> list[Reference]:
    kind = event.candidate.kind
    if kind is EventType.DEPLOYMENT:
        named = [r for token in scene.doc if _is_towards(token) for r in resolve(token, scene)]
    elif kind in AIMED:
        named = [r for token in scene.doc if scene.actor_at(token) is not None for r in resolve(token, scene)]
    else:
        return []
    speaker = event.attribution.code if event.attribution is not None else None
    doing = {actor.code for actor in actors}
    found = {r.code: r for r in named if r.code != speaker and any(rivals.among([r.code, code]) for code in doing)}
    return list(found.values()) if len(found) == 1 else []


def _is_towards(token: Token) -> bool:
    """Whether it names whose border a phrase is about: ``near Chad``, ``the Sudanese frontier``."""
    above = token
    for _ in range(UP):
        above = above.head
        if above.lower_ in TOWARDS or tree.lemma(above) in PLACED_AT_BORDER:
            return True
        if tree.is_verb(above):
            return False
    return False


def _implied(found: Iterable[Reference], others: Iterable[Reference]) -> tuple[Reference, ...]:
    taken = {reference.code for reference in others}
    return tuple(replace(r, how="implied", certainty=CERTAINTY) for r in found if r.code not in taken)
