"""Episodes: transitions put together, and when an alert stood at which level."""

from __future__ import annotations

import random

from timelines import at, life

from pipeline.evaluation.episodes import Stretch, episodes
from pipeline.records import Level

CRISIS = life(
    "1", "ARV-BRN", (0, Level.WATCH), (5, Level.WARNING), (8, Level.WATCH), (9, Level.WARNING), (20, Level.CALM)
)


def test_transitions_in_any_order_and_twice_are_one_episode():
    """A reader of the topic gets repeats; the file of a replay is sorted by time, not by alert."""
    other = life("2", "ARV-CAL", (3, Level.CRITICAL))
    mixed = [*CRISIS, *other, *CRISIS[:2]]
    random.Random(1).shuffle(mixed)
    assert [each.alerts for each in episodes(mixed)] == [tuple(CRISIS), tuple(other)]


def test_when_it_stood_at_a_level():
    """A level that is left and reached again is two stretches; what nothing resolved goes on."""
    (crisis,) = episodes(CRISIS)
    assert list(crisis.stretches(Level.WATCH)) == [Stretch(at(0), at(20))]
    assert list(crisis.stretches(Level.WARNING)) == [Stretch(at(5), at(8)), Stretch(at(9), at(20))]
    assert list(crisis.stretches(Level.CRITICAL)) == []
    (standing,) = episodes(CRISIS[:2])
    assert list(standing.stretches(Level.WARNING)) == [Stretch(at(5))]
    assert standing.is_open
    assert standing.whole == Stretch(at(0))


def test_what_is_muted_was_told_to_nobody():
    """An alert counts from its first transition that is for everybody; one that stays muted is none."""
    begun = life("1", "ARV-BRN", (0, Level.WATCH), (5, Level.WARNING), (20, Level.CALM), muted=(0,))
    assert [each.first.at for each in episodes(begun)] == [at(5)]
    assert episodes(life("1", "ARV-BRN", (0, Level.WATCH), (5, Level.CALM), muted=(0,))) == []


def test_stretches_meet():
    """Touching is meeting; what has no end meets all that comes later."""
    day = Stretch(at(0), at(24))
    assert day.meets(Stretch(at(24), at(30)))
    assert day.meets(Stretch(at(10)))
    assert Stretch(at(-5)).meets(day)
    assert not day.meets(Stretch(at(25)))
    assert not Stretch(at(25)).meets(day)
