"""The clock by which articles are observed and alerts fall due."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class WallClock:
    """The clock's time (UTC), which no step of the clock moves while the process lives.

    It is read once, and then counted on by the time since boot: so a step neither resolves anything nor keeps anything
    from being raised, and no article counts as observed in an hour that has not come. Where the system has no such
    count, by the monotonic clock, which stands still while it sleeps.
    """

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self._begin = _since_boot()

    def now(self) -> datetime:
        """The time."""
        return self._start + timedelta(seconds=_since_boot() - self._begin)


def _since_boot() -> float:
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
