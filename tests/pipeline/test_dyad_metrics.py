"""The gauges of dyads: they follow what is committed, and end where another process is the active one."""

from __future__ import annotations

import pytest
from timelines import at, rules, told

from pipeline import dyad_metrics
from pipeline.dyad_metrics import DyadGauges
from pipeline.scoring.book import Book
from pipeline.scoring.survey import Scope


class Clock:
    """A monotonic clock that stands still until it is moved."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(dyad_metrics, "time", clock)
    return clock


@pytest.fixture
def gauges():
    """Gauges of the two dyads with the highest score and the source with most signals."""
    made = DyadGauges(Scope(2, sources=1), {"AAA": "Arland", "ZZZ": "Zedia"})
    yield made
    made.clear()


def series(gauge):
    """Value of each series by its labels."""
    return {tuple(s.labels.values()): s.value for family in gauge.collect() for s in family.samples}


def told_of(*dyads):
    """A book in which each of these dyads has a higher score than the one before."""
    book = Book(rules())
    for number, dyad in enumerate(dyads, 1):
        book.apply(dyad, told(0, f"{dyad}{number}", number, "wire.example"))
    return book


def test_a_dyad_has_its_figures_and_its_name(clock, gauges):
    """Score, level, sources, signals by type and a name to show; a code without a name goes by itself."""
    gauges.refresh(told_of("AAA-ZZZ", "*-ZZZ"), at(0))
    assert series(dyad_metrics.SCORE) == {("AAA-ZZZ",): 1.0, ("*-ZZZ",): 2.0}
    assert series(dyad_metrics.LEVEL) == {("AAA-ZZZ",): 0, ("*-ZZZ",): 0}
    assert series(dyad_metrics.SOURCES) == {("AAA-ZZZ",): 1, ("*-ZZZ",): 1}
    assert series(dyad_metrics.SIGNALS) == {("AAA-ZZZ", "deployment"): 1, ("*-ZZZ", "deployment"): 1}
    assert series(dyad_metrics.SOURCE_SIGNALS) == {("wire.example",): 2}
    names = {labels[:2] for labels in series(dyad_metrics.INFO)}
    assert names == {("AAA-ZZZ", "Arland \N{EN DASH} Zedia"), ("*-ZZZ", "* \N{EN DASH} Zedia")}


def test_a_dyad_that_leaves_the_list_leaves_the_page(clock, gauges):
    """Else every dyad that ever stood high would stay, at its last value, for as long as the process lives."""
    gauges.refresh(told_of("AAA-ZZZ", "BBB-ZZZ"), at(0))
    clock.now += 1
    gauges.refresh(told_of("AAA-ZZZ", "BBB-ZZZ", "CCC-ZZZ"), at(0), changed=True)
    for gauge in (dyad_metrics.SCORE, dyad_metrics.BASELINE, dyad_metrics.SIGNALS, dyad_metrics.INFO):
        assert {labels[0] for labels in series(gauge)} == {"BBB-ZZZ", "CCC-ZZZ"}


def test_surveys_are_rare(clock, gauges):
    """At most one a second, however many bundles; none where nothing changed, but for the decay now and then."""
    gauges.refresh(told_of("AAA-ZZZ"), at(0))
    grown = told_of("AAA-ZZZ", "BBB-ZZZ")
    found = []
    for passed, changed in ((0.9, True), (0.2, False), (1.1, False), (9, False)):
        clock.now += passed
        gauges.refresh(grown, at(48), changed=changed)
        found.append(len(series(dyad_metrics.SCORE)))
        grown = grown if len(found) != 2 else told_of("AAA-ZZZ")  # told to nobody
    assert found == [1, 2, 2, 1]
    assert series(dyad_metrics.SCORE) == {("AAA-ZZZ",): 0.5}


def test_cleared_they_tell_of_no_dyad(clock, gauges):
    """A process that is not the active one any more must not go on telling what was."""
    book = told_of("AAA-ZZZ")
    book.apply("AAA-ZZZ", told(0, "more", 30))
    gauges.refresh(book, at(0))
    assert series(dyad_metrics.OPEN_ALERTS)["warning",] == 1
    gauges.clear()
    dyads = (dyad_metrics.SCORE, dyad_metrics.INFO, dyad_metrics.SIGNALS, dyad_metrics.SOURCE_SIGNALS)
    assert [series(gauge) for gauge in dyads] == [{}, {}, {}, {}]
    assert not any(series(dyad_metrics.OPEN_ALERTS).values())
