"""The life of an alert: when it is raised, updated and resolved, decided from the state and stamped with its due time.

Between two signals a score only decays, so every moment at which something may fall due is known beforehand:

- a level's condition has held for ``hold_for`` (checked again when it falls due);
- the score has been below the open level's clear threshold for ``clear_for``;
- the update interval is over and a signal has counted since.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict

from msgspec.structs import replace

from config.alerts import LEVELS, Rule
from pipeline.records import Alert, Transition
from pipeline.scoring.explain import explain, moment
from pipeline.scoring.memory import heard_from, needed_sources, sample, usual
from pipeline.scoring.state import DyadState, Episode

NOTHING_HELD = (None, None, None)
NOWHERE = (False,) * len(LEVELS)
LATER_S = 1e-6
MATERIAL_SHARE = 0.1
"""A kind of event is news to a subscriber when it carries at least this share of the score."""


def alert_id(rule: str, dyad: str, started: float) -> str:
    """32 hex digits: the same for the same episode, whoever computes it and when."""
    return hashlib.sha256(f"{rule}\n{dyad}\n{moment(started).isoformat()}".encode()).hexdigest()[:32]


def condition(state: DyadState, rule: Rule, at: float) -> tuple[bool, ...]:
    """For each level, whether the score is high enough, stands out from the baseline, and has enough sources."""
    score = state.score(at)
    if score < min(rule.raises) or score < usual(state, rule):
        return NOWHERE
    if not heard_from(state, at, needed_sources(state, rule)):
        return NOWHERE
    return tuple(score >= level for level in rule.raises)


def falls_below(state: DyadState, rule: Rule) -> tuple[float, ...]:
    """When the score fell, or if nothing comes will fall, below each level's clear threshold."""
    at, score = state.at, state.score(state.at)
    return tuple(
        [
            min(before, at) if score < threshold else at + state.half_life * math.log2(score / threshold)
            for threshold, before in zip(rule.clears, state.falls, strict=True)
        ]
    )


def watch_levels(state: DyadState, rule: Rule) -> DyadState:
    """The state, after its score changed at ``state.at``, with what each level waits for brought up to date."""
    met = condition(state, rule, state.at)
    held: tuple[float | None, ...] = NOTHING_HELD
    if met is not NOWHERE:
        since = [state.at if since is None else since for since in state.held]
        held = tuple([since if now else None for since, now in zip(since, met, strict=True)])
    return replace(state, held=held, falls=falls_below(state, rule))


def lapse(state: DyadState, rule: Rule) -> DyadState:
    """The state without what a level waited for, where its condition fell away since the last signal."""
    if state.held == NOTHING_HELD:
        return state
    met = condition(state, rule, state.at)
    level = open_level(state)
    held = tuple(
        since if place < level or now else None for place, (since, now) in enumerate(zip(state.held, met, strict=True))
    )
    return state if held == state.held else replace(state, held=held)


def open_level(state: DyadState) -> int:
    """0 for calm, else the open alert's level."""
    return 0 if state.episode is None else state.episode.level


def due(state: DyadState, rule: Rule) -> float | None:
    """When the next transition may fall due; None if nothing is to come without a signal."""
    if state.episode is None and state.held == NOTHING_HELD:
        return None
    times = [since + rule.hold_for for since in state.held[open_level(state) :] if since is not None]
    if (episode := state.episode) is not None:
        if episode.rule != rule.name:
            return state.at
        times.append(state.falls[episode.level - 1] + rule.clear_for)
        if episode.stirred:
            times.append(episode.changed + rule.update_interval)
    return max(state.at, min(times)) if times else None


def settle(state: DyadState, now: float, rule: Rule) -> tuple[DyadState, list[Alert]]:
    """The state as of ``now`` with every transition that fell due at or before it."""
    alerts: list[Alert] = []
    while (at := due(state, rule)) is not None and at <= now:
        state, transition = _step(sample(state, at, rule), rule)
        alerts.extend(transition)
    return (sample(state, now, rule) if now > state.at else state), alerts


