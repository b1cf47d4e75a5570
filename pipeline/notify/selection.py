"""Which alerts a receiver is told of."""

from __future__ import annotations

from config.receivers import Match
from config.rule import among
from pipeline.records import Alert, Level


def wants(match: Match, alert: Alert) -> bool:
    """Whether the transition is one to tell: by the higher of the levels it joins, so that a fall is heard too."""
    highest = max(alert.level, alert.previous_level, key=lambda level: level.rank)
    return reaches(match, highest) and concerns(match, alert)


def stands(match: Match, alert: Alert) -> bool:
    """Whether the alert, as it is now, is one that the receiver has to know as open."""
    return reaches(match, alert.level) and concerns(match, alert)


def reaches(match: Match, level: Level) -> bool:
    """Whether ``level`` is high enough."""
    return level.rank >= Level(match.level).rank


def concerns(match: Match, alert: Alert) -> bool:
    """Everything but the level: dyad, rule, labels, whether it is muted or a drill's."""
    if (alert.muted is not None and not match.muted) or (alert.drill and not match.drill):
        return False
    if match.rules and alert.rule not in match.rules:
        return False
    return among(alert.dyad, match.dyads) and match.labels.items() <= alert.labels.items()
