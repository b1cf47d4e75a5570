"""How all dyads stand at a time: the last day's counts, who is shown, and what an outsider's names can do."""

from __future__ import annotations

import random

import pytest
from timelines import DYAD, at, rules, told, wire

from pipeline.records import Dyad, EventType, Level, decode, encode
from pipeline.scoring.book import Book
from pipeline.scoring.day import joined, noted
from pipeline.scoring.state import MAX_DAY_SOURCES, Day
from pipeline.scoring.survey import Scope, is_shown, keys

SCOPE = Scope(dyads=3, sources=5)


def book_of(*signals, dyad=DYAD, **changes):
    """A book after these signals, all of one dyad."""
    book = Book(rules(**changes))
    for signal in signals:
        book.apply(dyad, signal)
    return book


def again(book):
    """What a restart makes of it."""
    other = Book(rules())
    other.restore(decode(encode(dyad), Dyad) for dyad in book.dyads())
    return other


def only(book, hours):
    """The one dyad that is shown after so many hours."""
    (standing,) = book.survey(SCOPE, at(hours)).shown
    return standing


def test_a_day_counts_what_counted_in_24_hours():
    """What is older leaves the count hour by hour, though no signal comes; repeats and inactive ones never count."""
    force = {"event_type": EventType.FORCE}
    signals = [told(0, "a"), told(0, "a"), told(1.5, "b", **force), told(5, "c", **force), told(5, "d", active=False)]
    book = book_of(*signals)
    counts = [only(book, hours).signals for hours in (5, 23.9, 24, 25, 28.9, 29)]
    both = {"deployment": 1, "force": 2}
    assert counts == [both, both, {"force": 2}, {"force": 1}, {"force": 1}, {}]


def test_a_restart_tells_the_same():
    """Dashboards must not fall to 0 with a restart: all that a survey shows comes back from the topic."""
    chance = random.Random(3)
    signals = [told(n / 9, f"s{n}", 6, f"o{chance.randrange(50)}.example") for n in range(400)]
    half = book_of(*signals[:200])
    resumed, undisturbed = again(half), book_of(*signals)
    for signal in signals[200:]:
        resumed.apply(DYAD, signal)
    assert resumed.survey(SCOPE, at(45)) == undisturbed.survey(SCOPE, at(45))
    assert again(resumed).survey(SCOPE, None) == resumed.survey(SCOPE, None)


def test_scores_decay_between_signals():
    """A gauge that only moved with signals would show a crisis that is over."""
    book = book_of(told(0, "a", 30))
    assert only(book, 48).score == pytest.approx(only(book, 0).score / 2)
    assert book.survey(SCOPE, at(-100)).shown[0].score == only(book, 0).score


def test_who_is_shown():
    """The highest scores, every open alert however low by now, and who is named, known or not; no other."""
    book = Book(rules())
    for number, severity in enumerate((4, 3, 2, 1)):
        book.apply(f"AA{number}-ZZZ", told(0, f"s{number}", severity))
    book.apply("OLD-ZZZ", told(-300, "x", 30))
    survey = book.survey(Scope(2, keys(["ZZZ-AA3", "NEW-YYY"]), 5), at(0))
    shown = {each.dyad: each for each in survey.shown}
    assert list(shown) == ["AA0-ZZZ", "AA1-ZZZ", "AA3-ZZZ", "NEW-YYY", "OLD-ZZZ"]
    assert (shown["OLD-ZZZ"].level, shown["AA0-ZZZ"].level) == (2, 0)
    assert shown["OLD-ZZZ"].score < 1 > shown["NEW-YYY"].score == 0
    assert survey.dyads == 5
    assert survey.levels == {Level.CALM: 4, Level.WATCH: 0, Level.WARNING: 1, Level.CRITICAL: 0}
    assert survey.open_alerts == {Level.WATCH: 0, Level.WARNING: 1, Level.CRITICAL: 0}


def test_sources_are_the_most_cited_of_all_dyads():
    """A source is counted over all dyads, by name, and the ones with most signals are told."""
    book = Book(rules())
    for number in range(12):
        book.apply(f"AA{number % 3}-ZZZ", told(0, f"s{number}", 3, f"o{min(number, 6)}.example"))
    sources = book.survey(Scope(1, sources=2), at(0)).sources
    assert sources == {"o6.example": 6, "o0.example": 1}


@pytest.mark.parametrize("dyad", ["x" * 500, "Ü-¿", "RUS", "RUS-", "rus-ukr", 'A"\n-BCD', "AAA-BBB-CCC"])
def test_a_key_that_is_no_pair_of_codes_is_not_shown(dyad):
    """A message may bear any key: it must not become a label."""
    assert not is_shown(dyad)
    survey = book_of(told(0, "a", 90), dyad=dyad).survey(SCOPE, at(0))
    assert survey.shown == ()
    assert survey.dyads == 1


def test_sources_of_a_day_are_bounded():
    """However many names an outsider invents, so many are kept, none of them long, and one told lately stays."""
    day = Day()
    for number in range(500):
        for source in (f"fake{number}.example", "wire.example", "x" * 101, "a\nb", ""):
            day = noted(day, told(0, f"s{number}", source=source or " \t"), at(0).timestamp())
    names = [name for name, _ in day.sources]
    assert len(names) == MAX_DAY_SOURCES
    assert dict(day.sources)["wire.example"] == (500,)
    assert all(name.endswith(".example") for name in names)


def test_two_days_join_hour_by_hour():
    """Of a dyad whose signals came to two places the sum counts, as of the later one's hour."""
    left, right = Day(), Day()
    for hours in (0, 1, 9):
        left = noted(left, told(hours, "a"), at(hours).timestamp())
    for hours in (1, 25):
        right = noted(right, told(hours, "b", source="a.example"), at(hours).timestamp())
    both = joined(left, right)
    assert both == joined(right, left)
    (counts,) = both.types.values()
    assert counts == (1, *(0,) * 15, 1)
    assert both.sources == (("a.example", counts),)


def test_a_story_told_by_another_article_is_told_again():
    """Copies are near duplicates; a second sentence of the first article is none."""
    text = wire(" ".join(f"word{number}" for number in range(60)))
    first = told(0, "a", source="one.example", story=text)
    second = told(0, "b", source="one.example", story=text, article_id=first.article_id)
    copy = told(1, "c", source="two.example", story=text)
    book, found = Book(rules()), []
    for signal in (first, second, copy, told(2, "d")):
        book.apply(DYAD, signal)
        found.append(book.retold(DYAD, signal))
    assert found == [False, False, True, False]
