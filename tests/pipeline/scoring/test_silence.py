"""Forgetting: dyads of which nothing is left go, and nothing that anybody is told of changes by it."""

from __future__ import annotations

from timelines import DYAD, at, brief, play, rules, told

from pipeline.records import Dyad, EventType, decode, encode
from pipeline.scoring.book import Book

YEAR = 24 * 365.0
HALF_LIFE = 48.0


def forgotten_by(book: Book, hours: float) -> list[str]:
    """What is forgotten until then."""
    book.advance(at(hours))
    return book.drain()[2]


def test_what_was_told_of_once_does_not_stay_for_ever():
    """Three hundred dyads, each in the news once, leave nothing within a year: memory and topic stay bounded."""
    book = Book(rules())
    keys = [f"X{number:03}-YYY" for number in range(300)]
    for number, key in enumerate(keys):
        book.apply(key, told(0, f"s{number}", 3 if number % 3 else -3, active=bool(number % 2)))
    assert len(book) == 300
    assert sorted(forgotten_by(book, YEAR)) == keys
    assert len(book) == 0
    assert book.next_due() is None
    assert book.drain() == ([], [], [])


def test_a_dyad_is_not_forgotten_while_its_ids_are_recent():
    """One whose signals never counted has no score; its ids must be known as long as an upstream repeat may come."""
    book = Book(rules())
    book.apply(DYAD, told(0, "a", active=False))
    assert forgotten_by(book, 4 * HALF_LIFE) == []
    assert book.apply(DYAD, told(0, "a", active=False)) == "repeated"
    assert forgotten_by(book, 9 * HALF_LIFE) == [DYAD]


def test_a_dyad_is_not_forgotten_while_its_baseline_says_what_is_usual():
    """After a crisis the score is soon gone; what was usual stays until it is next to nothing."""
    book = Book(rules())
    play(book, [told(hour, f"s{hour}", 20) for hour in range(0, 400, 4)], until=400 + 25 * HALF_LIFE)
    dyad = book.dyads()[0]
    assert dyad.score < 1e-4
    assert dyad.baseline > 0.05
    assert forgotten_by(book, YEAR) == [DYAD]


def test_a_dyad_is_not_forgotten_while_calm_news_weighs_on_it():
    """A score of 0 may hide what lowers the next one."""
    book = Book(rules())
    book.apply(DYAD, told(0, "a", -90, event_type=EventType.CEASEFIRE))
    assert forgotten_by(book, 10 * HALF_LIFE) == []
    assert forgotten_by(book, 40 * HALF_LIFE) == [DYAD]


def test_an_open_alert_is_never_forgotten():
    """One that is not to resolve for a year is open for a year, and then resolves before the dyad is forgotten."""
    book = Book(rules(clear_for="365d", update_interval="2000d"))
    play(book, [told(0, "a", 12)], until=1)
    assert forgotten_by(book, YEAR) == []
    assert book.dyads()[0].open_alert
    book.advance(at(2 * YEAR))
    alerts, dyads, forgotten = book.drain()
    assert [alert.transition.value for alert in alerts] == ["resolved"]
    assert (dyads, forgotten) == ([], [DYAD])


def test_a_forgotten_dyad_starts_afresh():
    """After it, a signal is told of as on a dyad that never was, whether or not somebody looked in between."""
    late = [told(YEAR, "a", 12), told(YEAR + 1, "b", 30)]
    never = play(Book(rules()), late, until=YEAR + 2000)
    looked, leapt = Book(rules()), Book(rules())
    play(looked, [told(0, "a", 12)], until=100)
    assert forgotten_by(looked, YEAR - 1) == [DYAD]
    assert play(looked, late, until=YEAR + 2000) == never
    first = brief(play(Book(rules()), [told(0, "a", 12)], until=100))
    alerts = play(leapt, [told(0, "a", 12), *late], until=YEAR + 2000)
    assert brief(alerts[: len(first)]) == first
    assert alerts[len(first) :] == never


def test_a_dyad_in_the_news_again_is_written_and_not_buried():
    """Forgotten and heard of again between two writes, its record must outlive the tombstone."""
    book = Book(rules())
    play(book, [told(0, "a", 3)], until=0)
    book.advance(at(YEAR))
    book.apply(DYAD, told(YEAR, "b", 3))
    _, dyads, forgotten = book.drain()
    assert [dyad.dyad for dyad in dyads] == [DYAD]
    assert forgotten == []


def test_a_silent_dyad_that_was_stored_is_forgotten_after_the_restart():
    """What an installation gathered before dyads were forgotten goes too."""
    book = Book(rules())
    play(book, [told(0, "a", 3)], until=0)
    again = Book(rules())
    again.restore([decode(encode(book.dyads()[0]), Dyad)])
    assert forgotten_by(again, YEAR) == [DYAD]


def test_a_quiet_dyad_is_seldom_looked_at():
    """Waiting to be forgotten must not write every dyad again and again."""
    book = Book(rules())
    play(book, [told(0, "a", 3)], until=0)
    while (due := book.next_due()) is not None and book.dyads()[0].score >= 0.1:
        book.advance(due)
    looks = 0
    while (due := book.next_due()) is not None:
        book.advance(due)
        looks += 1
    assert len(book) == 0
    assert looks <= 4
