"""Times that no article has: the first and the last that a date can tell, and what a false clock leaves behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import DYAD, at, brief, play, rules, told

from pipeline.records import Dyad, Signal, decode, encode
from pipeline.scoring.book import Book
from pipeline.scoring.explain import moment

EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))
ENDS = (
    datetime.min.replace(tzinfo=UTC),
    datetime.min.replace(tzinfo=EAST),
    datetime.max.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=WEST),
)
NOW = at(100)


def stored(book: Book) -> list[Dyad]:
    """The book's dyads, written and read."""
    return [decode(encode(dyad), Dyad) for dyad in book.dyads()]


def restored(book: Book) -> Book:
    """A new book with what the other wrote."""
    again = Book(rules())
    again.restore(stored(book))
    return again


@pytest.mark.parametrize(("observed", "published"), list(product(ENDS, ENDS)))
def test_the_ends_of_the_calendar_are_times_like_others(observed: datetime, published: datetime):
    """A feed may claim any date: applying, writing, restoring and asking for what is due must not overflow."""
    book = Book(rules())
    signal = decode(encode(told(0, "a", 50, observed_at=observed, published_at=published)), Signal)
    book.apply(DYAD, signal)
    book.advance(observed)
    for each in (book, restored(book)):
        each.next_due()
        each.apply(DYAD, told(1, "b", 50))
        each.advance(ENDS[-1])
        each.next_due()
        alerts, dyads, _ = each.drain()
        assert [encode(record) for record in (*alerts, *dyads)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.datetimes(), st.datetimes()), min_size=1, max_size=6))
def test_any_dates_in_any_order_are_survived(dates: list[tuple[datetime, datetime]]):
    """Whatever order false dates come in, nothing raises, and a restored book stands where the other does."""
    book = Book(rules())
    for number, (observed, published) in enumerate(dates):
        moments = {"observed_at": observed.replace(tzinfo=UTC), "published_at": published.replace(tzinfo=UTC)}
        book.apply(DYAD, told(0, f"s{number}", 60, **moments))
        book.advance(moments["observed_at"])
    again = restored(book)
    assert again.next_due() == book.next_due()
    assert [encode(dyad) for dyad in again.dyads()] == [encode(dyad) for dyad in book.dyads()]


def test_what_is_due_after_the_calendar_is_never_due():
    """A job that is told of a time which does not come would turn round for ever."""
    book = Book(rules())
    book.apply(DYAD, told(0, "a", 50, observed_at=ENDS[2], published_at=ENDS[2]))
    assert book.next_due() is None
    assert moment(1e300) > moment(0) > moment(-1e300)


@pytest.mark.parametrize("false", [at(172), ENDS[2]])
def test_a_dyad_that_a_false_time_took_along_starts_anew(false: datetime):
    """Taken to the year 9999 it would hear nothing until then: set back, its alert resolves, and it counts again."""
    book = Book(rules())
    alerts = play(book, [told(0, "a", 50), told(1, "false", 50, observed_at=false)], until=1)
    healed = restored(book)
    healed.set_back(DYAD, NOW)
    after, changed, _ = healed.drain()
    assert [alert.transition.value for alert in (*alerts, *after)][-1] == "resolved"
    assert [alert.sequence for alert in (*alerts, *after)] == list(range(1, len(alerts) + len(after) + 1))
    assert all(alert.at == NOW for alert in after)
    assert [(dyad.at, dyad.score, dyad.open_alert) for dyad in changed] == [(NOW, 0, None)]
    assert brief(play(healed, [told(101, "b", 12)], until=101)) == [("raised", "watch", 101)]


def test_setting_back_keeps_what_was_counted():
    """What extract repeats after a restart must not count again on a dyad that was set back."""
    book = Book(rules())
    play(book, [told(0, "a", 50), told(1, "false", 1, observed_at=at(172))], until=1)
    book.set_back(DYAD, NOW)
    assert book.apply(DYAD, told(0, "a", 50)) == "repeated"


def test_a_dyad_that_is_on_time_is_not_set_back():
    """What is not ahead of its time stays as it is, and nothing is written for it."""
    book = Book(rules())
    play(book, [told(0, "a", 50)], until=99)
    healed = restored(book)
    healed.set_back(DYAD, NOW)
    assert stored(healed) == stored(book)
    assert healed.drain() == ([], [], [])
