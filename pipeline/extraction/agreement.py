"""Agreement: which events of a sentence count, and in what modality, once model and rules were both heard."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from config.lexicon import Pattern
from pipeline.extraction.events import Event, of_candidates
from pipeline.extraction.parties import completed
from pipeline.extraction.prominence import is_background, is_kept, is_routine
from pipeline.extraction.sentence_model import TYPES
from pipeline.extraction.severity import PLOVER
from pipeline.extraction.steps import ONGOING, Step, Turn
from pipeline.extraction.triggers import Candidate
from pipeline.records import EventType, Modality

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spacy.tokens import Token

    from pipeline.extraction.fusion import Fusion
    from pipeline.extraction.judge import Judge
    from pipeline.extraction.scene import Scene
    from pipeline.extraction.sentence_model import Opinion

ACTIVE = frozenset({Modality.ASSERTED, Modality.PLANNED, Modality.THREATENED, Modality.CONDITIONAL})
HELD_OUT = frozenset({Modality.CONDITIONAL, Modality.THREATENED})
CONDITIONAL_WORDS = frozenset(
    ["if", "unless", "should", "would", "until", "till", "before", "any", "case", "event", "provided", "once", "when",
     "whenever", "as", "without", "otherwise", "else", "depending", "condition", "conditional", "were", "could", "may",
     "consequences"]
)  # fmt: skip
"""Words of which one must be there before anything can be conditional."""
RULED = 0.8
"""Least probability of a modality that grammar alone decides."""
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
NAMING = frozenset({"NOUN", "VERB", "PROPN", "ADJ"})
BESIDE = 0.5
"""Confidence of what is only mentioned: there is no label of it in the corpus to measure it by."""
UNRULED = {
    kind: Pattern(type=kind.value, pos="noun", words=frozenset({"?"}), plover=PLOVER[kind]) for kind in EventType
}
"""What stands for the pattern of an event that only the model found."""


def agreed(told: Sequence[Event], scene: Scene, judge: Judge, opinion: Opinion) -> list[Event]:
    """The rules' events that the model does not talk out of, and those that it found alone, in order.

    What the sentence only mentions is left to the rules (``prominence.py``), for the model was taught to pass over it.
    """
    fusion = judge.fusion
    beside = [event for event in told if is_background(event, told)]
    main = [event for event in told if event not in beside and not is_routine(event, judge.rivals)]
    ruled = {event.candidate.kind for event in main}
    kept = [event for event in main if fusion.accepts(opinion, event.candidate.kind, ruled=True)]
    alone = [kind for kind in TYPES if kind not in ruled and fusion.accepts(opinion, kind, ruled=False)]
    raised = [event for event in beside if event.candidate.kind in alone and not event.verdict.hypothetical]
    wanting = [kind for kind in alone if kind not in {event.candidate.kind for event in raised}]
    located = [candidate for kind in wanting if (candidate := _located(kind, scene, opinion)) is not None]
    found = of_candidates([*(event.candidate for event in kept), *located], scene)[len(kept) :] if located else []
    counting = (*kept, *raised, *found)
    settled = [
        settle(event, scene, fusion, opinion, others=[e for e in counting if e is not event]) for event in counting
    ]
    rest = [event for event in (*beside, *_dated(main, kept)) if event not in raised and is_kept(event, scene)]
    told_beside = [replace(event, sure=BESIDE) for event in rest]
    settled = [completed(event, scene, judge.rivals, told) for event in settled]
    return sorted([*settled, *told_beside], key=lambda event: event.candidate.token.i)


def _dated(main: Sequence[Event], kept: Sequence[Event]) -> list[Event]:
    """Events of a named past that the model passed over: told as background, they are history all the same."""
    return [event for event in main if event not in kept and event.verdict.modality is Modality.HISTORICAL]


def settle(event: Event, scene: Scene, fusion: Fusion, opinion: Opinion, others: Sequence[Event] = ()) -> Event:
    """The event in the modality on which rules and model settle, with the probability that it is right.

    Of a type the model tells one modality: where another event of the type has it by the rules, it speaks of that one.
    """
    kind, verdict = event.candidate.kind, event.verdict
    # The walk from a word that no rule chose proves little: there the model decides alone.
    spread = fusion.modalities(opinion, kind, verdict.modality if event.candidate.ruled else None)
    ruled = _certain(event, scene)
    likeliest = ruled or _likeliest(spread, event, scene)
    if any(other.candidate.kind is kind and other.verdict.modality is likeliest for other in others):
        likeliest = verdict.modality
    manner = max(spread[likeliest], RULED if ruled else 0.0)
    sure = fusion.probability(opinion, kind, ruled=event.candidate.ruled) * manner
    if likeliest is not verdict.modality:
        verdict = replace(
            verdict,
            modality=likeliest,
            active=likeliest in ACTIVE and not (likeliest is Modality.CONDITIONAL and verdict.hypothetical),
            condition=verdict.condition if likeliest in HELD_OUT else (),
            hypothetical=verdict.hypothetical and likeliest is Modality.CONDITIONAL,
            cues=(*verdict.cues, _looked_at(kind, scene, opinion)),
        )
    return replace(event, verdict=verdict, sure=sure)


def _certain(event: Event, scene: Scene) -> Modality | None:
    """Where grammar alone decides the modality: the codebook settles it by form, and a network sees forms dimly.

    What its own doer *will* do, if …, is a threat that has a condition; so are sanctions that are threatened. A demand
    that is turned down was made. A build-up that is taken for granted goes on, whatever is felt about it.
    What nothing but a negation governs is denied.
    """
    kind, verdict = event.candidate.kind, event.verdict
    if not event.candidate.ruled:
        return None
    if kind in ONGOING and verdict.granted and verdict.modality is Modality.ASSERTED:
        return Modality.ASSERTED
    if kind is EventType.DEMAND and verdict.modality is Modality.ASSERTED and not _has_condition(event, scene):
        return Modality.ASSERTED
    turns = {step.turn for step in verdict.cues}
    if verdict.modality is Modality.NEGATED and turns == {Turn.NEGATE}:
        return Modality.NEGATED
    declared = Turn.FUTURE in turns or Turn.THREAT not in turns
    if verdict.modality is Modality.THREATENED and (kind is EventType.SANCTION or declared):
        return Modality.THREATENED
    return None


def _likeliest(spread: Mapping[Modality, float], event: Event, scene: Scene) -> Modality:
    """The likeliest modality; where it can't be, the rules', or the next."""
    first, *others = sorted(spread, key=lambda modality: -spread[modality])
    if _is_possible(first, event, scene):
        return first
    ruled = [event.verdict.modality] if event.candidate.ruled else []
    return next((modality for modality in (*ruled, *others) if _is_possible(modality, event, scene)), first)


def _is_possible(modality: Modality, event: Event, scene: Scene) -> bool:
    """Whether anything in the sentence allows for ``modality``.

    Nothing is conditional without a condition, and a year that the article was published in makes no history.
    """
    if modality is Modality.CONDITIONAL:
        return _has_condition(event, scene)
    if modality is Modality.HISTORICAL and scene.published is not None:
        years = [int(year) for year in YEAR.findall(scene.sentence.text)]
        return event.verdict.modality is Modality.HISTORICAL or not years or min(years) < scene.published.year
    return True


def _has_condition(event: Event, scene: Scene) -> bool:
    """Whether anything in the sentence could be a condition."""
    return bool(event.verdict.condition) or any(token.lower_ in CONDITIONAL_WORDS for token in scene.doc)


def _located(kind: EventType, scene: Scene, opinion: Opinion) -> Candidate | None:
    """The word at which the model looked most: a noun, verb or adjective that is no name."""
    token = _most_looked_at(kind, scene, opinion, manner=False, fits=lambda t: _names_an_event(t, scene))
    return None if token is None else Candidate(token, kind, UNRULED[kind], (token,), ruled=False)


def _names_an_event(token: Token, scene: Scene) -> bool:
    return token.pos_ in NAMING and scene.name_at(token) is None


def _looked_at(kind: EventType, scene: Scene, opinion: Opinion) -> Step:
    """The word that decided the model's modality, as a cue."""
    token = _most_looked_at(kind, scene, opinion, manner=True, fits=lambda t: not t.is_punct and not t.is_space)
    if token is None:
        return Step(Turn.MODEL, "", None)
    return Step(Turn.MODEL, token.text, (token.idx, token.idx + len(token.text)))


def _most_looked_at(
    kind: EventType, scene: Scene, opinion: Opinion, *, manner: bool, fits: Callable[[Token], bool]
) -> Token | None:
    share: dict[int, float] = {}
    by_start = {token.idx: token.i for token in scene.doc}
    place = -1
    for (start, _), weight in opinion.weights(kind, manner=manner):
        place = by_start.get(start, place)
        if place >= 0:
            share[place] = share.get(place, 0.0) + weight
    fitting = [place for place in share if fits(scene.doc[place])]
    return scene.doc[max(fitting, key=lambda place: (share[place], -place))] if fitting else None
