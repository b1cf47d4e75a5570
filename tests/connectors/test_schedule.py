"""When to poll next."""

from __future__ import annotations

import pytest

from connectors.outcome import Outcome, of_status
from connectors.schedule import COURSES, DAY_S, SPREAD_S, first_wait_s, wait_s

MIDDLE = 0.5


def test_every_failure_has_a_course():
    """A new outcome can't be forgotten: success keeps the interval, everything else has its back-off."""
    assert set(COURSES) == {outcome for outcome in Outcome if not outcome.success}


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.NOT_MODIFIED])
def test_success_keeps_the_interval(outcome: Outcome):
    """Ten percent more or less, so that feeds don't march in step."""
    assert wait_s(outcome, 900, 0, 0, MIDDLE) == 900
    assert wait_s(outcome, 900, 0, 0, 0.0) == pytest.approx(810)
    assert wait_s(outcome, 900, 0, 0, 0.999999) == pytest.approx(990, abs=0.01)


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [
        (Outcome.TIMEOUT, [900, 1800, 3600, 7200, 7200]),
        (Outcome.NOT_A_FEED, [900, 1800, 3600, 7200, 14400, 21600, 21600]),
        (Outcome.NOT_FOUND, [3600, 7200, 14400, 28800, 57600, 86400, 86400]),
        (Outcome.RATE_LIMITED, [1800, 3600, 7200]),
    ],
)
def test_failures_back_off_by_kind(outcome: Outcome, waits: list[float]):
    """Each failure in a row doubles the wait, up to the cap of its kind."""
    assert [wait_s(outcome, 900, count, 0, MIDDLE) for count in range(1, len(waits) + 1)] == waits


def test_no_count_of_failures_overflows():
    """A feed that failed for years is still polled."""
    assert wait_s(Outcome.TIMEOUT, 900, 10**9, 0, MIDDLE) == 7200


def test_a_cap_never_makes_a_slow_feed_quicker():
    """A feed polled once a day is not polled every two hours because it fails."""
    assert wait_s(Outcome.TIMEOUT, DAY_S, 3, 0, MIDDLE) == DAY_S


def test_gone_stops():
    """410 is a publisher's request to stop."""
    assert wait_s(Outcome.GONE, 900, 1, 0, MIDDLE) is None


@pytest.mark.parametrize("dice", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.RATE_LIMITED, Outcome.SERVER_ERROR])
def test_retry_after_is_a_least_wait(outcome: Outcome, dice: float):
    """Whatever the dice say, a server that asks for an hour gets an hour."""
    waited = wait_s(outcome, 60, 1, 3600, dice)
    assert waited is not None
    assert 3600 <= waited <= 3960


def test_new_feeds_are_spread():
    """A start with thousands of feeds is no burst, and a drill does not wait for it."""
    assert first_wait_s(900, 0.0) == 0
    assert first_wait_s(900, 0.999) <= SPREAD_S
    assert first_wait_s(2, 0.999) < 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "ok"), (304, "not_modified"), (403, "refused"), (404, "not_found"), (410, "gone"), (429, "rate_limited"),
     (422, "client_error"), (599, "server_error"), (199, "bad_response"), (999, "bad_response")],
)  # fmt: skip
def test_statuses(status: int, outcome: str):
    """Each status has an outcome, odd ones too."""
    assert of_status(status).value == outcome
