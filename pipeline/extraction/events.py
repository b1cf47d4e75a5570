"""Events: what the rules make of the words of a sentence that name events, before any of it becomes a record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.extraction.aims import implied_recipients
from pipeline.extraction.attribution import attribution
from pipeline.extraction.magnitudes import magnitudes
from pipeline.extraction.modality import Verdict, judge
from pipeline.extraction.referents import resolve_all
from pipeline.extraction.roles import roles
from pipeline.extraction.scene import Reference, Scene
from pipeline.extraction.triggers import Candidate, candidates
from pipeline.records import EventType, Magnitude, Modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.records import Attribution

AIMED = frozenset({EventType.FORCE, EventType.SANCTION})
PROSPECTIVE = frozenset({Modality.THREATENED, Modality.CONDITIONAL, Modality.NEGATED})


@dataclass(frozen=True)
class Event:
    """One event of a sentence, before it becomes a record.

    Attributes:
        candidate: The word that names it.
        actors: Who does it.
        recipients: To whom.
        verdict: In what modality.
        magnitudes: How much.
        attribution: Who says so.
        sure: Probability that type and modality are right; None where the rules stand alone.
    """

    candidate: Candidate
    actors: tuple[Reference, ...]
    recipients: tuple[Reference, ...]
    verdict: Verdict
    magnitudes: tuple[Magnitude, ...]
    attribution: Attribution | None
    sure: float | None = None


def by_rules(scene: Scene) -> list[Event]:
    """The events that the rules find, in order, repeats and background among them."""
    return of_candidates(candidates(scene), scene)


def of_candidates(found: Sequence[Candidate], scene: Scene) -> list[Event]:
    """The events that these words name."""
    counted = magnitudes([candidate.token for candidate in found], scene)
    told = [_event(candidate, counted.get(place, ()), scene) for place, candidate in enumerate(found)]
    return [_as_demanded(event, told) for event in told]


def _as_demanded(event: Event, told: Sequence[Event]) -> Event:
    """What is demanded, or demanded not to be, is up to those of whom it is demanded."""
    if (
        event.actors
        or event.verdict.modality not in {Modality.DEMANDED, Modality.NEGATED}
        or event.candidate.kind is EventType.DEMAND
    ):
        return event
    demands = [other for other in told if other.candidate.kind is EventType.DEMAND and other.recipients]
    if not demands:
        return event
    actors = tuple(replace(r, how="implied", span=None) for r in demands[0].recipients)
    taken = {r.code for r in actors}
    return replace(event, actors=actors, recipients=tuple(r for r in event.recipients if r.code not in taken))


def _event(candidate: Candidate, counted: tuple[Magnitude, ...], scene: Scene) -> Event:
    actors, recipients = roles(candidate.token, candidate.kind, scene)
    verdict = judge(candidate.token, candidate.kind, actors, scene)
    said = attribution(candidate.token, scene)
    if not actors and candidate.kind in AIMED and verdict.modality is Modality.THREATENED and said is not None:
        actors = _speaking(said, scene)
        recipients = [r for r in recipients if r.code not in {a.code for a in actors}]
    if (
        not recipients
        and actors
        and candidate.kind in AIMED
        and verdict.modality in PROSPECTIVE
        and not verdict.hypothetical
    ):
        recipients = implied_recipients(candidate.token, scene, actors)
    return Event(candidate, tuple(actors), tuple(recipients), verdict, counted, said)


def _speaking(said: Attribution, scene: Scene) -> list[Reference]:
    """The speaker's side, as the one who threatens."""
    if said.code is None:
        return []
    named = [r for r in resolve_all(scene.doc, scene) if r.code == said.code]
    return [replace(named[0], how="implied")] if named else [Reference(said.speaker, said.code, None, "implied")]
