"""Dyad: how things stand between two actors, and the state that scoring restarts from."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from pipeline.records.alert import AlertEvidence
from pipeline.records.base import Record, Time
from pipeline.records.vocabulary import Level

NOBODY = "*-*"
"""Key of signals that name neither side; they are published, and never scored."""


class Trend(StrEnum):
    """Where the score goes, against a day before."""

    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"


class Dyad(Record, frozen=True, kw_only=True):
    """How things stand, as of ``at``.

    Attributes:
        dyad: Key: two codes in alphabetical order with a hyphen; ``*`` for a side that is not named.
        at: Event time of score and level (UTC).
        score, baseline, level, trend: At that time.
        history: Latest scores, oldest first, one for each step of the score's history: for sparklines.
        evidence: The heaviest signals, at most five.
        open_alert: Id of the open alert; of several the one of the highest level.
        open_alerts: Ids of all that are open.
        state: What scoring restarts from: opaque, its shape is not part of the contract.
        drill: True for a dyad of the drill.
    """

    dyad: str
    at: Time
    score: float
    baseline: float
    level: Level
    trend: Trend
    history: tuple[float, ...]
    evidence: tuple[AlertEvidence, ...]
    open_alert: str | None
    state: msgspec.Raw
    open_alerts: tuple[str, ...] = ()
    drill: bool = False


def dyad_key(one: str | None, other: str | None) -> str:
    """Key of the unordered pair; None is a side that is not named. ``*`` sorts first, so a key reads ``*-RUS``."""
    first, second = sorted((one or "*", other or "*"))
    return f"{first}-{second}"
