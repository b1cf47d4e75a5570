"""The book: every dyad of the service, and what of it has to be told since it was last asked."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from config.alerts import AlertRules, Rule
from config.errors import BrinkwatchError
from pipeline.records import Alert, Dyad, Level, Signal
from pipeline.scoring.explain import LAST, LEVEL, describe, moment, since_epoch
from pipeline.scoring.score import NO_RULE, Outcome, adopt, advance, apply, fresh, next_look, recover
from pipeline.scoring.silence import ids_age, is_silent
from pipeline.scoring.state import STATE_VERSION, DyadState


class StateError(BrinkwatchError):
    """A stored dyad from which scoring can't restart."""


class Book:
    """Holds the state of every dyad and the times at which each is to be looked at.

    It decides nothing itself: see ``score``. Not safe for use from several threads.

    Args:
        rules: The alert rules, and which outlets have one owner.
    """

    def __init__(self, rules: AlertRules) -> None:
        self._rules = rules
        self._owners = rules.owner_of
        self._states: dict[str, DyadState] = {}
        self._ruled: dict[tuple[str, bool], Rule] = {}
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._alerts: list[Alert] = []
        self._changed: dict[str, None] = {}
        self._forgotten: dict[str, None] = {}

    def restore(self, dyads: Iterable[Dyad]) -> None:
        """Take over stored dyads; of several of one key the last counts.

        Raises:
            StateError: A state can't be read, or is of another version.
        """
        for dyad in dyads:
            try:
                state = msgspec.json.decode(dyad.state, type=DyadState)
            except msgspec.DecodeError as error:
                raise StateError(f"restoring the scores failed: dyad {dyad.dyad}: {error}") from None
            if state.version != STATE_VERSION or state.dyad != dyad.dyad:
                found = f"a state of version {state.version} for {state.dyad}"
                raise StateError(
                    f"restoring the scores failed: dyad {dyad.dyad}: {found}, version {STATE_VERSION} is read"
                )
            self._states[dyad.dyad] = state = adopt(state, self._rule(state.dyad, drill=state.drill))
            self._look(state)

    def set_back(self, dyad: str, to: datetime) -> None:
        """Start a dyad anew at ``to``, if its time lies ahead of that: else it would be deaf until then.

        For one that a false time took along. Its open alert is resolved, and the ids that it counted stay known.
        """
        state, at = self._states[dyad], since_epoch(to)
        if state.at > at:
            self._keep(*recover(state, at, self._rule(dyad, drill=state.drill)))

    def apply(self, dyad: str, signal: Signal) -> Outcome:
        """Take a signal in for one of its dyads. A signal that was counted before changes nothing.

        A real signal takes a dyad over from the drill, and it starts anew; a signal of the drill never counts on a real
        dyad.
        """
        state = self._recall(dyad, since_epoch(signal.observed_at))
        if state is None or (state.drill and not signal.drill):
            state = self._start(dyad, signal, state)
        rule = self._rule(dyad, drill=state.drill)
        state, alerts, outcome = apply(state, signal, rule, self._owners)
        if outcome != "repeated":
            self._keep(state, alerts)
        return outcome

    def advance(self, now: datetime) -> None:
        """Let time pass for every dyad that has something due at or before ``now``; forget those that fell silent."""
        until = since_epoch(now)
        alerts: list[Alert] = []
        while self._heap and self._heap[0][0] <= until:
            at, dyad = heapq.heappop(self._heap)
            if self._due.get(dyad) != at:
                continue
            state = self._states[dyad]
            state, more = advance(state, until, self._rule(dyad, drill=state.drill))
            alerts += more
            if is_silent(state):
                self._forget(dyad)
            else:
                self._keep(state, [])
        self._alerts += sorted(alerts, key=lambda alert: alert.at)

    def drain(self) -> tuple[list[Alert], list[Dyad], list[str]]:
        """What happened since the last call.

        Returns:
            The transitions in order; each dyad that changed, as it is now; the keys of those that are forgotten.
        """
        alerts, self._alerts = self._alerts, []
        dyads = [describe(self._states[dyad]) for dyad in self._changed]
        forgotten = list(self._forgotten)
        self._changed, self._forgotten = {}, {}
        return alerts, dyads, forgotten

    def next_due(self) -> datetime | None:
        """When ``advance`` next has something to do; None while there is no dyad, or if it is after the year 9999."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap or (at := self._heap[0][0]) > LAST:
            return None
        due = moment(at)
        return due if since_epoch(due) >= at else due + timedelta(microseconds=1)  # never before ``advance`` acts on it

    def open_by_level(self) -> dict[Level, int]:
        """Open alerts of each level, calm left out."""
        levels = [state.episode.level for state in self._states.values() if state.episode is not None]
        return {level: levels.count(level.rank) for level in LEVEL[1:]}

    def dyads(self) -> list[Dyad]:
        """Every dyad that is not forgotten, as it stands, in alphabetical order."""
        return [describe(self._states[dyad]) for dyad in sorted(self._states)]

    def __len__(self) -> int:
        return len(self._states)

    def _recall(self, dyad: str, at: float) -> DyadState | None:
        """The dyad's state; None where it is silent by ``at``, whether or not somebody looked in the meantime."""
        state = self._states.get(dyad)
        if state is None or at < ids_age(state):
            return state
        later, alerts = advance(state, at, self._rule(dyad, drill=state.drill))
        if not is_silent(later):
            return state
        self._alerts += alerts
        self._forget(dyad)
        return None

    def _forget(self, dyad: str) -> None:
        drill = self._states.pop(dyad).drill
        self._due.pop(dyad, None)
        self._ruled.pop((dyad, drill), None)
        self._changed.pop(dyad, None)
        self._forgotten[dyad] = None

    def _start(self, dyad: str, signal: Signal, before: DyadState | None) -> DyadState:
        at = since_epoch(signal.observed_at)
        if before is not None:
            at = max(at, before.at)
            before, alerts = advance(before, at, NO_RULE)  # of another name, so what the drill left open is resolved
            self._alerts += alerts
        return fresh(dyad, at, self._rule(dyad, drill=signal.drill), drill=signal.drill)

    def _rule(self, dyad: str, *, drill: bool) -> Rule:
        rule = self._ruled.get((dyad, drill))
        if rule is None:
            rule = self._ruled[dyad, drill] = self._rules.pick(dyad, drill=drill) or NO_RULE
        return rule

    def _keep(self, state: DyadState, alerts: list[Alert]) -> None:
        self._states[state.dyad] = state
        self._changed[state.dyad] = None
        self._forgotten.pop(state.dyad, None)
        self._alerts += alerts
        self._look(state)

    def _look(self, state: DyadState) -> None:
        at = next_look(state, self._rule(state.dyad, drill=state.drill))
        if self._due.get(state.dyad) != at:
            self._due[state.dyad] = at
            heapq.heappush(self._heap, (at, state.dyad))
