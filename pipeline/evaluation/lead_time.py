"""Lead time: alerts held against dated events. Which were told of, how long before, which were not, and what was false.

An event has a *window*: from ``horizon`` before it began until it was over (``horizon`` after it began, where that is
not said). It is *hit* by an episode of its dyad that stands, at the event's level or above, at some moment of the
window, and *missed* without one. The hit is *early* if that began before the event did, else *late*. An episode no
moment of which lies in a window of its dyad is a *false alarm*.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from pipeline.evaluation.episodes import Episode, Stretch
from pipeline.evaluation.truth import Event

HORIZON = timedelta(days=14)
MONTH = timedelta(days=30)


class Verdict(StrEnum):
    """What became of an event."""

    EARLY = "early"
    LATE = "late"
    MISSED = "missed"
    UNSEEN = "unseen"
    """Its window lies outside of what was replayed: nothing can be said."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An event, and what told of it.

    Attributes:
        event: The event.
        verdict: What became of it.
        episode: The earliest to hit it.
        reached: When that first stood at the event's level in the window, or before and stayed.
        lead: How long before the event's beginning, at most the horizon; negative: so long after.
    """

    event: Event
    verdict: Verdict
    episode: Episode | None = None
    reached: datetime | None = None
    lead: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """How the alerts of a replay did.

    Attributes:
        outcomes: One for each event, in order of time.
        episodes: How many there were.
        false_alarms: Those that no event covers, in order of time.
        dyads: How many dyads could have raised one.
        length: How long a time was replayed.
        horizon: How long before an event an alert counts.
    """

    outcomes: tuple[Outcome, ...]
    episodes: int
    false_alarms: tuple[Episode, ...]
    dyads: int
    length: timedelta
    horizon: timedelta

    def count(self, *verdicts: Verdict) -> int:
        """How many events came out as one of these."""
        return sum(outcome.verdict in verdicts for outcome in self.outcomes)

    @property
    def hits(self) -> int:
        """Events that were told of."""
        return self.count(Verdict.EARLY, Verdict.LATE)

    @property
    def median_lead(self) -> timedelta | None:
        """The median lead of the hits; None without one."""
        leads = [outcome.lead for outcome in self.outcomes if outcome.lead is not None]
        return timedelta(seconds=median(lead.total_seconds() for lead in leads)) if leads else None

    @property
    def false_per_month(self) -> float:
        """False alarms in 30 days; 0 where no time was replayed."""
        return len(self.false_alarms) * (MONTH / self.length) if self.length else 0.0

    @property
    def false_per_dyad_month(self) -> float:
        """False alarms in 30 days of one dyad."""
        return self.false_per_month / self.dyads if self.dyads else 0.0

    @property
    def false_by_dyad(self) -> dict[str, int]:
        """False alarms of each dyad that had some, most first."""
        counts = Counter(episode.dyad for episode in self.false_alarms)
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def window(event: Event, horizon: timedelta) -> Stretch:
    """When an alert counts as one of ``event``."""
    return Stretch(event.begins - horizon, event.until or event.begins + horizon)


def judge(
    episodes: Sequence[Episode],
    events: Iterable[Event],
    period: Stretch,
    dyads: Iterable[str],
    horizon: timedelta = HORIZON,
) -> Judged:
    """Hold episodes against events.

    Args:
        episodes: What was raised, in order of time.
        events: What happened.
        period: The time that was replayed; it has an end.
        dyads: Those that were heard of; those of episodes and events count as well.
        horizon: How long before an event an alert counts.
    """
    known = list(events)
    by_dyad: defaultdict[str, list[Episode]] = defaultdict(list)
    windows: defaultdict[str, list[Stretch]] = defaultdict(list)
    for episode in episodes:
        by_dyad[episode.dyad].append(episode)
    for event in known:
        windows[event.dyad].append(window(event, horizon))
    return Judged(
        outcomes=tuple(outcome(event, by_dyad[event.dyad], period, horizon) for event in known),
        episodes=len(episodes),
        false_alarms=tuple(each for each in episodes if not _is_covered(each, windows[each.dyad])),
        dyads=len({*dyads, *by_dyad, *windows}),
        length=(period.ends or period.begins) - period.begins,
        horizon=horizon,
    )


def outcome(event: Event, episodes: Iterable[Episode], period: Stretch, horizon: timedelta = HORIZON) -> Outcome:
    """What became of one event, given the episodes of its dyad."""
    told = window(event, horizon)
    if not told.meets(period):
        return Outcome(event, Verdict.UNSEEN)
    found = [
        (stretch.begins, episode)
        for episode in episodes
        for stretch in episode.stretches(event.level)
        if stretch.meets(told)
    ]
    if not found:
        return Outcome(event, Verdict.MISSED)
    reached, episode = min(found, key=lambda each: (each[0], each[1].first.alert_id))
    verdict = Verdict.EARLY if reached < event.begins else Verdict.LATE
    return Outcome(event, verdict, episode, reached, min(event.begins - reached, horizon))


def _is_covered(episode: Episode, windows: Iterable[Stretch]) -> bool:
    return any(episode.whole.meets(each) for each in windows)
