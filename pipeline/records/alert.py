"""Alert: one transition of one episode of one dyad under one rule, and its whole explanation."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from pipeline.records.base import Part, Record, Time
from pipeline.records.signal import Span, TextPart
from pipeline.records.vocabulary import EventType, Level, Modality


class Transition(StrEnum):
    """What happened to the alert."""

    RAISED = "raised"
    UPDATED = "updated"
    RESOLVED = "resolved"


class AlertEvidence(Part, frozen=True, kw_only=True):
    """One signal that weighs in the score.

    Attributes:
        weight: What it adds to the score at the alert's time (negative: lowers).
        sources: Independent sources that carried the story.
        trigger_span: Place of the trigger inside ``sentence`` (not in the article).
        factors: What ``weight`` is the product of, by name, before it decayed and without the factor of sources:
            ``severity``, ``confidence``, ``flow`` (how much news comes in), ``growth`` (more than was told before).
    """

    signal_id: str
    article_id: str
    url: str
    source: str
    published_at: Time
    event_type: EventType
    modality: Modality
    sentence: str
    part: TextPart
    trigger: str
    trigger_span: Span
    weight: float
    sources: int = 1
    factors: dict[str, float] = msgspec.field(default_factory=dict)


class Alert(Record, frozen=True, kw_only=True):
    """One transition.

    Attributes:
        alert_id: 32 hex digits: hash of rule, dyad and the episode's start; a repeat is known by id and sequence.
        sequence: 1 for raised, then one more for each transition.
        transition, level, previous_level: What happened.
        dyad: Such as ``RUS-UKR``.
        rule, rule_version: What raised it; the version is a hash of the rule.
        at: Event time of the transition (UTC), not the clock's.
        started_at: Event time at which the episode began.
        score, baseline: At that time.
        factors: What made the score, by name.
        sources, stories: How many independent sources and distinct stories the window holds.
        signals: Active signals in the window by ``type/modality``.
        evidence: The heaviest signals, at most ten, heaviest first.
        summary: One line for a person.
        magnitudes: The largest amount of each unit that active signals told of lately, such as troops.
        labels: The rule's own, by which consumers route.
        annotations: The rule's texts for a person, filled in.
        muted: Why nobody is to be told: the silence, or the alert that inhibits it; None if it is for everybody.
        drill: True if any evidence is of the drill.
    """

    alert_id: str
    sequence: int
    transition: Transition
    level: Level
    previous_level: Level
    dyad: str
    rule: str
    rule_version: str
    at: Time
    started_at: Time
    score: float
    baseline: float
    factors: dict[str, float]
    sources: int
    stories: int
    signals: dict[str, int]
    evidence: tuple[AlertEvidence, ...]
    summary: str
    magnitudes: dict[str, float] = msgspec.field(default_factory=dict)
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    muted: str | None = None
    drill: bool = False
