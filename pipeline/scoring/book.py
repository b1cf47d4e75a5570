"""The book: every dyad of the service, and what of it has to be told since it was last asked."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime, timedelta

from config.alerts import AlertRules
from pipeline.records import Alert, Dyad, Level, Signal
from pipeline.scoring import score, tracks
from pipeline.scoring.explain import LAST, LEVEL, moment, since_epoch
from pipeline.scoring.score import Outcome
from pipeline.scoring.silence import ids_age, is_silent
from pipeline.scoring.stored import StateError, describe, restored
from pipeline.scoring.stories import article_token
from pipeline.scoring.survey import Scope, Survey, survey
from pipeline.scoring.tracks import Rules, Tracks

__all__ = ["Book", "StateError"]
MOST_STALE = 8
"""How many times more times than dyads the heap may hold before those that no longer count are thrown out."""


class Book:
    """Holds the tracks of every dyad and the times at which each is to be looked at.

    It decides nothing itself: see ``tracks`` and ``score``. Not safe for use from several threads.

    Args:
        rules: The alert rules, silences and inhibition, and which outlets have one owner.
    """

    def __init__(self, rules: AlertRules) -> None:
        self._rules = rules
        self._tracks: dict[str, Tracks] = {}
        self._watching: dict[tuple[str, bool], Rules] = {}
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._unlooked: set[str] = set()
        self._alerts: list[Alert] = []
        self._changed: dict[str, None] = {}
        self._forgotten: dict[str, None] = {}

    def restore(self, dyads: Iterable[Dyad]) -> None:
        """Take over stored dyads; of several of one key the last counts. Alerts of rules that are gone are resolved.

        Raises:
            StateError: A state can't be read, or is of another version.
        """
        for dyad in dyads:
            self._tracks[dyad.dyad] = restored(dyad)
            self._put_under(dyad.dyad)

    def reload(self, rules: AlertRules) -> None:
        """Go on under other rules, from each dyad's own time: see ``tracks.under``."""
        self._rules = rules
        self._watching.clear()
        for dyad in sorted(self._tracks):
            self._put_under(dyad)

    def set_back(self, dyad: str, to: datetime) -> None:
        """Start a dyad anew at ``to``, if its time lies ahead of that: else it would be deaf until then.

        For one that a false time took along. Its open alerts are resolved, and the ids that it counted stay known.
        """
        at, watched = since_epoch(to), self._watched(dyad)
        held = dict(self._tracks[dyad])
        for rule in watched:
            if rule.name in held and held[rule.name].at > at:
                held[rule.name], alerts = score.recover(held[rule.name], at, rule)
                self._keep(dyad, held, alerts)

    def apply(self, dyad: str, signal: Signal) -> Outcome:
        """Take a signal in for one of its dyads. A signal that was counted before changes nothing.

        A real signal takes a dyad over from the drill, and it starts anew; a signal of the drill never counts on a real
        dyad.
        """
        held = self._recall(dyad, since_epoch(signal.observed_at))
        if held is None or (_is_drill(held) and not signal.drill):
            held = self._start(dyad, signal, held)
        watched = self._watched_by(dyad, drill=_is_drill(held))
        held, alerts, outcome = tracks.apply(held, signal, watched, self._rules)
        if outcome != "repeated":
            self._keep(dyad, held, alerts)
        return outcome

    def retold(self, dyad: str, signal: Signal) -> bool:
        """Whether a signal that was just applied tells a story that another article had told."""
        article = article_token(signal.article_id)
        for state in self._tracks[dyad].values():
            if state.stories:
                articles = state.stories[-1].articles  # the story that was told last stands last
                if len(articles) > len(article) and article in articles:
                    return True
        return False

    def advance(self, now: datetime) -> None:
        """Let time pass for every dyad that has something due at or before ``now``; forget those that fell silent."""
        until = since_epoch(now)
        alerts: list[Alert] = []
        self._look_ahead()
        while self._heap and self._heap[0][0] <= until:
            at, dyad = heapq.heappop(self._heap)
            if self._due.get(dyad) != at:
                continue
            held, more = tracks.advance(self._tracks[dyad], until, self._watched(dyad), self._rules)
            alerts += more
            if all(is_silent(state) for state in held.values()):
                self._forget(dyad)
            else:
                self._keep(dyad, held, [])
                self._look_ahead()
        self._alerts += sorted(alerts, key=lambda alert: alert.at)

    def drain(self) -> tuple[list[Alert], list[Dyad], list[str]]:
        """What happened since the last call.

        Returns:
            The transitions in order; each dyad that changed, as it is now; the keys of those that are forgotten.
        """
        alerts, self._alerts = self._alerts, []
        dyads = [self._describe(dyad) for dyad in self._changed]
        forgotten = list(self._forgotten)
        self._changed, self._forgotten = {}, {}
        return alerts, dyads, forgotten

    def next_due(self) -> datetime | None:
        """When ``advance`` next has something to do; None while there is no dyad, or if it is after the year 9999."""
        self._look_ahead()
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap or (at := self._heap[0][0]) > LAST:
            return None
        due = moment(at)
        return due if since_epoch(due) >= at else due + timedelta(microseconds=1)  # never before ``advance`` acts on it

    def open_by_level(self) -> dict[Level, int]:
        """Open alerts of each level, calm left out."""
        levels = [level for held in self._tracks.values() for level in tracks.levels(held).values()]
        return {level: levels.count(level.rank) for level in LEVEL[1:]}

    def survey(self, scope: Scope, at: datetime | None) -> Survey:
        """How the dyads stand at event time ``at``; each at its own time where that is not known."""
        return survey(self._tracks, scope, None if at is None else since_epoch(at))

    def dyads(self) -> list[Dyad]:
        """Every dyad that is not forgotten, as it stands, in alphabetical order."""
        return [self._describe(dyad) for dyad in sorted(self._tracks)]

    def __len__(self) -> int:
        return len(self._tracks)

    def _describe(self, dyad: str) -> Dyad:
        return describe(self._tracks[dyad], self._watched(dyad))

    def _put_under(self, dyad: str) -> None:
        before = self._tracks[dyad]
        held, alerts = tracks.under(before, self._watched(dyad), self._rules)
        self._tracks[dyad] = held
        if alerts:
            self._keep(dyad, held, alerts)
        else:
            self._unlooked.add(dyad)

    def _recall(self, dyad: str, at: float) -> Tracks | None:
        """The dyad's tracks; None where all are silent by ``at``, whether or not somebody looked in the meantime."""
        held = self._tracks.get(dyad)
        if held is None or any(at < ids_age(state) for state in held.values()):
            return held
        later, alerts = tracks.advance(held, at, self._watched(dyad), self._rules)
        if not all(is_silent(state) for state in later.values()):
            return held
        self._alerts += alerts
        self._forget(dyad)
        return None

    def _forget(self, dyad: str) -> None:
        drill = _is_drill(self._tracks.pop(dyad))
        self._due.pop(dyad, None)
        self._unlooked.discard(dyad)
        self._watching.pop((dyad, drill), None)
        self._changed.pop(dyad, None)
        self._forgotten[dyad] = None

    def _start(self, dyad: str, signal: Signal, before: Tracks | None) -> Tracks:
        at = since_epoch(signal.observed_at)
        if before is not None:
            at = max(at, *(state.at for state in before.values()))
            self._alerts += tracks.ended(before, at, self._watched_by(dyad, drill=True), self._rules)
            self._watching.pop((dyad, True), None)
        watched = self._watched_by(dyad, drill=signal.drill)
        return tracks.started(dyad, at, watched, drill=signal.drill)

    def _watched(self, dyad: str) -> Rules:
        return self._watched_by(dyad, drill=_is_drill(self._tracks[dyad]))

    def _watched_by(self, dyad: str, *, drill: bool) -> Rules:
        watched = self._watching.get((dyad, drill))
        if watched is None:
            watched = self._watching[dyad, drill] = tracks.watching(self._rules, dyad, drill=drill)
        return watched

    def _keep(self, dyad: str, held: Tracks, alerts: list[Alert]) -> None:
        self._tracks[dyad] = held
        self._changed[dyad] = None
        self._forgotten.pop(dyad, None)
        self._alerts += alerts
        self._unlooked.add(dyad)

    def _look_ahead(self) -> None:
        """Find out when to look at each dyad that changed: once, however many signals changed it."""
        for dyad in sorted(self._unlooked):
            at = tracks.next_look(self._tracks[dyad], self._watched(dyad), self._rules)
            if self._due.get(dyad) != at:
                self._due[dyad] = at
                heapq.heappush(self._heap, (at, dyad))
        self._unlooked.clear()
        if len(self._heap) > MOST_STALE * (len(self._due) + MOST_STALE):
            self._heap = [(at, dyad) for dyad, at in self._due.items()]
            heapq.heapify(self._heap)


def _is_drill(held: Tracks) -> bool:
    return next(iter(held.values())).drill