def _step(state: DyadState, rule: Rule) -> tuple[DyadState, list[Alert]]:
    """Decide the one thing that is due at ``state.at``; whatever is decided, it is no longer due."""
    episode = state.episode
    if episode is not None and episode.rule != rule.name:
        state, resolved = _resolve(state, episode, rule)
        return watch_levels(state, rule), resolved
    ready = [
        level
        for level, since in enumerate(state.held, 1)
        if since is not None and level > open_level(state) and since + rule.hold_for <= state.at
    ]
    if ready:
        return _climb(state, ready, rule)
    if episode is None:
        return state, []
    if state.falls[episode.level - 1] + rule.clear_for <= state.at:
        return _descend(state, episode, rule)
    return _refresh(state, episode, rule)


def _climb(state: DyadState, ready: list[int], rule: Rule) -> tuple[DyadState, list[Alert]]:
    """Raise, or go up: to the highest level that is ready and whose condition still holds."""
    met = condition(state, rule, state.at)
    holding = [level for level in ready if met[level - 1]]
    if not holding:
        held = tuple(None if level in ready else since for level, since in enumerate(state.held, 1))
        return replace(state, held=held), []
    if state.episode is not None:
        return _change(state, state.episode, holding[-1], rule)
    started = min(since for level in holding if (since := state.held[level - 1]) is not None)
    if state.started is not None and started <= state.started:
        started = state.started + LATER_S  # an alert's id is made of its start: no two have one
    state = replace(state, started=started)
    episode = Episode(
        alert_id=alert_id(rule.name, state.dyad, started),
        rule=rule.name,
        started=started,
        sequence=0,
        level=0,
        changed=state.at,
        score=0.0,
        told=(),
    )
    return _change(state, episode, holding[-1], rule)


def _descend(state: DyadState, episode: Episode, rule: Rule) -> tuple[DyadState, list[Alert]]:
    """Go down to the highest lower level that has not cleared as well, or resolve."""
    staying = [
        level
        for level in range(1, episode.level)
        if math.isfinite(rule.clears[level - 1]) and state.falls[level - 1] + rule.clear_for > state.at
    ]
    if not staying:
        return _resolve(state, episode, rule)
    held = tuple(since if level <= staying[-1] else None for level, since in enumerate(state.held, 1))
    return _change(replace(state, held=held), episode, staying[-1], rule)


def _refresh(state: DyadState, episode: Episode, rule: Rule) -> tuple[DyadState, list[Alert]]:
    """Update if there is something to tell: a new kind of event, an amount that grew, or a score that moved."""
    moved = abs(state.score(state.at) - episode.score) >= rule.update_change * max(episode.score, 1.0)
    if moved or episode.grown or not set(material_types(state)) <= set(episode.told):
        return _change(state, episode, episode.level, rule)
    return replace(state, episode=replace(episode, stirred=False)), []


def material_types(state: DyadState) -> tuple[str, ...]:
    """The escalating event types that carry a tenth of the score or more, in alphabetical order."""
    shares: defaultdict[str, float] = defaultdict(float)
    for story in state.stories:
        for strand in story.strands:
            shares[strand.kind.partition("/")[0]] += strand.weight
    return tuple(sorted(name for name, weight in shares.items() if 0 < MATERIAL_SHARE * state.total <= weight))


def _change(state: DyadState, before: Episode, level: int, rule: Rule) -> tuple[DyadState, list[Alert]]:
    """The episode goes on at ``level``: its first transition, or an update."""
    episode = replace(
        before,
        sequence=before.sequence + 1,
        level=level,
        changed=state.at,
        score=state.score(state.at),
        told=tuple(sorted({*before.told, *material_types(state)})),
        stirred=False,
        grown=False,
        labels=dict(rule.labels),
    )
    state = replace(state, episode=episode)
    transition = Transition.RAISED if before.sequence == 0 else Transition.UPDATED
    return state, [explain(state, episode, before.level, transition, rule)]


def remark(state: DyadState, rule: Rule) -> tuple[DyadState, list[Alert]]:
    """An update that tells the open alert again as it stands, for whoever may not have heard of it."""
    return (state, []) if state.episode is None else _change(state, state.episode, state.episode.level, rule)


def _resolve(state: DyadState, before: Episode, rule: Rule) -> tuple[DyadState, list[Alert]]:
    """The episode ends."""
    muted = None if before.announced else before.muted  # whoever heard it begin shall hear it end
    episode = replace(before, sequence=before.sequence + 1, level=0, muted=muted)
    alert = explain(state, episode, before.level, Transition.RESOLVED, rule)
    return replace(state, episode=None, held=(None, None, None)), [alert]
