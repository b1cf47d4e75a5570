"""Whether a job moves: that it begins bundles, also when the system's clock was set back."""

from __future__ import annotations

import time
from collections.abc import Callable

STILL_S = {"score": 90.0}
"""How long a bundle may take. The broker gives a transaction up after 30 s, but kafka-python may wait without end."""
LONGEST_STILL_S = 600.0
"""For the other jobs: more than what extract's articles, writes and commit may take together."""
SET_BACK_S = 5.0
"""What counts as a step back: a smaller one holds nothing up for longer than this."""
STILL_AFTER_STEP_S = 5.0
"""How long a job may stand still after one."""


class Moving:
    """Says why a job must be started again, once it stands still.

    Prism tells by the time of day when the rest of a source is due. Where that is set back by an hour between two
    bundles, it begins the next one in an hour.

    Args:
        name: Of the job.
        still_for: Seconds since its last bundle began.
        wall: The time of day, in seconds.
        clock: One that no step moves, in seconds.
    """

    def __init__(
        self,
        name: str,
        still_for: Callable[[str], float],
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._still_for, self._wall, self._clock = name, still_for, wall, clock
        self._ahead = wall() - clock()
        self._stepped: tuple[float, float] | None = None

    def fault(self) -> str | None:
        """Why the job must be started again; None while it need not. Ask several times a second."""
        now, still = self._clock(), self._still_for(self._name)
        back = self._step_back(now)
        if self._stepped and now - self._stepped[0] > still:
            self._stepped = None  # a bundle began since
        longest = STILL_S.get(self._name, LONGEST_STILL_S)
        if self._stepped and now - self._stepped[0] > STILL_AFTER_STEP_S:
            return f"the clock was set back by {back:.0f} s, and the runner waits for the time that was"
        return f"no bundle has ended for {longest:g} s; the stacks are in the log" if still > longest else None

    def _step_back(self, now: float) -> float:
        """Note a step of the clock; by how much the last one went back."""
        ahead = self._wall() - now
        back, self._ahead = self._ahead - ahead, ahead
        if back > SET_BACK_S:
            self._stepped = (now, back)
        return self._stepped[1] if self._stepped else 0.0
