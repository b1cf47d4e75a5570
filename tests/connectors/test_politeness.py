"""A day of a hundred invented feeds: what polling by rhythm saves, and that it breaks no rule."""

from __future__ import annotations

from tests.bench import politeness
from tests.bench.publishing import invented


def test_a_day_takes_less_than_half_of_the_requests_and_busy_feeds_wait_no_longer():
    """The decision of the connectors itself, on a clock that is not waited for.

    On the first day it still learns: over a week of a thousand feeds it is less than a third (docs/performance.md).
    """
    found = politeness.compared(invented(100, 1, seed=5), 1, seed=5)
    assert found["rules_broken"] == 0
    assert found["requests_share"] < 0.42
    busy = found["busy"]
    assert busy["feeds"] >= 5
    assert busy["delay_min_p50_p95"][0] <= busy["fixed_delay_min_p50_p95"][0] * 1.1
