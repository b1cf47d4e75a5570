"""The values that cross topics: frozen, typed, and published as JSON Schema."""

from pipeline.records.alert import Alert, AlertEvidence, Transition
from pipeline.records.article import Article
from pipeline.records.codec import DecodeError, decode, encode
from pipeline.records.dyad import Dyad, Trend
from pipeline.records.flow import Flow
from pipeline.records.redriven import Redriven
from pipeline.records.signal import (
    Attribution,
    Cue,
    Evidence,
    Magnitude,
    Party,
    Place,
    Severity,
    Signal,
)
from pipeline.records.vocabulary import EventType, Level, Modality, Polarity

__all__ = [
    "Alert",
    "AlertEvidence",
    "Article",
    "Attribution",
    "Cue",
    "DecodeError",
    "Dyad",
    "EventType",
    "Evidence",
    "Flow",
    "Level",
    "Magnitude",
    "Modality",
    "Party",
    "Place",
    "Polarity",
    "Redriven",
    "Severity",
    "Signal",
    "Transition",
    "Trend",
    "decode",
    "encode",
]
