"""Modality: in what way the sentence holds an event to be true.

The walk climbs from the trigger to the root and collects cues on its way; the verdict then applies them from the
inside out. What takes an event for granted (``after the attack``, a relative clause) ends the walk; a noun that governs
the event (``fears of``, ``plans for``, ``threat of``) lets nothing but a negation through from above.
"""

# ruff: noqa: RUF001 - typographic marks are the matter here

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.extraction.climb import climb
from pipeline.extraction.cues import own_words
from pipeline.extraction.dates import past_of
from pipeline.extraction.steps import HARD, Step, Turn, Walk
from pipeline.records import EventType, Modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacy.tokens import Token

    from pipeline.extraction.scene import Reference, Scene


_STATES = {
    Turn.SUPPOSE: Modality.SPECULATIVE,
    Turn.PLAN: Modality.PLANNED,
    Turn.THREAT: Modality.THREATENED,
    Turn.DEMAND: Modality.DEMANDED,
    Turn.PAST: Modality.HISTORICAL,
}
_OVERRIDES = {
    Modality.SPECULATIVE: frozenset({Modality.PLANNED, Modality.THREATENED}),
    Modality.PLANNED: frozenset[Modality](),
    Modality.THREATENED: frozenset({Modality.PLANNED, Modality.SPECULATIVE}),
    Modality.DEMANDED: frozenset({Modality.PLANNED, Modality.SPECULATIVE}),
    Modality.HISTORICAL: frozenset({Modality.PLANNED, Modality.THREATENED, Modality.DEMANDED, Modality.SPECULATIVE}),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Modality of an event.

    Attributes:
        modality: The modality.
        active: Whether the event counts today, if its type can.
        condition: Tokens of the condition it hangs on, in order; empty if none.
        cues: What decided, innermost first.
        hypothetical: True for an event that stands only inside a condition.
        granted: True for one that is taken for granted: it only dates or explains what the sentence tells.
    """

    modality: Modality
    active: bool
    condition: tuple[Token, ...]
    cues: tuple[Step, ...]
    hypothetical: bool = False
    granted: bool = False


def judge(trigger: Token, kind: EventType, actors: Sequence[Reference], scene: Scene) -> Verdict:
    """The modality of the event that ``trigger`` names.

    Args:
        trigger: The word.
        kind: The event's type.
        actors: Who does it: a warning of one's own deed is a threat, of another's a fear.
        scene: The sentence.
    """
    walk = Walk(kind, scene, frozenset(r.code for r in actors), trigger=trigger)
    own_words(trigger, walk)
    climb(trigger, walk)
    past = past_of(trigger, scene.published)
    if past is not None and not any(s.turn in {Turn.FUTURE, Turn.PLAN} for s in walk.steps):
        walk.barred = False
        walk.steps.append(Step(Turn.PAST, past.text, (past.start, past.start + len(past.text))))
    asked = scene.doc.text.rstrip("\"' ”’").endswith("?")
    if asked and all(step.turn is Turn.FUTURE for step in walk.steps):
        walk.add(Turn.SUPPOSE, scene.doc[-1])
    return _verdict(walk)


def _verdict(walk: Walk) -> Verdict:
    state: Modality | None = None
    ceased = mulled = future = conditioned = protasis = resolve = False
    for step in walk.steps:
        turn = step.turn
        if turn is Turn.NEGATE:
            state = _negated(state, ceased=ceased, resolve=resolve)
        elif turn is Turn.RESOLVE:
            resolve = True
            state = Modality.THREATENED if walk.kind in HARD else Modality.PLANNED
        elif turn is Turn.CEASE:
            ceased = state is None
            state = Modality.NEGATED if state is None else state
        elif turn is Turn.PROTASIS:
            protasis = True
        elif turn is Turn.CONDITION:
            conditioned = True
        elif turn is Turn.FUTURE:
            future = future or state is None
            state = state or Modality.PLANNED
        elif turn is Turn.MULL:
            mulled = mulled or state in {None, Modality.PLANNED}
            state = _outer(state, Modality.SPECULATIVE, ceased=ceased)
        else:
            state = _outer(state, _STATES[turn], ceased=ceased)
    return _settled(
        walk, state or Modality.ASSERTED, mulled=mulled, future=future, conditioned=conditioned, protasis=protasis
    )


def _negated(state: Modality | None, *, ceased: bool, resolve: bool) -> Modality | None:
    if resolve:
        return state
    if state is Modality.NEGATED and not ceased:
        return Modality.SPECULATIVE
    return Modality.NEGATED


def _outer(state: Modality | None, new: Modality, *, ceased: bool) -> Modality:
    """The innermost cue wins, save where an outer one takes back what it grants."""
    if state is None or (ceased and new is Modality.DEMANDED):
        return new
    return new if state in _OVERRIDES[new] else state


def _settled(walk: Walk, state: Modality, *, mulled: bool, future: bool, conditioned: bool, protasis: bool) -> Verdict:
    cues = tuple(walk.steps)
    if protasis:
        return Verdict(
            Modality.CONDITIONAL, active=False, condition=(), cues=cues, hypothetical=True, granted=walk.granted
        )
    if conditioned and (state in {Modality.ASSERTED, Modality.PLANNED} or (mulled and state is Modality.SPECULATIVE)):
        if not (state is Modality.ASSERTED and walk.kind not in HARD):
            state = Modality.CONDITIONAL
    elif future and state is Modality.PLANNED and walk.kind is EventType.FORCE:
        state = Modality.THREATENED
    active = state in {Modality.ASSERTED, Modality.PLANNED, Modality.THREATENED, Modality.CONDITIONAL}
    return Verdict(state, active, walk.condition, cues, granted=walk.granted)
