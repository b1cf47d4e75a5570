"""The closed sets of words that records use. They are public: a new member is a new minor version."""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    """What is done, threatened, feared or denied. Definitions: docs/reference/codebook.md."""

    DEPLOYMENT = "deployment"
    EXERCISE = "exercise"
    MOBILIZATION = "mobilization"
    FORCE = "force"
    SANCTION = "sanction"
    SANCTION_RELIEF = "sanction_relief"
    DEMAND = "demand"
    ARMS_SUPPLY = "arms_supply"
    RUPTURE = "rupture"
    TALKS = "talks"
    WITHDRAWAL = "withdrawal"
    CEASEFIRE = "ceasefire"
    INCIDENT = "incident"
    WEAPONS_TEST = "weapons_test"
    EVACUATION = "evacuation"


class Modality(StrEnum):
    """In what way the sentence holds the event to be true."""

    ASSERTED = "asserted"
    PLANNED = "planned"
    THREATENED = "threatened"
    CONDITIONAL = "conditional"
    SPECULATIVE = "speculative"
    DEMANDED = "demanded"
    NEGATED = "negated"
    HISTORICAL = "historical"


class Polarity(StrEnum):
    """Whether the event, if active, raises or lowers a score."""

    ESCALATORY = "escalatory"
    DEESCALATORY = "de-escalatory"


class Level(StrEnum):
    """How far a dyad has risen. Ordered: see ``rank``."""

    CALM = "calm"
    WATCH = "watch"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for calm to 3 for critical."""
        return list(Level).index(self)
