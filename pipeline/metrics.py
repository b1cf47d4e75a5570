"""The project's metrics: every name, label and bucket, declared once. Known label sets start at 0."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import product

from prometheus_client import Counter, Gauge, Histogram

from config import exposition, vitals
from config.metrics import export
from pipeline.records import EventType, Level, Modality, Transition

LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400)
BUNDLE_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
DECODE_REASONS = ("too_large", "not_json", "version", "schema")
OUTCOMES = ("signals", "silent", "gated", "language")

EXTRACTED = Counter(
    "brinkwatch_extract_articles_total",
    "Articles that extract has read, by what became of them.",
    ["outcome"],
    registry=None,
)
SIGNALS = Counter(
    "brinkwatch_extract_signals_total",
    "Signals found, by type, modality and whether they count today.",
    ["event_type", "modality", "active"],
    registry=None,
)
DEAD_LETTERS = Counter(
    "brinkwatch_dead_letters_total", "Messages sent to the dead-letter topic.", ["stage", "reason"], registry=None
)
EXTRACT_SECONDS = Histogram(
    "brinkwatch_extract_bundle_seconds",
    "Time from a bundle's poll to its committed offsets.",
    buckets=BUNDLE_BUCKETS,
    registry=None,
)
EXTRACT_ARTICLES = Histogram(
    "brinkwatch_extract_bundle_articles",
    "Articles of a committed bundle, dead letters included.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200),
    registry=None,
)
PARSE_SECONDS = Histogram(
    "brinkwatch_extract_parse_seconds",
    "Time in which a batch of articles was read in the process that reads them, or failed there.",
    buckets=BUNDLE_BUCKETS,
    registry=None,
)
WORKER_RESTARTS = Counter(
    "brinkwatch_extract_worker_restarts_total",
    "Processes of extract that articles ended, and that were replaced, by cause; server: the one that forks them.",
    ["cause"],
    registry=None,
)
SCORED = Counter(
    "brinkwatch_score_signals_total",
    "Signals that score has read, by what became of them; one of two dyads is read for each.",
    ["outcome"],
    registry=None,
)
NEAR_DUPLICATES = Counter(
    "brinkwatch_score_near_duplicates_total",
    "Signals that were applied and tell a story that another article had told.",
    registry=None,
)
SCORE_SECONDS = Histogram(
    "brinkwatch_score_bundle_seconds",
    "Time from a bundle's poll to its committed transaction.",
    buckets=BUNDLE_BUCKETS,
    registry=None,
)
SCORE_SIGNALS = Histogram(
    "brinkwatch_score_bundle_signals",
    "Signals of a committed bundle, dead letters included; 0 where only time had passed.",
    buckets=(0, 1, 2, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 20_000, 50_000),
    registry=None,
)
ALERTS = Counter(
    "brinkwatch_alerts_total", "Transitions of alerts, by rule.", ["rule", "transition", "level"], registry=None
)
SCORE_ACTIVE = Gauge(
    "brinkwatch_score_active", "1 for the active process of score, 0 for one that stands by.", registry=None
)
RULES_GOOD = Gauge(
    "brinkwatch_rules_last_reload_successful",
    "Whether the file of alert rules as it stands is in use.",
    registry=None,
)
RULES_LOADED = Gauge(
    "brinkwatch_rules_last_reload_success_timestamp_seconds",
    "When the rules in use were read (Unix time).",
    registry=None,
)
LATENCY = Histogram(
    "brinkwatch_latency_seconds",
    "Time an article took up to a stage: fetched to signal written, fetched to alert committed.",
    ["stage"],
    buckets=LATENCY_BUCKETS,
    registry=None,
)
EVENT_TIME = Gauge(
    "brinkwatch_event_time_seconds",
    "Latest observed time that a process has handled (Unix time).",
    ["process"],
    registry=None,
)
LAG = Gauge(
    "brinkwatch_event_time_lag_seconds",
    "Age of the oldest record of the last poll when it was read; 0 when caught up.",
    ["process"],
    registry=None,
)
LAST_BUNDLE = Gauge(
    "brinkwatch_last_bundle_timestamp_seconds",
    "When a process last committed a bundle (Unix time); 0 before the first.",
    ["process"],
    registry=None,
)
RUNNER_UP = Gauge(
    "brinkwatch_runner_up",
    "1 while the runner's process lives and the job runs there; 0 in a score that stands by, which has no runner.",
    ["process"],
    registry=None,
)

NOTIFY_ATTEMPTS = Counter(
    "brinkwatch_notify_attempts_total",
    "Tries to reach a receiver, by how they ended.",
    ["receiver", "outcome"],
    registry=None,
)
NOTIFIED = Counter(
    "brinkwatch_notify_alerts_total",
    "Transitions that notify has read, by what became of them.",
    ["receiver", "outcome"],
    registry=None,
)
NOTIFY_SECONDS = Histogram(
    "brinkwatch_notify_delivery_seconds",
    "Time from a transition's commit on its topic to its delivery.",
    ["receiver"],
    buckets=LATENCY_BUCKETS,
    registry=None,
)
NOTIFY_SUCCESS = Gauge(
    "brinkwatch_notify_last_success_timestamp_seconds",
    "When a receiver last took what it was sent (Unix time).",
    ["receiver"],
    registry=None,
)
NOTIFY_WAITING = Gauge(
    "brinkwatch_notify_waiting_alerts",
    "Transitions that were read and are not done with yet.",
    ["receiver"],
    registry=None,
)
JOBS = (DEAD_LETTERS, LATENCY, EVENT_TIME, LAG, LAST_BUNDLE, RUNNER_UP)
EXPORTS = {
    "extract": (
        EXTRACTED, SIGNALS, EXTRACT_SECONDS, EXTRACT_ARTICLES, PARSE_SECONDS, WORKER_RESTARTS, *JOBS,
    ),
    "score": (
        SCORED, NEAR_DUPLICATES, SCORE_SECONDS, SCORE_SIGNALS, ALERTS, SCORE_ACTIVE, RULES_GOOD, RULES_LOADED, *JOBS,
    ),
    "notify": (
        NOTIFY_ATTEMPTS, NOTIFIED, NOTIFY_SECONDS, NOTIFY_SUCCESS, NOTIFY_WAITING, DEAD_LETTERS, LAG,
    ),
}  # fmt: skip
"""Which metrics of this module each process exports."""


def init_extract() -> None:
    """Export the metrics of extract, every known label set at 0."""
    export(EXPORTS["extract"])
    _zero(EXTRACTED, OUTCOMES)
    _zero(SIGNALS, EventType, Modality, ("true", "false"))
    _zero(DEAD_LETTERS, ("extract.decode",), DECODE_REASONS)
    _zero(DEAD_LETTERS, ("extract.parse",), ("crash", "stalled", "memory", "too_large"))
    _zero(WORKER_RESTARTS, ("crash", "stalled", "memory", "server"))
    _zero(LATENCY, ("fetched_to_signal",))
    _init_job("extract")


def init_score(rules: Iterable[str]) -> None:
    """Export the metrics of score, every known label set at 0, those of the alert ``rules`` included."""
    export(EXPORTS["score"])
    _zero(SCORED, ("applied", "repeated", "inactive"))
    _zero(DEAD_LETTERS, ("score.decode",), (*DECODE_REASONS, "future"))
    init_rules(rules)
    RULES_GOOD.set(1)
    RULES_LOADED.set_to_current_time()
    _zero(LATENCY, ("fetched_to_alert",))
    _init_job("score")


def init_rules(rules: Iterable[str]) -> None:
    """Start what is counted by alert rule at 0."""
    rules = tuple(rules)
    for transition in Transition:
        resolved = transition is Transition.RESOLVED  # which leaves its dyad calm
        levels = [level for level in Level if (level is Level.CALM) is resolved]
        _zero(ALERTS, rules, (transition,), levels)


def init_notify(receivers: Iterable[str], attempts: Iterable[str], outcomes: Iterable[str]) -> None:
    """Export the metrics of notify, at 0: of these receivers, with the words for their tries and their outcomes."""
    export(EXPORTS["notify"])
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


def _init_job(process: str) -> None:
    for metric in (EVENT_TIME, LAG, LAST_BUNDLE, RUNNER_UP):
        _zero(metric, (process,))
    vitals.init_heartbeat(process)


serve = exposition.serve


def _zero(metric: Counter | Gauge | Histogram, *labels: Iterable[str]) -> None:
    for values in product(*labels):
        metric.labels(*(str(value) for value in values))
