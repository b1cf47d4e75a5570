"""The unbounded source of both jobs: one element, one poll a bundle, for as long as the process lives.

The source and all that follows it are one fused stage (there is no shuffle), so a bundle is: poll, work, write, commit,
on one thread, one bundle at a time. That is what lets the last DoFn commit what the first one polled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.io.iobase import RestrictionProgress, RestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.transforms.core import RestrictionProvider, WatermarkEstimatorProvider
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Duration

from config.health import board
from pipeline.transforms import sessions
from pipeline.transforms.elements import Polled
from pipeline.transforms.sessions import Session, handover, session

__all__ = ["Poll", "enter", "session", "still_for"]

# Never 0: Flink would spin.
BUSY_S = 0.02
IDLE_S = 0.05
_begun: dict[str, float] = {}


def enter(name: str, session: Session) -> None:
    """Make ``session`` the one that the DoFns of job ``name`` use in this process, from now on."""
    sessions.enter(name, session)
    _begun[name] = time.monotonic()


def still_for(name: str) -> float:
    """Seconds since the last bundle of job ``name`` began, or since it was entered; 0 for one that was not."""
    return time.monotonic() - _begun.get(name, time.monotonic())


class _Forever(RestrictionTracker):
    """One claimable position, never finished: the only split there is gives up the rest at a checkpoint."""

    def __init__(self, restriction: str) -> None:
        self._restriction, self._split = restriction, False

    def current_restriction(self) -> str:
        return self._restriction

    def current_progress(self) -> RestrictionProgress:
        return RestrictionProgress(fraction=0.0)  # with completed= Prism hangs in silence

    def try_claim(self, _position: int) -> bool:
        return not self._split

    def try_split(self, fraction_of_remainder: float) -> tuple[str, str] | None:
        if fraction_of_remainder != 0 or self._split:
            return None
        self._split = True
        rest, self._restriction = self._restriction, "done"
        return self._restriction, rest

    def check_done(self) -> bool:
        return True

    def is_bounded(self) -> bool:
        return False


class _OneRestriction(RestrictionProvider):
    def initial_restriction(self, _element: str) -> str:
        return "run"

    def create_tracker(self, restriction: str) -> _Forever:
        return _Forever(restriction)

    def restriction_size(self, _element: str, _restriction: str) -> float:
        return 1.0

    def restriction_coder(self) -> beam.coders.Coder:
        return beam.coders.StrUtf8Coder()

    def split(self, _element: str, restriction: str) -> Iterator[str]:
        yield restriction


class _NoWatermark(WatermarkEstimatorProvider):
    """Nothing downstream is windowed: time is in the records."""

    def initial_estimator_state(self, _element: str, _restriction: str) -> Any:
        return MIN_TIMESTAMP

    def create_watermark_estimator(self, state: Any) -> ManualWatermarkEstimator:
        return ManualWatermarkEstimator(state)

    def estimator_state_coder(self) -> beam.coders.Coder:
        return beam.coders.PickleCoder()


class Poll(beam.DoFn):
    """Each element is the name of a job; it gives what the job's session polls, bundle after bundle."""

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        element: str,
        tracker: Any = beam.DoFn.RestrictionParam(_OneRestriction()),
        _watermark: Any = beam.DoFn.WatermarkEstimatorParam(_NoWatermark()),
    ) -> Iterator[Polled]:
        """One poll; then the rest is deferred, unless the job is to stop: a finished source ends it.

        Raises:
            HandedOver: This worker is to end, not the job. The runner must know: a source that has finished is over
                for good in its checkpoints, whatever worker comes next, and one that is deferred waits for this one.
        """
        if not tracker.try_claim(0):
            return
        handover.check()
        current = session(element)
        _begun[element] = time.monotonic()
        board.turn()
        if current.stop.is_set():
            return
        polled = current.poll()
        if polled is not None:
            yield polled
        tracker.defer_remainder(Duration(IDLE_S if polled is None else BUSY_S))
