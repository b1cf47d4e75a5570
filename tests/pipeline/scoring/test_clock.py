"""Event time: what may fall due, and what must wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.scoring.clock import LATE, event_time

WALL = datetime(2024, 5, 6, 12, tzinfo=UTC)
EARLY = WALL - timedelta(hours=3)
MID = WALL - timedelta(hours=1)


def test_idle_system_follows_the_clock():
    """With every partition read to its end, alerts resolve on time though no signal arrives."""
    assert event_time({0: EARLY, 1: None}, {0: True, 1: True}, WALL) == WALL - LATE


def test_a_partition_that_is_behind_holds_time_back():
    """A backlog must not be resolved past: its signals may still keep an alert open."""
    assert event_time({0: EARLY, 1: MID}, {0: False, 1: True}, WALL) == EARLY


def test_nothing_is_known_before_the_first_signal_of_a_partition_that_is_behind():
    """Not knowing how far a partition is, nothing may fall due."""
    assert event_time({0: None, 1: MID}, {0: False, 1: True}, WALL) is None


def test_clock_of_records_never_looks_at_the_wall():
    """An archive's time moves with its records only."""
    assert event_time({0: EARLY, 1: MID}, {0: True, 1: True}, None) == MID
    assert event_time({0: EARLY, 1: MID}, {0: False, 1: True}, None) == EARLY
    assert event_time({0: None, 1: None}, {0: True, 1: True}, None) is None
