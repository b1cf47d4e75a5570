"""Scores over time: what the dyads topic would have told at each step, bounded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from timelines import DYAD, at, rules, told

from config.errors import BrinkwatchError
from pipeline.records import Level
from pipeline.scoring.book import Book
from pipeline.timeline import MAX_STEPS, moments, timeline, timelines

SIGNALS = [told(0.5, "one", 6.0), told(2, "two", 8.0), told(30, "three", 12.0)]
DAY = timedelta(days=1)


def test_a_point_a_step_and_one_for_the_end():
    """Steps are whole hours of the calendar, whenever the first signal came; the end is there even between two."""
    assert list(moments(at(0.5), at(3.25), timedelta(hours=1))) == [at(1), at(2), at(3), at(3.25)]
    assert list(moments(at(1), at(8), timedelta(hours=6))) == [at(6), at(8)]
    assert list(moments(at(1), at(1), DAY)) == [at(1)]


def test_points_are_what_a_live_service_told():
    """At every step score, baseline and level are those of a book that was advanced to it, signals at it included."""
    points = timeline(DYAD, SIGNALS, rules(), at(60))
    book = Book(rules())
    waiting = list(SIGNALS)
    for point in points:
        while waiting and waiting[0].observed_at <= point.at:
            book.apply(DYAD, waiting.pop(0))
        book.advance(point.at)
        (held,) = book.dyads()
        assert (point.score, point.baseline, point.level) == (held.score, held.baseline, held.level)
    by_time = {point.at: point for point in points}
    assert by_time[at(1)].level is Level.CALM
    assert by_time[at(2)].level is Level.WATCH
    assert by_time[at(30)].score > by_time[at(29)].score
    assert len(points) == 60


def test_the_step_changes_no_score():
    """A coarser step shows fewer of the same points."""
    fine = {point.at: point for point in timeline(DYAD, SIGNALS, rules(), at(72))}
    coarse = timeline(DYAD, SIGNALS, rules(), at(72), timedelta(hours=6))
    assert len(coarse) == 12
    assert all(fine[point.at] == point for point in coarse)


def test_only_dyads_that_had_a_score():
    """What only calmed, or was denied, has no line."""
    calming = told(1, "calm", -5.0)
    denied = told(1, "denied", 5.0, active=False)
    signals = [("ARV-BRN", calming), ("ARV-CAL", SIGNALS[0]), ("BRN-CAL", denied)]
    assert [points[0].dyad for points in timelines(signals, rules(), at(10))] == ["ARV-CAL"]


def test_too_many_steps_are_refused():
    """A step of a second over years would fill the disk: it says so instead."""
    with pytest.raises(BrinkwatchError, match=r"following the scores failed: .*2031-05-06 to .*take longer ones"):
        next(moments(at(0), at(0) + timedelta(seconds=MAX_STEPS + 1), timedelta(seconds=1)))
