"""How far event time has come: what may fall due now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

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
