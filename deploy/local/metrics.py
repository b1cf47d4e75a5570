"""The supervisor's metrics, of ``brinkwatch up``."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from config.metrics import export

RESTARTS = Counter(
    "brinkwatch_supervisor_restarts_total",
    "Starts of a child after its first: it had ended by itself.",
    ["process"],
    registry=None,
)
UP = Gauge(
    "brinkwatch_supervisor_up",
    "1 while a child runs, 0 while it waits to be started again.",
    ["process"],
    registry=None,
)

EXPORTS = {"up": (RESTARTS, UP)}
"""Which metrics of this module each process exports."""


def init(process: str, *, running: bool) -> None:
    """Export a child's metrics."""
    export(EXPORTS["up"])
    RESTARTS.labels(process)
    UP.labels(process).set(running)
