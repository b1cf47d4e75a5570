"""Tracks: one dyad under each of the rules that watch it. Pure functions of the tracks, in the records' own time.

Every rule scores the dyad for itself, from the signals that it weighs. The first one's track takes note of every signal
and is what the dyad shows; another's begins with the first signal that counts for it. What falls due is settled in the
order of time across the tracks, so that who mutes whom does not depend on who looked when.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec.structs import replace

from config.alerts import AlertRules, Rule
from pipeline.records import Alert, Signal, Transition
from pipeline.scoring import day, score
from pipeline.scoring.episode import due, remark
from pipeline.scoring.explain import since_epoch
from pipeline.scoring.memory import is_known, sample
from pipeline.scoring.score import NO_RULE, Outcome
from pipeline.scoring.silence import ids_age, is_silent
from pipeline.scoring.state import DyadState

Tracks = dict[str, DyadState]
"""A state by the name of its rule."""
Rules = Sequence[Rule]
"""The rules that watch a dyad, in the file's order; at least one."""
Moved = tuple[Tracks, list[Alert]]


def watching(rules: AlertRules, dyad: str, *, drill: bool) -> Rules:
    """The rules for a dyad; the one that never raises where no scope covers it."""
    return rules.covering(dyad, drill=drill) or (NO_RULE,)


def started(dyad: str, at: float, watched: Rules, *, drill: bool) -> Tracks:
    """A dyad of which nothing is known before ``at``."""
    return {watched[0].name: score.fresh(dyad, at, watched[0], drill=drill)}


def apply(tracks: Tracks, signal: Signal, watched: Rules, rules: AlertRules) -> tuple[Tracks, list[Alert], Outcome]:
    """Take a signal in on every track that weighs it; one that was counted before changes nothing at all.

    Returns:
        The tracks, the transitions in order, and what became of the signal: on the first track, or wherever it counted.
    """
    first = tracks[watched[0].name]
    if is_known(first.ids, signal.signal_id):
        return tracks, [], "repeated"
    at = max(since_epoch(signal.observed_at), first.at)
    alerts: list[Alert] = []
    if len(tracks) > 1 or rules.silences:  # one track alone settles what is due before it takes the signal in
        following = _following(tracks, watched, rules)
        if following is not None and following <= at:
            tracks, alerts = advance(tracks, at, watched, rules)
        tracks = _awake(tracks, at, watched)
    outcome: Outcome = "inactive"
    moved: list[Alert] = []
    for rule in watched:
        if rule is not watched[0] and not score.counts(rule, signal):
            continue
        state = tracks.get(rule.name) or score.fresh(first.dyad, at, rule, drill=first.drill)
        take = score.take if rule is watched[0] else score.apply  # the first track does not know it: that was asked
        state, more, became = take(state, signal, rule, rules.owner_of)
        outcome = became if became == "applied" else outcome
        tracks = {**tracks, rule.name: state}
        moved += more
    if outcome == "applied":
        first = tracks[watched[0].name]
        tracks = {**tracks, watched[0].name: replace(first, day=day.noted(first.day, signal, first.at))}
    if moved:  # what mutes changes with a transition, or where a silence begins or ends, which falls due
        tracks, moved = _told(tracks, moved, at, watched, rules)
    return tracks, alerts + moved, outcome


def advance(tracks: Tracks, until: float, watched: Rules, rules: AlertRules) -> Moved:
    """Let time pass up to ``until``: what falls due at or before it, in order of time, stamped with its due time."""
    alerts: list[Alert] = []
    while (at := _following(tracks, watched, rules)) is not None and at <= until:
        moved: list[Alert] = []
        for rule in watched:
            if (state := tracks.get(rule.name)) is not None:
                state, more = score.advance(state, max(at, state.at), rule)
                tracks = {**tracks, rule.name: state}
                moved += more
        tracks, moved = _told(tracks, moved, at, watched, rules)
        alerts += moved
    passed = {name: score.advance(state, until, _rule(name, watched))[0] for name, state in tracks.items()}
    return _awake(passed, until, watched), alerts


def _awake(tracks: Tracks, at: float, watched: Rules) -> Tracks:
    """The tracks without those, the first aside, that are silent by ``at``, whether or not somebody looked before."""
    first = watched[0].name
    if all(name == first or at < ids_age(state) for name, state in tracks.items()):
        return tracks
    later = {name: score.advance(state, at, _rule(name, watched))[0] for name, state in tracks.items()}
    return {name: tracks[name] for name, state in later.items() if name == first or not is_silent(state)}


def next_look(tracks: Tracks, watched: Rules, rules: AlertRules) -> float:
    """When to advance the dyad if no signal comes before."""
    looks = [score.next_look(state, _rule(name, watched)) for name, state in tracks.items()]
    return min(*looks, *(rules.next_bound(state.at) for state in tracks.values() if state.episode), math.inf)


