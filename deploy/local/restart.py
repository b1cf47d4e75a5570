"""When a child that ended is started again. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
HEALTHY_SECONDS = 60.0
_DOUBLINGS = 16  # far past LONGEST_DELAY; keeps the power small


@dataclass(frozen=True, slots=True)
class History:
    """What one child has been through.

    Attributes:
        starts: How often it was started.
        failures: How often in a row it ended before it had been healthy; the next delay follows from it.
        started_at: Monotonic time of its last start, in seconds.
        due_at: Monotonic time at which to start it again; None while it runs.
    """

    starts: int = 0
    failures: int = 0
    started_at: float = 0.0
    due_at: float | None = 0.0

    @property
    def restarts(self) -> int:
        """Starts after the first."""
        return max(0, self.starts - 1)

    def is_due(self, now: float) -> bool:
        """Whether it must be started now."""
        return self.due_at is not None and now >= self.due_at


def restart_delay(failures: int) -> float:
    """Seconds to wait after ``failures`` short lives in a row (1 or more): doubled each time, half a minute at most."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, _DOUBLINGS))


def started(history: History, now: float) -> History:
    """The history once it was started."""
    return replace(history, starts=history.starts + 1, started_at=now, due_at=None)


def ended(history: History, now: float) -> History:
    """The history once it ended: after a healthy minute the count of failures begins anew."""
    failures = 1 if now - history.started_at >= HEALTHY_SECONDS else history.failures + 1
    return replace(history, failures=failures, due_at=now + restart_delay(failures))
