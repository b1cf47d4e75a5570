"""The clock by which articles are observed and alerts fall due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config import clock


@pytest.mark.parametrize("hours", [1, -1, 24 * 400])
def test_no_step_of_the_clock_moves_it(monkeypatch: pytest.MonkeyPatch, hours: int):
    """A host that sets its clock must neither date articles into another hour nor let alerts fall due."""
    ours = clock.WallClock()
    before = ours.now()

    class Stepped(datetime):
        @classmethod
        def now(cls, tz=None) -> datetime:
            return datetime.now(tz) + timedelta(hours=hours)

    monkeypatch.setattr(clock, "datetime", Stepped)
    assert timedelta() <= ours.now() - before < timedelta(minutes=10)
    assert abs(clock.WallClock().now() - datetime.now(UTC) - timedelta(hours=hours)) < timedelta(minutes=10)
