"""The project's metrics: every name, label and bucket, declared once. Known label sets start at 0."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import product

from prometheus_client import Counter, Gauge, Histogram

from config import exposition, vitals
from pipeline.records import EventType, Level, Modality, Transition

LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400)
DECODE_REASONS = ("too_large", "not_json", "version", "schema")
OUTCOMES = ("signals", "silent", "gated", "language")

EXTRACTED = Counter(
    "brinkwatch_extract_articles_total", "Articles that extract has read, by what became of them.", ["outcome"]
)
SIGNALS = Counter(
    "brinkwatch_extract_signals_total",
    "Signals found, by type, modality and whether they count today.",
    ["event_type", "modality", "active"],
)
DEAD_LETTERS = Counter("brinkwatch_dead_letters_total", "Messages sent to the dead-letter topic.", ["stage", "reason"])
EXTRACT_SECONDS = Histogram(
    "brinkwatch_extract_bundle_seconds",
    "Time from a bundle's poll to its committed offsets.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
WORKER_RESTARTS = Counter(
    "brinkwatch_extract_worker_restarts_total",
    "Processes of extract that articles ended, and that were replaced, by cause; server: the one that forks them.",
    ["cause"],
)
SCORED = Counter("brinkwatch_score_signals_total", "Signals that score has read, by what became of them.", ["outcome"])
ALERTS = Counter("brinkwatch_alerts_total", "Transitions of alerts.", ["transition", "level"])
SCORE_ACTIVE = Gauge("brinkwatch_score_active", "1 for the active process of score, 0 for one that stands by.")
OPEN_ALERTS = Gauge("brinkwatch_open_alerts", "Alerts open now, by level.", ["level"])
RULES_GOOD = Gauge("brinkwatch_rules_last_reload_successful", "Whether the file of alert rules as it stands is in use.")
RULES_LOADED = Gauge(
    "brinkwatch_rules_last_reload_success_timestamp_seconds", "When the rules in use were read (Unix time)."
)
DYADS = Gauge("brinkwatch_dyads", "Dyads that score holds.")
LATENCY = Histogram(
    "brinkwatch_latency_seconds",
    "Time an article took up to a stage: published to fetched, fetched to signal written, fetched to alert committed.",
    ["stage"],
    buckets=LATENCY_BUCKETS,
)
EVENT_TIME = Gauge(
    "brinkwatch_event_time_seconds", "Latest observed time that a process has handled (Unix time).", ["process"]
)
LAG = Gauge(
    "brinkwatch_event_time_lag_seconds",
    "Age of the oldest record of the last poll when it was read; 0 when caught up.",
    ["process"],
)

NOTIFY_ATTEMPTS = Counter(
    "brinkwatch_notify_attempts_total", "Tries to reach a receiver, by how they ended.", ["receiver", "outcome"]
)
NOTIFIED = Counter(
    "brinkwatch_notify_alerts_total",
    "Transitions that notify has read, by what became of them.",
    ["receiver", "outcome"],
)
NOTIFY_SECONDS = Histogram(
    "brinkwatch_notify_delivery_seconds",
    "Time from a transition's commit on its topic to its delivery.",
    ["receiver"],
    buckets=LATENCY_BUCKETS,
)
NOTIFY_SUCCESS = Gauge(
    "brinkwatch_notify_last_success_timestamp_seconds", "When a receiver last took what it was sent.", ["receiver"]
)
NOTIFY_WAITING = Gauge(
    "brinkwatch_notify_waiting_alerts", "Transitions that were read and are not done with yet.", ["receiver"]
)


def init_extract() -> None:
    """Start the label sets of extract at 0."""
    _zero(EXTRACTED, OUTCOMES)
    _zero(SIGNALS, EventType, Modality, ("true", "false"))
    _zero(DEAD_LETTERS, ("extract.decode",), DECODE_REASONS)
    _zero(DEAD_LETTERS, ("extract.parse",), ("crash", "stalled", "memory", "too_large"))
    _zero(WORKER_RESTARTS, ("crash", "stalled", "memory", "server"))
    _zero(LATENCY, ("fetched_to_signal",))
    vitals.init_heartbeat("extract")
    _zero(EVENT_TIME, ("extract",))
    _zero(LAG, ("extract",))


def init_score() -> None:
    """Start the label sets of score at 0."""
    _zero(SCORED, ("applied", "repeated", "inactive"))
    _zero(DEAD_LETTERS, ("score.decode",), (*DECODE_REASONS, "future"))
    _zero(ALERTS, Transition, [level for level in Level if level is not Level.CALM])
    _zero(OPEN_ALERTS, [level for level in Level if level is not Level.CALM])
    RULES_GOOD.set(1)
    RULES_LOADED.set_to_current_time()
    _zero(LATENCY, ("fetched_to_alert",))
    vitals.init_heartbeat("score")
    _zero(EVENT_TIME, ("score",))
    _zero(LAG, ("score",))


def init_notify(receivers: Iterable[str], attempts: Iterable[str], outcomes: Iterable[str]) -> None:
    """Start the label sets of notify at 0: of these receivers, with the words for their tries and their outcomes."""
    names = tuple(receivers)
    stages = [f"notify.{name}" for name in names]
    _zero(NOTIFY_ATTEMPTS, names, attempts)
    _zero(NOTIFIED, names, outcomes)
    _zero(DEAD_LETTERS, stages, (*DECODE_REASONS, "refused", "exhausted", "crash"))
    _zero(LAG, stages)
    for metric in (NOTIFY_SECONDS, NOTIFY_WAITING, NOTIFY_SUCCESS):
        _zero(metric, names)


def note_lag(process: str, timestamps_ms: Sequence[int], *, caught_up: bool) -> None:
    """Set the lag after a poll: the age of its oldest message; 0 only where the end was reached, else as it was."""
    if timestamps_ms:
        LAG.labels(process).set(max(0.0, time.time() - min(timestamps_ms) / 1000))
    elif caught_up:
        LAG.labels(process).set(0.0)


serve = exposition.serve


def _zero(metric: Counter | Gauge | Histogram, *labels: Iterable[str]) -> None:
    for values in product(*labels):
        metric.labels(*(str(value) for value in values))
