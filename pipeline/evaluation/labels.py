"""Labels: the names by which gold rows call events, and which of them a signal answers to.

Gold rows may use our event types, or the categories of news gold sets, which tell a threat from the deed: a strike
that is held out is ``threat_of_force``, a sanction that is not yet imposed is ``sanction_threat``.
"""

from __future__ import annotations

from enum import StrEnum

from pipeline.records import EventType, Modality

_HELD_OUT = frozenset({Modality.THREATENED, Modality.CONDITIONAL})
_NOT_YET = _HELD_OUT | {Modality.PLANNED, Modality.DEMANDED, Modality.SPECULATIVE}
_CATEGORIES = {
    EventType.DEPLOYMENT: "military_deployment",
    EventType.EXERCISE: "military_exercise",
    EventType.MOBILIZATION: "mobilization",
    EventType.DEMAND: "ultimatum_demand",
    EventType.RUPTURE: "diplomatic_rupture",
    EventType.ARMS_SUPPLY: "weapons_supply",
    EventType.TALKS: "deescalation",
    EventType.WITHDRAWAL: "deescalation",
    EventType.CEASEFIRE: "deescalation",
    EventType.SANCTION_RELIEF: "deescalation",
    EventType.INCIDENT: "incident",
    EventType.WEAPONS_TEST: "weapons_test",
    EventType.EVACUATION: "evacuation_advisory",
}
_SPLIT = {
    EventType.FORCE: (_HELD_OUT, "threat_of_force", "attack"),
    EventType.SANCTION: (_NOT_YET, "sanction_threat", "sanction_imposed"),
}


class Scheme(StrEnum):
    """Which names a file of gold rows uses."""

    TYPES = "event types"
    CATEGORIES = "categories"


TYPES = frozenset(str(kind) for kind in EventType)
CATEGORIES = frozenset({*_CATEGORIES.values(), *(name for _, *names in _SPLIT.values() for name in names)})
NAMES = {Scheme.TYPES: TYPES, Scheme.CATEGORIES: CATEGORIES}


def label(kind: EventType, modality: Modality, scheme: Scheme) -> str:
    """What ``scheme`` calls an event of this type and modality."""
    if scheme is Scheme.TYPES:
        return str(kind)
    if kind in _SPLIT:
        prospective, threat, deed = _SPLIT[kind]
        return threat if modality in prospective else deed
    return _CATEGORIES[kind]
