"""Episodes: the transitions of one alert put together, and when it stood at which level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import dropwhile

from pipeline.records import Alert, Level, Transition


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time (UTC).

    Attributes:
        begins: Its first moment.
        ends: Its last; None where it goes on.
    """

    begins: datetime
    ends: datetime | None = None

    def meets(self, other: Stretch) -> bool:
        """Whether there is a moment that lies in both."""
        begun = other.ends is None or self.begins <= other.ends
        return begun and (self.ends is None or other.begins <= self.ends)


@dataclass(frozen=True)
class Episode:
    """One alert from its first transition to its last so far.

    Attributes:
        alerts: Its transitions in order, at least one, the first of them no resolution.
    """

    alerts: tuple[Alert, ...]

    @property
    def first(self) -> Alert:
        """What raised it."""
        return self.alerts[0]

    @property
    def last(self) -> Alert:
        """Its latest transition."""
        return self.alerts[-1]

    @property
    def dyad(self) -> str:
        """Of which dyad."""
        return self.first.dyad

    @property
    def is_open(self) -> bool:
        """Whether nothing resolved it."""
        return self.last.transition is not Transition.RESOLVED

    @cached_property
    def peak(self) -> Alert:
        """The transition at its highest level; of several the one of the highest score, then the earliest."""
        return max(self.alerts, key=lambda alert: (alert.level.rank, alert.score, -alert.sequence))

    @property
    def whole(self) -> Stretch:
        """From its raising to its end."""
        return Stretch(self.first.at, None if self.is_open else self.last.at)

    def stretches(self, level: Level) -> Iterator[Stretch]:
        """When it stood at ``level`` or above, in order of time; ``level`` is none below watch."""
        since: datetime | None = None
        for alert in self.alerts:
            if alert.level.rank >= level.rank and since is None:
                since = alert.at
            elif alert.level.rank < level.rank and since is not None:
                yield Stretch(since, alert.at)
                since = None
        if since is not None:
            yield Stretch(since)


def episodes(alerts: Iterable[Alert]) -> list[Episode]:
    """The episodes that somebody was told of, in order of time. What is muted until its end is none.

    Args:
        alerts: Transitions in any order; of repeats one counts.
    """
    known: defaultdict[str, dict[int, Alert]] = defaultdict(dict)
    for alert in alerts:
        known[alert.alert_id][alert.sequence] = alert
    told = (tuple(dropwhile(_is_unheard, (each[number] for number in sorted(each)))) for each in known.values())
    found = [Episode(each) for each in told if each]
    return sorted(found, key=lambda each: (each.first.at, each.dyad, each.first.alert_id))


def _is_unheard(alert: Alert) -> bool:
    return alert.muted is not None or alert.transition is Transition.RESOLVED
