"""Scoring of one dyad: pure functions of its state, in the records' own time.

``apply`` takes a signal in, ``advance`` lets time pass; both give the new state and the transitions of alerts that fell
due. Neither reads a clock, so a replay of the same signals decides the same.

A signal weighs ``severity x confidence``, less where much news flows and more where it tells of more than before (see
``weighing``), halving from the time it was published (or observed, if that was earlier: no
news comes from the future). Its story counts each kind of event once, at its heaviest, times a factor of how many
independent sources told it. The score is the sum over stories, calming ones counting against it, and never below 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

from msgspec.structs import replace

from config.alerts import Levels, Rule, Threshold
from pipeline.records import Alert, Polarity, Signal
from pipeline.scoring.episode import NOTHING_HELD, due, lapse, settle, watch_levels
from pipeline.scoring.explain import since_epoch
from pipeline.scoring.memory import exhibit, hear, is_known, remember
from pipeline.scoring.silence import may_be_silent
from pipeline.scoring.state import DyadState, Exhibit, Ids, Story, Strand
from pipeline.scoring.stories import join, light, owner, source_token
from pipeline.scoring.weighing import amounts, flow_factor, growth, noted, weight

Outcome = Literal["applied", "repeated", "inactive"]
Step = tuple[DyadState, list[Alert], Outcome]
_Scale = Callable[[float], float]

REBASE_HALF_LIVES = 64
SHOW_FLOOR = 0.1
"""A score at or above this is sampled, and shown, at each step without a signal; below it, when one comes."""
NO_RULE = Rule(name="unwatched", levels=Levels(watch=Threshold(raise_at=1e6, clear_at=1e5)))
"""For a dyad that no rule covers: scored like the rest, with a threshold that no score reaches."""


def fresh(dyad: str, at: float, rule: Rule, *, drill: bool) -> DyadState:
    """A dyad of which nothing is known before ``at``."""
    state = DyadState(
        dyad=dyad,
        drill=drill,
        rule_version=rule.version,
        half_life=rule.half_life,
        origin=at,
        at=at,
        ids=Ids(at),
        sampled=0,
        falls=(at, at, at),
    )
    return replace(state, sampled=int(at // state.step))


def advance(state: DyadState, now: float, rule: Rule) -> tuple[DyadState, list[Alert]]:
    """Let time pass up to ``now``: what fell due at or before it, stamped with its due time. Time never goes back."""
    return settle(adopt(state, rule), max(now, state.at), rule)


def apply(state: DyadState, signal: Signal, rule: Rule, owners: Mapping[str, str] | None = None) -> Step:
    """Take a signal in, at its observed time, or at the state's if that is later.

    Args:
        state: Before.
        signal: Of this dyad.
        rule: The dyad's rule.
        owners: Owner of an outlet's domain, where outlets share one.

    Returns:
        The new state, the transitions in order, and what became of the signal. A signal that was counted before changes
        nothing at all. One that is not active, or whose drill flag is not the dyad's, is only recorded.
    """
    return (state, [], "repeated") if is_known(state.ids, signal.signal_id) else take(state, signal, rule, owners)


def take(state: DyadState, signal: Signal, rule: Rule, owners: Mapping[str, str] | None = None) -> Step:
    """As ``apply``, of a signal that was not counted before."""
    state, alerts = advance(state, since_epoch(signal.observed_at), rule)
    ids = remember(state.ids, signal.signal_id, state.at, state.half_life)
    state = lapse(state, rule)
    told = amounts(signal)
    grown = growth(told, state.counted, state.at)
    weighs = weight(signal, grown)
    if not counts(rule, signal) or signal.drill is not state.drill or not math.isfinite(weighs) or weighs == 0:
        return replace(state, ids=ids, inactive=state.inactive + 1), alerts, "inactive"
    state = _count(state, signal, weighs, grown, owners or {})
    state = replace(state, ids=ids, applied=state.applied + 1, counted=noted(state.counted, told, state.at))
    state, more = settle(watch_levels(state, rule), state.at, rule)
    return state, alerts + more, "applied"


def counts(rule: Rule, signal: Signal) -> bool:
    """Whether the rule weighs the signal at all."""
    return rule.counts.weighs(
        signal.event_type,
        signal.modality,
        active=signal.active,
        calms=signal.polarity is Polarity.DEESCALATORY,
    )


def _count(state: DyadState, signal: Signal, weighs: float, grown: float, owners: Mapping[str, str]) -> DyadState:
    """The state with a signal that counts in its story, among its sources and, if it is heavy, among its sentences."""
    state = rebase(state)
    begun = min(since_epoch(signal.published_at), since_epoch(signal.observed_at), state.at)
    kept = light(weighs * 2.0 ** ((begun - state.origin) / state.half_life))
    source = source_token(owner(signal.source, owners))
    state, story = join(state, signal, kept, source, state.at)
    outlets = hear(state.outlets, source, state.at) if weighs > 0 else state.outlets
    exhibits = exhibit(state.exhibits, story, signal, kept, grown)
    episode = state.episode and replace(
        state.episode, stirred=True, grown=state.episode.grown or (grown > 1.0 and weighs > 0)
    )
    flow = state.flow if signal.flow is None else (flow_factor(signal.flow), signal.flow.sources, signal.flow.hours)
    return replace(state, outlets=outlets, exhibits=exhibits, episode=episode, flow=flow)


def rebase(state: DyadState) -> DyadState:
    """Move the origin by whole half-lives when it lies far back: weights are multiplied by a power of two, exactly."""
    steps = int((state.at - state.origin) // state.half_life)
    if steps < REBASE_HALF_LIVES:
        return state
    return _scaled(
        replace(state, origin=state.origin + steps * state.half_life), lambda weight: math.ldexp(weight, -steps)
    )


def moved(state: DyadState, origin: float) -> DyadState:
    """The same weights, kept as at a later origin: each smaller by what it loses until then."""
    lost = 0.5 ** ((origin - state.origin) / state.half_life)
    return _scaled(replace(state, origin=origin), lambda weight: light(weight * lost))


def _scaled(state: DyadState, scale: _Scale) -> DyadState:
    def story(each: Story) -> Story:
        strands = tuple(Strand(strand.kind, scale(strand.weight), strand.count) for strand in each.strands)
        return replace(each, strands=strands, weight=scale(each.weight))

    exhibits = tuple(Exhibit(each.story, each.kind, scale(each.weight), each.evidence) for each in state.exhibits)
    stories = tuple(story(each) for each in state.stories)
    return replace(state, stories=stories, exhibits=exhibits, rest=scale(state.rest), total=scale(state.total))


def adopt(state: DyadState, rule: Rule) -> DyadState:
    """The state under ``rule``: unchanged if that is the rule it was under.

    A changed rule takes effect at the state's time: weights go on from what they are then, with the new half-life; an
    open alert of the same rule name goes on, one of another name is resolved by the next step.
    """
    if state.rule_version == rule.version:
        return state
    decay = state.decay(state.at)
    state = _scaled(state, lambda weight: light(weight * decay))
    at = state.at
    state = replace(
        state, rule_version=rule.version, half_life=rule.half_life, origin=at, held=NOTHING_HELD, falls=(at, at, at)
    )
    return watch_levels(replace(state, sampled=int(at // state.step)), rule)


def recover(state: DyadState, at: float, rule: Rule) -> tuple[DyadState, list[Alert]]:
    """A state whose time lies ahead of ``at``, where a false time took it: no signal would weigh anything until then.

    Returns:
        A new state at ``at`` that still knows the ids, and what resolves the alert that was open.
    """
    blank = fresh(state.dyad, at, rule, drill=state.drill)
    blank = replace(blank, ids=replace(state.ids, started=min(at, state.ids.started)))
    if state.episode is None:
        return blank, []
    episode = replace(state.episode, started=min(at, state.episode.started))
    _, alerts = settle(replace(blank, rule_version=NO_RULE.version, episode=episode), at, NO_RULE)
    return blank, alerts


def next_look(state: DyadState, rule: Rule) -> float:
    """When to advance the dyad if no signal comes before.

    Something may fall due, or a sample be worth showing; where neither will, the dyad may be forgotten.
    """
    times = [] if (first := due(state, rule)) is None else [first]
    if state.score(state.at) >= SHOW_FLOOR:
        times.append((state.sampled + 1) * state.step)
    return min(times) if times else may_be_silent(state, rule)
