"""The metrics that every process has: whether Kafka answers it, and whether it is ready; and the heartbeat's."""

from __future__ import annotations

import time

from prometheus_client import Gauge, Histogram

from config import health
from config.metrics import PROCESSES, export

KAFKA_UP = Gauge("brinkwatch_kafka_up", "1 while the broker answers this process, else 0.", ["process"], registry=None)
READY = Gauge(
    "brinkwatch_ready", "What /readyz says: 1 while the process can do its work, else 0.", ["process"], registry=None
)
HEARTBEAT_LAST = Gauge(
    "brinkwatch_heartbeat_last_timestamp_seconds",
    "When the newest heartbeat that has passed a stage, committed, was sent (Unix time); 0 before the first.",
    ["stage"],
    registry=None,
)
HEARTBEAT_SECONDS = Histogram(
    "brinkwatch_heartbeat_seconds",
    "Time from a heartbeat's sending to its passing a stage.",
    ["stage"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600),
    registry=None,
)
STAGES = ("connect", "extract", "score")
EXPORTS = {
    process: (
        READY,
        *(() if process == "up" else (KAFKA_UP,)),
        *((HEARTBEAT_LAST, HEARTBEAT_SECONDS) if process in STAGES else ()),
    )
    for process in PROCESSES
}
"""Which metrics of this module each process exports."""
_newest: dict[str, float] = {}


def follow() -> None:
    """Have the gauges say what this process's board says, whenever they are read."""
    seen = health.board.snapshot()
    export(EXPORTS.get(seen.process, (READY,)))
    READY.labels(seen.process).set_function(lambda: float(health.ready(health.board.snapshot()).ok))
    if health.KAFKA in seen.needs:
        KAFKA_UP.labels(seen.process).set_function(lambda: float(health.kafka_up(health.board.snapshot())))


def init_heartbeat(stage: str) -> None:
    """Export a stage's heartbeats, at 0."""
    export((HEARTBEAT_LAST, HEARTBEAT_SECONDS))
    HEARTBEAT_LAST.labels(stage)
    HEARTBEAT_SECONDS.labels(stage)


def note_heartbeat(stage: str, sent: float) -> None:
    """A heartbeat that was sent at ``sent`` (Unix time) has passed a stage; one that comes again moves nothing back."""
    _newest[stage] = max(sent, _newest.get(stage, 0.0))
    HEARTBEAT_LAST.labels(stage).set(_newest[stage])
    HEARTBEAT_SECONDS.labels(stage).observe(max(0.0, time.time() - sent))
