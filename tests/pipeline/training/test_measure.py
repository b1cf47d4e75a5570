"""Figures and thresholds from made-up answers whose results can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.records import EventType, Modality
from pipeline.training.corpus import MODALITIES, TYPES, Event
from pipeline.training.measure import Answers, choose_thresholds, interval, measure

HALF = np.full(len(TYPES), 0.5, np.float32)
FORCE, TALKS = EventType.FORCE, EventType.TALKS
Row = tuple[list[Event], dict[EventType, tuple[float, Modality]]]


def answers(*rows: Row) -> Answers:
    """Each row: the events that are so, and of each type that was thought likely how much and in which modality."""
    shape = (len(rows), len(TYPES))
    types, true = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    modalities, held = np.zeros((*shape, 8), np.float32), np.zeros((*shape, 8), np.float32)
    for at, (events, given) in enumerate(rows):
        for kind, modality in events:
            true[at, TYPES.index(kind)] = 1
            held[at, TYPES.index(kind), MODALITIES.index(modality)] += 1
        for kind, (sure, modality) in given.items():
            types[at, TYPES.index(kind)] = sure
            modalities[at, TYPES.index(kind), MODALITIES.index(modality)] = 1
    return Answers(types, modalities, true, held / np.maximum(1, held.sum(-1, keepdims=True)))


def test_figures_are_counted_right() -> None:
    """Two hits (one in a wrong modality), one miss and one alarm give the figures that a hand counts."""
    found = measure(
        answers(
            ([(FORCE, Modality.ASSERTED)], {FORCE: (0.9, Modality.ASSERTED)}),
            ([(FORCE, Modality.NEGATED)], {FORCE: (0.9, Modality.PLANNED)}),
            ([(TALKS, Modality.PLANNED)], {}),
            ([], {FORCE: (0.6, Modality.THREATENED)}),
            ([], {FORCE: (0.6, Modality.NEGATED)}),
        ),
        HALF,
    )
    assert (found.by_type["force"].precision, found.by_type["force"].recall) == (0.5, 1.0)
    assert found.by_type["talks"].f1 == 0
    assert (found.modality_accuracy, found.alarms, found.leak) == (0.5, 0.5, 1.0)
    assert (found.signal_precision, found.signal_recall) == (0.5, pytest.approx(2 / 3))
    assert found.confusion["negated"]["planned"] == 1


def test_any_held_modality_is_right() -> None:
    """A type in two modalities at once is right with either, and is no leak if one of them is active."""
    both = [(FORCE, Modality.ASSERTED), (FORCE, Modality.NEGATED)]
    found = measure(answers((both, {FORCE: (0.9, Modality.ASSERTED)})), HALF)
    assert (found.modality_accuracy, found.leak) == (1.0, 0.0)


def test_thresholds_part_what_can_be_parted() -> None:
    """Where true and false sentences lie apart, the threshold lies between them."""
    good: Row = ([(FORCE, Modality.ASSERTED)], {FORCE: (0.7, Modality.ASSERTED)})
    bad: Row = ([], {FORCE: (0.45, Modality.ASSERTED)})
    thresholds = choose_thresholds(answers(*[good] * 5, *[bad] * 5))
    assert 0.45 < thresholds[TYPES.index(FORCE)] <= 0.7


def test_thresholds_rise_until_negatives_are_quiet() -> None:
    """Alarms on negatives are dearer than a type's F1: with noise everywhere the highest threshold is taken."""
    noise: Row = ([], {FORCE: (0.99, Modality.ASSERTED)})
    thresholds = choose_thresholds(
        answers(*[noise] * 3, ([(FORCE, Modality.ASSERTED)], {FORCE: (1.0, Modality.ASSERTED)}))
    )
    assert thresholds.min() >= 0.65 - 1e-6


def test_no_answers_are_no_crash() -> None:
    """Nothing found and nothing there gives zeros, not a division by zero."""
    assert set(measure(answers(([], {})), HALF).summary().values()) == {0.0}


def test_interval_of_seeds() -> None:
    """One seed has no interval; several have that of Student."""
    assert interval([0.8]) == (0.8, 0.0)
    mean, half = interval([0.7, 0.8, 0.9])
    assert mean == pytest.approx(0.8)
    assert half == pytest.approx(4.30 * 0.1 / 3**0.5)
