"""The supervisor's metrics, of ``brinkwatch up``."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

RESTARTS = Counter(
    "brinkwatch_supervisor_restarts_total", "Starts of a child after its first: it had ended by itself.", ["process"]
)
UP = Gauge("brinkwatch_supervisor_up", "1 while a child runs, 0 while it waits to be started again.", ["process"])


def init(process: str, *, running: bool) -> None:
    """Start a child's label sets."""
    RESTARTS.labels(process)
    UP.labels(process).set(running)
