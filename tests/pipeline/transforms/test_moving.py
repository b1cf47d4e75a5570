"""When a job stands still, and why: held against a clock that is set."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.transforms.moving import LONGEST_STILL_S, Moving


class Job:
    """A job whose bundles begin when the test says so, on a machine whose clock does what the test says."""

    def __init__(self) -> None:
        self.now = self.begun = 0.0
        self.step = 0.0
        self.moving = Moving("extract", lambda _: self.now - self.begun, lambda: 1e9 + self.now + self.step, self.clock)

    def clock(self) -> float:
        return self.now

    def fault(self, seconds: float, *, works: bool = False) -> tuple[float, str] | None:
        """The first fault in that time, and after how many seconds of it."""
        start = self.now
        for tenth in range(int(seconds * 10)):
            self.now = start + tenth / 10
            if works:
                self.begun = self.now
            if why := self.moving.fault():
                return self.now - start, why
        return None


def faults(job: Job, steps: Iterable[float], *, works: bool) -> list[tuple[float, str] | None]:
    """What each step of the clock gives within a minute."""
    found = []
    for step in steps:
        job.step += step
        found.append(job.fault(60, works=works))
    return found


def test_a_runner_that_waits_for_the_time_that_was_is_given_up():
    """A clock set back by an hour must cost seconds, not the ten minutes that a bundle of extract may take."""
    job = Job()
    assert job.fault(20, works=True) is None
    job.step = -3600
    seconds, why = job.fault(60) or (0.0, "")
    assert 5 < seconds < 7
    assert "the clock was set back by 3600 s" in why


def test_a_job_that_goes_on_minds_no_step():
    """A step within a bundle holds nothing up, nor does one forward: a new start would do the bundle twice."""
    assert faults(Job(), [-3600, 3600, -86_400], works=True) == [None] * 3
    assert faults(Job(), [3600], works=False) == [None]


def test_a_clock_that_is_adjusted_a_little_ends_nothing():
    """Time servers move a clock by seconds: the runner then waits for as long, and no longer."""
    assert faults(Job(), [-2, -2, -2], works=False) == [None] * 3


def test_a_job_that_stands_still_for_another_reason_has_its_time():
    """A long bundle is no fault before its bound."""
    job = Job()
    assert job.fault(LONGEST_STILL_S) is None
    assert "no bundle has ended for 600 s" in (job.fault(10) or (0.0, ""))[1]