def under(tracks: Tracks, watched: Rules, rules: AlertRules) -> Moved:
    """The tracks under changed rules, silences and inhibition.

    A rule that is gone resolves its alert and its track ends; if it was the first, the new first one takes its track
    over. Another rule that comes first starts anew, and knows what was counted. A rule that stays takes its track on
    with its new figures: see ``score.adopt``.
    """
    first, before = watched[0], next(iter(tracks.values()))
    alerts: list[Alert] = []
    ending = {name: state for name, state in tracks.items() if not any(rule.name == name for rule in watched)}
    for name, state in ending.items():
        ending[name], resolved = score.advance(state, state.at, NO_RULE)
        alerts += resolved
    taken = tracks.get(first.name) or ending.get(next(iter(tracks)))
    taken = taken or score.fresh(before.dyad, before.at, first, drill=before.drill)
    kept = {first.name: replace(score.adopt(taken, first), ids=before.ids, day=before.day)}
    for rule in watched[1:]:
        if rule.name in tracks:
            kept[rule.name] = score.adopt(tracks[rule.name], rule)
    kept, again = _remuted(kept, max(state.at for state in kept.values()), watched, rules)
    return kept, alerts + again


def ended(tracks: Tracks, at: float, watched: Rules, rules: AlertRules) -> list[Alert]:
    """What a dyad that starts anew at ``at`` leaves behind: what was due until then, and the end of what is open."""
    tracks, alerts = advance(tracks, at, watched, rules)
    return [*alerts, *(alert for state in tracks.values() for alert in score.advance(state, state.at, NO_RULE)[1])]


def levels(tracks: Tracks) -> dict[str, int]:
    """The level of each open alert, 1 to 3, by its rule."""
    return {name: state.episode.level for name, state in tracks.items() if state.episode is not None}


def _rule(name: str, watched: Rules) -> Rule:
    for rule in watched:
        if rule.name == name:
            return rule
    return NO_RULE


def _following(tracks: Tracks, watched: Rules, rules: AlertRules) -> float | None:
    """When what comes next without a signal falls due: a transition, or a silence that begins or ends."""
    coming: list[float] = []
    for rule in watched:
        if (state := tracks.get(rule.name)) is None:
            continue
        state = score.adopt(state, rule)
        if (falls_due := due(state, rule)) is not None:
            coming.append(falls_due)
        if state.episode is not None and (bound := rules.next_bound(state.at)) < math.inf:
            coming.append(bound)
    return min(coming, default=None)


def _told(tracks: Tracks, alerts: list[Alert], at: float, watched: Rules, rules: AlertRules) -> Moved:
    """A moment's transitions with what mutes them, and updates of open alerts that become muted, or heard again."""
    told = [_muted(tracks, alert, watched, rules) for alert in alerts]
    for alert in told:
        tracks = _noted(tracks, alert)
    tracks, again = _remuted(tracks, at, watched, rules)
    return tracks, told + again


def _remuted(tracks: Tracks, at: float, watched: Rules, rules: AlertRules) -> Moved:
    """The tracks with an update of each open alert that is muted by now and was not, or the other way round."""
    told: list[Alert] = []
    for rule in watched:
        state = tracks.get(rule.name)
        if state is None or (episode := state.episode) is None:
            continue
        why = rules.muted(state.dyad, rule.name, episode.level, at, _others(tracks, rule.name, watched))
        if why == episode.muted:
            continue
        again: list[Alert] = []
        changed = replace(state, episode=replace(episode, muted=why))
        if (why is None) is not (episode.muted is None):
            changed, again = remark(sample(changed, at, rule), rule)
        tracks = {**tracks, rule.name: changed}
        for alert in again:
            tracks = _noted(tracks, alert)
        told += again
    return tracks, told


def _others(tracks: Tracks, name: str, watched: Rules) -> dict[str, int]:
    """The levels of the other open alerts, in the order of the rules' file."""
    raised = levels(tracks)
    return {rule.name: raised[rule.name] for rule in watched if rule.name in raised and rule.name != name}


def _muted(tracks: Tracks, alert: Alert, watched: Rules, rules: AlertRules) -> Alert:
    """The transition with why nobody is to be told; the end of an alert is told to whoever heard of it."""
    if alert.transition is Transition.RESOLVED:
        return alert  # ``explain`` has put down what it was when it ended
    others = _others(tracks, alert.rule, watched)
    why = rules.muted(alert.dyad, alert.rule, alert.level.rank, since_epoch(alert.at), others)
    return alert if why == alert.muted else replace(alert, muted=why)


def _noted(tracks: Tracks, alert: Alert) -> Tracks:
    """The tracks with what was told of an alert in its episode."""
    state = tracks.get(alert.rule)
    if state is None or state.episode is None or state.episode.alert_id != alert.alert_id:
        return tracks
    announced = state.episode.announced or alert.muted is None
    episode = replace(state.episode, muted=alert.muted, announced=announced)
    return {**tracks, alert.rule: replace(state, episode=episode)}
