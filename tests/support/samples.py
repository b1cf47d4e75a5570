"""Records for tests: complete, valid, and easy to vary with keyword arguments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from pipeline.records import (
    Alert,
    AlertEvidence,
    Article,
    Dyad,
    EventType,
    Evidence,
    Level,
    Modality,
    Party,
    Polarity,
    Severity,
    Signal,
    Transition,
    Trend,
)
from pipeline.records.signal import Extractor

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
SENTENCE = "Arvia moved 4,000 troops to the border with Brenn."


def article(**changes: Any) -> Article:
    """A valid article."""
    base = Article(
        article_id="a" * 32,
        url="https://wire.example/1",
        title="Arvia moves troops",
        text=SENTENCE,
        language="en",
        source="wire.example",
        feed="wire",
        published_at=NOON,
        fetched_at=NOON,
        observed_at=NOON,
        content_hash="c" * 32,
    )
    return msgspec.structs.replace(base, **changes)


def signal(**changes: Any) -> Signal:
    """A valid signal: an asserted deployment of Russia against Ukraine."""
    base = Signal(
        signal_id="5" * 32,
        article_id="a" * 32,
        url="https://wire.example/1",
        source="wire.example",
        published_at=NOON,
        observed_at=NOON,
        event_type=EventType.DEPLOYMENT,
        modality=Modality.ASSERTED,
        active=True,
        polarity=Polarity.ESCALATORY,
        actors=(Party(text="Russia", code="RUS", span=(0, 5), resolved_by="name"),),
        recipients=(Party(text="Ukraine", code="UKR", span=(44, 49), resolved_by="name"),),
        dyads=("RUS-UKR",),
        location=None,
        magnitudes=(),
        condition=None,
        attribution=None,
        reported_by=None,
        evidence=Evidence(
            part="text",
            sentence=SENTENCE,
            sentence_span=(0, len(SENTENCE)),
            sentence_index=1,
            trigger="moved",
            trigger_span=(6, 11),
        ),
        confidence=0.8,
        severity=Severity(plover="MOBILIZE/troops", base=6.5, factors={}, score=6.5),
        extractor=Extractor(version="1", model="none"),
    )
    return msgspec.structs.replace(base, **changes)


def alert(**changes: Any) -> Alert:
    """A valid raised alert."""
    evidence = AlertEvidence(
        signal_id="5" * 32,
        article_id="a" * 32,
        url="https://wire.example/1",
        source="wire.example",
        published_at=NOON,
        event_type=EventType.DEPLOYMENT,
        modality=Modality.ASSERTED,
        sentence=SENTENCE,
        part="text",
        trigger="moved",
        trigger_span=(6, 11),
        weight=6.5,
    )
    base = Alert(
        alert_id="e" * 32,
        sequence=1,
        transition=Transition.RAISED,
        level=Level.WATCH,
        previous_level=Level.CALM,
        dyad="RUS-UKR",
        rule="escalation",
        rule_version="0" * 12,
        at=NOON,
        started_at=NOON,
        score=12.0,
        baseline=1.0,
        factors={},
        sources=3,
        stories=2,
        signals={"deployment/asserted": 2},
        evidence=(evidence,),
        summary="RUS-UKR watch",
    )
    return msgspec.structs.replace(base, **changes)


def dyad(**changes: Any) -> Dyad:
    """A valid dyad."""
    base = Dyad(
        dyad="RUS-UKR",
        at=NOON,
        score=12.0,
        baseline=1.0,
        level=Level.WATCH,
        trend=Trend.RISING,
        history=(0.0, 12.0),
        evidence=(),
        open_alert="e" * 32,
        state=msgspec.Raw(b"{}"),
    )
    return msgspec.structs.replace(base, **changes)
