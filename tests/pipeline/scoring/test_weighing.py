"""What a signal weighs: in how much news, and beside what was told before."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from timelines import at, play, rules, told

from pipeline.records import Flow, Magnitude
from pipeline.scoring.book import Book
from pipeline.scoring.weighing import MAX_UNITS, flow_factor, growth, noted


def troops(hours: float, name: str, count: float, **changes):
    """A build-up of so many troops."""
    magnitude = Magnitude(value=count, comparator="over", unit="troops", text=f"{count:.0f} troops", span=(0, 5))
    return told(hours, name, 5, magnitudes=(magnitude,), **changes)


@given(st.floats(min_value=0.1, max_value=1e9), st.floats(min_value=0.1, max_value=1e9))
def test_more_news_never_makes_a_signal_heavier(one: float, other: float):
    """Bounded, and falling: a busy day is no crisis."""
    factors = [flow_factor(Flow(articles=articles, sources=9)) for articles in sorted((one, other))]
    assert 0 < factors[1] <= factors[0] <= 2


def test_who_does_not_count_weighs_as_it_is():
    """Articles of before this was counted, and the drill's."""
    assert flow_factor(None) == 1


def test_the_same_news_in_ten_times_as_much_does_not_raise():
    """The alert that a quiet day raises, a day of ten times as many articles does not."""
    for articles, raised in ((200, 1), (2000, 0)):
        signal = told(0, "a", 12, flow=Flow(articles=articles, sources=50))
        assert len(play(Book(rules()), [signal], until=1)) == raised


def test_of_few_outlets_not_more_than_half_are_asked_for():
    """A reader of one outlet would otherwise hear nothing at all."""
    for heard, raised in ((1, 1), (3, 1), (6, 0)):
        signal = told(0, "a", 12, flow=Flow(articles=200, sources=heard, hours=48))
        assert len(play(Book(rules(min_sources=3)), [signal], until=1)) == raised


def test_a_start_does_not_take_the_first_outlet_for_the_only_one():
    """Before a day has been counted, as many sources are asked for as the rule says."""
    signal = told(0, "a", 50, flow=Flow(articles=200, sources=1, hours=3))
    assert play(Book(rules(min_sources=2)), [signal], until=1) == []


def test_growth_weighs_more_and_is_told():
    """175,000 after 94,000: heavier than the first, shown as a factor, and an update in the interval's own time."""
    book = Book(rules(update_interval="1h", update_change=100))
    alerts = play(book, [told(0, "a", 12), troops(1, "b", 94_000), troops(30, "c", 175_000)], until=31)
    last = alerts[-1]
    shown = next(each for each in last.evidence if "growth" in each.factors)
    assert shown.factors["growth"] == pytest.approx(1 + math.log2(175 / 94), abs=1e-3)
    assert last.magnitudes == {"troops": 175_000}
    assert last.transition == "updated"


@pytest.mark.parametrize(("count", "days"), [(100_000, 1), (50_000, 1), (175_000, 40)])
def test_about_the_same_or_long_after_is_no_growth(count: float, days: float):
    """A rounder figure of the same troops, fewer of them, or more of them a season later."""
    assert growth({"troops": count}, {"troops": (94_000.0, 0.0, 0.0)}, days * 86400) == 1


def test_amounts_of_one_moment_are_not_held_against_one_another():
    """One article that names both figures weighs the same, whichever is read first."""
    one, other = troops(0, "a", 94_000), troops(0, "b", 175_000)
    scores = []
    for order in ([one, other], [other, one]):
        book = Book(rules())
        play(book, order, until=0)
        scores.append(book.dyads()[0].score)
    assert scores[0] == scores[1]


def test_a_small_figure_does_not_keep_a_large_one_alive():
    """A rumour of half a million is forgotten in a month, however many companies are counted in the meantime."""
    counted = noted({}, {"troops": 500_000.0}, 0.0)
    for day in range(1, 40):
        counted = noted(counted, {"troops": 3_000.0}, day * 86400.0)
    assert counted["troops"][0] == 3_000


@pytest.mark.parametrize("changes", [{"severity": math.nan}, {"severity": math.inf}, {"confidence": math.nan}])
def test_what_is_no_number_counts_for_nothing(changes: dict):
    """It is recorded, and nothing else."""
    signal = told(0, "a", changes.get("severity", 20.0))
    if "confidence" in changes:
        signal = replace(signal, confidence=changes["confidence"])
    book = Book(rules())
    play(book, [signal], until=0)
    assert book.dyads()[0].score in {0, 20}


def test_a_confidence_beyond_one_is_one():
    """A writer that does not keep to the schema can't overflow a score."""
    book = Book(rules())
    play(book, [replace(told(n, f"s{n}", 100), confidence=1e306) for n in range(5)], until=5)
    assert book.dyads()[0].score < 500


@given(st.lists(st.tuples(st.text(max_size=3), st.floats(1, 1e12), st.floats(0, 1e7)), max_size=30))
def test_few_units_are_kept(told_of: list[tuple[str, float, float]]):
    """Whatever is counted, the state stays small."""
    counted: dict = {}
    for unit, value, when in sorted(told_of, key=lambda each: each[2]):
        counted = noted(counted, {unit: value}, when)
        assert len(counted) <= MAX_UNITS
        assert unit in counted


def test_every_factor_of_a_weight_is_shown():
    """Severity, confidence and flow multiply to what the evidence adds."""
    signal = replace(told(0, "a", 20, flow=Flow(articles=800, sources=9)), confidence=0.8)
    (alert,) = play(Book(rules(levels={"watch": {"raise_at": 5, "clear_at": 2}})), [signal], until=0)
    (shown,) = alert.evidence
    assert shown.factors == {"severity": 20, "confidence": 0.8, "flow": 0.5}
    assert shown.weight == pytest.approx(math.prod(shown.factors.values()))
    assert alert.at == at(0)
