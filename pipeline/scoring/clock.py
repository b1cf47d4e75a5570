"""How far event time has come: what may fall due now."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

LATE = timedelta(seconds=5)
"""How long after its observed time a signal may still arrive, where nothing is behind: time runs this far behind the
clock, so that an alert does not resolve just before the signal that would have kept it open."""


def event_time(
    latest: Mapping[int, datetime | None], caught_up: Mapping[int, bool], wall: datetime | None
) -> datetime | None:
    """The time up to which every partition is known.

    Args:
        latest: Latest observed time of each partition's signals; None before the first.
        caught_up: Whether a partition was read to its end.
        wall: The clock's time, or None where time moves only with records.

    Returns:
        The earliest of the partitions' times: a partition that is behind is known up to its latest signal, one that was
        read to its end is known up to now. None while nothing is known.
    """
    end = wall - LATE if wall is not None else max((t for t in latest.values() if t is not None), default=None)
    times = [end if caught_up.get(partition) else seen for partition, seen in latest.items()]
    known = [time for time in times if time is not None]
    return min(known) if known and len(known) == len(times) else None


class WallClock:
    """The clock's time (UTC), which no step of the clock moves while the process lives.

    It is read once, and then counted on by the time since boot: so a step neither resolves anything nor keeps anything
    from being raised. Where the system has no such count, by the monotonic clock, which stands still while it sleeps.
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
