"""When a child that ended is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deploy.local.restart import HEALTHY_SECONDS, LONGEST_DELAY, History, ended, restart_delay, started


def test_delays_double_up_to_half_a_minute():
    """A child that can't run must not be started in a tight loop, nor be given up."""
    assert [restart_delay(n) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(1, 10**9))
def test_delay_is_bounded(failures):
    """However long it goes on, the delay stays between half a second and half a minute."""
    assert 0.5 <= restart_delay(failures) <= LONGEST_DELAY


def test_new_child_is_due_at_once():
    """What was never started waits for nothing, and counts no restart."""
    assert History().is_due(0.0)
    assert started(History(), 5.0).restarts == 0
    assert not started(History(), 5.0).is_due(1e9)


def test_short_lives_add_up_and_a_long_one_clears_them():
    """After a healthy minute the next restart must be quick again."""
    history = History()
    for now in (0.0, 10.0, 20.0):
        history = ended(started(history, now), now + 1)
    assert (history.failures, history.restarts, history.due_at) == (3, 2, 23.0)
    history = ended(started(history, 100.0), 100.0 + HEALTHY_SECONDS)
    assert (history.failures, history.due_at) == (1, 160.5)
