"""When to poll next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.outcome import Outcome, of_status
from connectors.schedule import (
    COURSES,
    DAY_S,
    MAX_RULE_S,
    MAX_WAIT_S,
    Next,
    Rules,
    Usual,
    Why,
    first_wait_s,
    next_poll,
    resumed_wait_s,
)  # fmt: skip

MIDDLE = 0.5
NONE = Rules()


def wait_s(outcome: Outcome, interval_s: float, failures: int, dice: float = MIDDLE) -> float | None:
    """The wait where the publisher asks for nothing."""
    return next_poll(outcome, Usual(interval_s), failures, NONE, dice).wait_s


def test_every_failure_has_a_course():
    """A new outcome can't be forgotten: success keeps the interval, everything else has its back-off."""
    assert set(COURSES) == {outcome for outcome in Outcome if not outcome.success}


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.NOT_MODIFIED])
def test_success_keeps_the_interval(outcome: Outcome):
    """Ten percent more or less, so that feeds don't march in step."""
    assert next_poll(outcome, Usual(900), 0, NONE, MIDDLE) == Next(900, Why.INTERVAL)
    assert next_poll(outcome, Usual(900, adapted=True), 0, NONE, MIDDLE) == Next(900, Why.RHYTHM)
    assert wait_s(outcome, 900, 0, 0.0) == pytest.approx(810)
    assert wait_s(outcome, 900, 0, 0.999999) == pytest.approx(990, abs=0.01)


def test_feeds_that_begin_together_part_after_their_first_poll():
    """The second poll of each lies anywhere in one whole interval, on average an interval later."""
    waits = [next_poll(Outcome.OK, Usual(900, first=True), 0, NONE, n / 1000).wait_s or 0.0 for n in range(1000)]
    assert (min(waits), max(waits)) == (450, pytest.approx(1350, abs=1))
    assert max(sum(low <= wait < low + 90 for wait in waits) for low in range(450, 1350, 90)) <= 101


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
    """Each failure in a row doubles the wait, up to the cap of its kind; none is given up."""
    assert [wait_s(outcome, 900, count) for count in range(1, len(waits) + 1)] == waits
    assert next_poll(outcome, Usual(900), 1, NONE, MIDDLE).why is Why.BACKOFF


def test_no_count_of_failures_overflows():
    """A feed that failed for years is still polled."""
    assert wait_s(Outcome.TIMEOUT, 900, 10**9) == 7200


def test_a_cap_never_makes_a_slow_feed_quicker():
    """A feed polled once a day is not polled every two hours because it fails."""
    assert wait_s(Outcome.TIMEOUT, DAY_S, 3) == DAY_S


def test_gone_stops():
    """410 is a publisher's request to stop."""
    assert next_poll(Outcome.GONE, Usual(900), 1, NONE, MIDDLE) == Next(None, Why.GONE)


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (Rules(ttl_s=3600, max_age_s=1800), Why.TTL),
        (Rules(ttl_s=1800, max_age_s=3600), Why.MAX_AGE),
        (Rules(ttl_s=1800, retry_after_s=3600), Why.RETRY_AFTER),
        (Rules(ttl_s=600, max_age_s=60), Why.INTERVAL),
    ],
)
def test_the_longest_rule_decides_and_says_so(rules: Rules, why: Why):
    """An operator who wonders why a feed is polled so seldom is told which rule it is."""
    assert next_poll(Outcome.OK, Usual(900), 0, rules, 0.0).why is why


def test_a_year_of_ttl_silences_for_a_day():
    """A slip in a template does not end a news feed; Retry-After, which somebody sets on purpose, may say a week."""
    year = 365 * DAY_S
    assert Rules(ttl_s=year).least() == (MAX_RULE_S, Why.TTL)
    assert Rules(max_age_s=year).least() == (MAX_RULE_S, Why.MAX_AGE)
    assert Rules(retry_after_s=year).least() == (7 * DAY_S, Why.RETRY_AFTER)


asked = st.one_of(st.just(0.0), st.floats(0, 10 * DAY_S))


@given(
    st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.GONE]),
    st.builds(Usual, st.floats(0.1, DAY_S), st.booleans(), st.booleans()),
    st.integers(0, 1000),
    st.builds(Rules, asked, asked, asked),
    st.floats(0, 1, exclude_max=True),
)
def test_no_poll_is_sooner_than_any_rule(outcome: Outcome, usual: Usual, failures: int, rules: Rules, dice: float):
    """Whatever happened and however the dice fall: no rule is broken, and none silences a feed for ever."""
    waited = next_poll(outcome, usual, failures, rules, dice).wait_s
    assert waited is not None
    assert waited >= min(rules.ttl_s, DAY_S)
    assert waited >= min(rules.max_age_s, DAY_S)
    assert waited >= min(rules.retry_after_s, 7 * DAY_S)
    assert waited <= MAX_WAIT_S


def test_a_short_list_shows_something_soon_and_a_long_one_is_no_burst():
    """At a start a few feeds wait seconds; thousands fill the interval evenly; a drill waits for neither."""
    assert first_wait_s(900, 0.0) == 0
    assert first_wait_s(900, 0.999, feeds=30) < 15
    assert first_wait_s(900, 0.999, feeds=50_000) == pytest.approx(899.1)
    assert first_wait_s(2, 0.999, feeds=50_000) < 2


def test_a_clock_set_back_or_far_off_delays_nothing():
    """What a state says of the future counts from when it was written; a week asked for outlives a restart."""
    assert resumed_wait_s(next_due=1900, polled_at=1000, now=1600) == 300
    assert resumed_wait_s(next_due=1900, polled_at=1000, now=-86400) == 900
    assert resumed_wait_s(next_due=7 * DAY_S, polled_at=0, now=0) == 7 * DAY_S
    assert resumed_wait_s(next_due=1e12, polled_at=0, now=0) == MAX_WAIT_S


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "ok"), (304, "not_modified"), (403, "refused"), (404, "not_found"), (410, "gone"), (429, "rate_limited"),
     (422, "client_error"), (599, "server_error"), (199, "bad_response"), (999, "bad_response")],
)  # fmt: skip
def test_statuses(status: int, outcome: str):
    """Each status has an outcome, odd ones too."""
    assert of_status(status).value == outcome
