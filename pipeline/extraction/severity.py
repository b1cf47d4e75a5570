"""Severity: how grave an event is, on PLOVER's scale turned round: positive escalates, negative calms.

Weights: the PLOVER event table (talks +2.5, ceasefire +7.5, withdrawal +8, rejection -2, threat -3.5, mobilization
-5.5, troops -6.5, sanction -6, coercion -7, assault -9, with heavy weapons -9.5), signs turned. Military aid, +10
there, escalates here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.records import EventType, Magnitude, Modality, Polarity, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

BASE = {
    EventType.FORCE: 9.0,
    EventType.RUPTURE: 7.0,
    EventType.INCIDENT: 7.0,
    EventType.DEPLOYMENT: 6.5,
    EventType.MOBILIZATION: 6.5,
    EventType.EXERCISE: 5.5,
    EventType.WEAPONS_TEST: 6.0,
    EventType.SANCTION: 6.0,
    EventType.ARMS_SUPPLY: 5.5,
    EventType.DEMAND: 4.0,
    EventType.EVACUATION: 4.0,
    EventType.TALKS: -2.5,
    EventType.SANCTION_RELIEF: -5.0,
    EventType.CEASEFIRE: -7.5,
    EventType.WITHDRAWAL: -8.0,
}
PLOVER = {
    EventType.FORCE: "ASSAULT",
    EventType.RUPTURE: "COERCE/reduce",
    EventType.INCIDENT: "COERCE/restrict",
    EventType.DEPLOYMENT: "MOBILIZE/troops",
    EventType.MOBILIZATION: "MOBILIZE",
    EventType.EXERCISE: "MOBILIZE/troops",
    EventType.WEAPONS_TEST: "MOBILIZE/weapons",
    EventType.SANCTION: "SANCTION",
    EventType.ARMS_SUPPLY: "AID/military",
    EventType.DEMAND: "DEMAND",
    EventType.EVACUATION: "RETREAT/evacuate",
    EventType.TALKS: "CONSULT",
    EventType.SANCTION_RELIEF: "CONCEDE/ease",
    EventType.CEASEFIRE: "AGREE/ceasefire",
    EventType.WITHDRAWAL: "RETREAT/withdraw",
}
"""The code of a type, where no rule names a finer one."""
HEAVY = 9.5
ULTIMATUM = 5.5
THREAT = 3.5
THREAT_OF_FORCE = 4.5
REJECTION = 2.0
HEAVY_WORDS = frozenset(
    {
        "air",
        "airstrike",
        "drone",
        "missile",
        "rocket",
        "artillery",
        "shell",
        "bombardment",
        "shelling",
        "bombing",
        "ballistic",
        "cruise",
        "aerial",
        "bomb",
        "bombard",
        "nuclear",
        "tank",
    }
)
PLANNED = 0.6
INACTIVE = 0.25
DEMANDED = 0.5
LOG_SHARE = 0.1
MAX_MAGNITUDE = 1.6
_VAGUE = {
    "dozens": 36.0,
    "hundreds": 300.0,
    "thousands": 3_000.0,
    "tens_of_thousands": 30_000.0,
    "hundreds_of_thousands": 300_000.0,
}
_MONEY = frozenset({"dollars", "euros", "pounds"})
_MONEY_UNIT = 1e6
CALMING = frozenset({EventType.TALKS, EventType.SANCTION_RELIEF, EventType.CEASEFIRE, EventType.WITHDRAWAL})
_THREATS = {
    EventType.FORCE: "THREATEN/violence",
    EventType.SANCTION: "THREATEN/restrict",
    EventType.RUPTURE: "THREATEN/restrict",
}


def polarity(kind: EventType) -> Polarity:
    """Whether the event, if it is real, calms."""
    return Polarity.DEESCALATORY if kind in CALMING else Polarity.ESCALATORY


def severity(
    kind: EventType, modality: Modality, plover: str, words: frozenset[str], magnitudes: Sequence[Magnitude]
) -> Severity:
    """How grave the event is.

    Args:
        kind: The event's type.
        modality: In what way it is held to be true: a threat weighs as a threat, not as the deed.
        plover: PLOVER code of the deed.
        words: Lemmas of the trigger and its modifiers, by which heavy weapons are known.
        magnitudes: How much.
    """
    code, base = _coded(kind, modality, plover, words)
    factors = {"modality": _modality_factor(modality), "magnitude": magnitude_factor(magnitudes)}
    score = base * math.prod(factors.values())
    return Severity(plover=code, base=base, factors=factors, score=round(score, 3))


def _coded(kind: EventType, modality: Modality, plover: str, words: frozenset[str]) -> tuple[str, float]:
    base = BASE[kind]
    if kind is EventType.FORCE and (words & HEAVY_WORDS or plover.endswith(("/aerial", "/heavyweapons"))):
        base, plover = HEAVY, plover if "/" in plover else plover + "/heavyweapons"
    if plover == "DEMAND/ultimatum":
        base = ULTIMATUM
    if modality is Modality.NEGATED and kind in CALMING:
        return "REJECT", REJECTION
    if modality in {Modality.THREATENED, Modality.CONDITIONAL} and kind not in CALMING:
        threat = THREAT_OF_FORCE if kind is EventType.FORCE else THREAT
        return _THREATS.get(kind, "THREATEN"), min(base, threat)
    return plover, base


def _modality_factor(modality: Modality) -> float:
    if modality is Modality.PLANNED:
        return PLANNED
    if modality is Modality.DEMANDED:
        return DEMANDED
    return INACTIVE if modality in {Modality.SPECULATIVE, Modality.NEGATED, Modality.HISTORICAL} else 1.0


def magnitude_factor(magnitudes: Sequence[Magnitude]) -> float:
    """1 for one or an unknown number, more by a tenth for each power of ten, at most 1.6; money counts in millions."""
    largest = max((_size(m) for m in magnitudes), default=1.0)
    return round(min(1.0 + LOG_SHARE * math.log10(max(largest, 1.0)), MAX_MAGNITUDE), 3)


def _size(magnitude: Magnitude) -> float:
    value = magnitude.value if magnitude.value is not None else _VAGUE.get(magnitude.comparator, 1.0)
    return value / _MONEY_UNIT if magnitude.unit in _MONEY else value
