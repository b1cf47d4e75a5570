"""Signals that come days late, as from the dead letters: they count for what they are worth by now, and once."""

from __future__ import annotations

import pytest
from timelines import DYAD, at, play, rules, told

from pipeline.records import decode, encode
from pipeline.records.dyad import Dyad
from pipeline.scoring.book import Book


def test_a_late_signal_weighs_what_is_left_of_it():
    """Four days are two half-lives: the score is as if it had come in time, and time does not go back."""
    late, timely = Book(rules()), Book(rules())
    play(timely, [told(0, "a"), told(90, "b", 4.0)], 96)
    play(late, [told(90, "b", 4.0)], 96)
    play(late, [told(0, "a")], 96)
    assert late.dyads()[0].score == pytest.approx(timely.dyads()[0].score, rel=1e-3)
    assert late.dyads()[0].at == timely.dyads()[0].at


def test_an_alert_of_a_late_signal_is_of_now_or_never():
    """No subscriber hears of an alert in the past; and none is raised that time has made needless."""
    faded, grave = Book(rules()), Book(rules())
    assert play(faded, [told(95, "b", 1.0)], 96) == play(faded, [told(0, "a", 15.0)], 96) == []
    play(grave, [told(95, "b", 1.0)], 96)
    (raised,) = play(grave, [told(0, "a", 80.0)], 96)
    assert raised.at >= at(95)


def test_a_late_repeat_changes_nothing():
    """Sent again although it had counted: not one bit of the state is another, after a restart either."""
    book = Book(rules())
    play(book, [told(0, "a"), told(50, "b")], 96)
    again = Book(rules())
    again.restore([decode(encode(dyad), Dyad) for dyad in book.dyads()])
    for each in (book, again):
        before = each.dyads()
        assert each.apply(DYAD, told(0, "a")) == "repeated"
        assert each.dyads() == before
