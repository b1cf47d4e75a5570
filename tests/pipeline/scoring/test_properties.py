"""Properties that live, restart and replay rest on, over random streams of signals."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw, structs
from timelines import KINDS, START, at, rules, told, wire

from pipeline.records import Alert, Dyad, Transition, decode, encode
from pipeline.scoring.book import Book, StateError

if TYPE_CHECKING:
    from config.alerts import AlertRules
    from pipeline.records import Signal

DYADS = ("ARV-BRN", "ARV-CAL", "BRN-CAL")
STORIES = tuple(wire(f"story {n} of seven words that {n * 7} differ from {n * 11} others") for n in range(6))
RULES = rules(hold_for="20m", clear_for="3h", half_life="12h", update_interval="2h", baseline_ratio=1.5, min_sources=2)
FORGETFUL = rules(half_life="1h", baseline_half_life="90m", hold_for="5m", clear_for="1h", update_interval="2h")
"""Under these a dyad is forgotten within a day of silence, and so many times in a stream."""
Feed = list[tuple[str, "Signal"]]


def stream(seed: int, count: int, remembered: float = 40.0) -> Feed:
    """Random signals in order: copies, quiet days and bursts, and repeats as old as ids are surely known (hours)."""
    chance = random.Random(seed)
    feed: Feed = []
    hour = 0.0
    for index in range(count):
        hour += chance.choice([0, 0.01, 0.3, 2, 9, 40])
        recent = [each for each in feed if each[1].observed_at > at(hour - remembered)]
        if recent and chance.random() < 0.15:
            feed.append(chance.choice(recent))
            continue
        kind, modality, severity = chance.choice(KINDS)
        signal = told(
            hour,
            f"{seed}-{index}",
            source=f"s{chance.randrange(5)}.example",
            story=chance.choice((*STORIES, "")),
            event_type=kind,
            modality=modality,
            active=chance.random() < 0.8,
            published_at=at(hour - chance.choice([0, 0.1, 5, 30])),
            severity=severity,
        )
        feed.append((chance.choice(DYADS), signal))
    return feed


def run(book: Book, feed: Feed, *, ticks: bool = True) -> list[Alert]:
    """Apply the feed, letting time pass before each signal as the live job does."""
    for dyad, signal in feed:
        if ticks:
            book.advance(signal.observed_at)
        book.apply(dyad, signal)
    return book.drain()[0]


def restored(book: Book, by: AlertRules = RULES) -> Book:
    """The book, written down as JSON and read again."""
    fresh = Book(by)
    fresh.restore(decode(encode(dyad), Dyad) for dyad in book.dyads())
    return fresh


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 80), st.integers(1, 80), st.booleans())
def test_a_restored_book_goes_on_as_if_nothing_had_happened(seed: int, before: int, after: int, forgetful: bool):
    """Stopped after any signal and restored from JSON, it gives the same alerts, dyads and due times, to the byte."""
    by, remembered = (FORGETFUL, 4.0) if forgetful else (RULES, 40.0)
    feed = stream(seed, before + after, remembered)
    undisturbed, stopped = Book(by), Book(by)
    first = run(undisturbed, feed[:before])
    assert run(stopped, feed[:before]) == first
    resumed = restored(stopped, by)
    assert resumed.next_due() == undisturbed.next_due()
    assert resumed.open_by_level() == undisturbed.open_by_level()
    later: list[tuple[list[Alert], list[bytes], list[str]]] = []
    for book in (undisturbed, resumed):
        alerts = run(book, feed[before:])
        told_of = [encode(dyad) for dyad in book.dyads()]
        book.advance(at(24 * 90))
        more, _, forgotten = book.drain()
        later.append((alerts + more, told_of + [encode(dyad) for dyad in book.dyads()], forgotten))
    assert later[0] == later[1]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 80), st.booleans())
def test_when_we_look_does_not_matter(seed: int, count: int, forgetful: bool):
    """Time let pass in many steps or in one leap gives the same transitions: replay and live agree."""
    by, remembered = (FORGETFUL, 4.0) if forgetful else (RULES, 40.0)
    feed = stream(seed, count, remembered)
    often, once = Book(by), Book(by)
    end = feed[-1][1].observed_at + timedelta(days=60)
    seen = run(often, feed)
    for hour in range(0, 24 * 60, 5):
        often.advance(feed[-1][1].observed_at + timedelta(hours=hour))
    often.advance(end)
    seen += often.drain()[0]
    leapt = run(once, feed, ticks=False)
    once.advance(end)
    leapt += once.drain()[0]
    key = lambda alert: (alert.dyad, alert.at, alert.sequence)  # noqa: E731  three words, used twice
    assert sorted(seen, key=key) == sorted(leapt, key=key)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_what_is_due_is_done_by_then(seed: int, count: int):
    """Time let pass to what is due, to the microsecond, does it: a job that waits for it must not spin."""
    book = Book(FORGETFUL)
    run(book, stream(seed, count, 4.0))
    for _ in range(10_000):
        if (due := book.next_due()) is None:
            break
        book.advance(due)
        after = book.next_due()
        assert after is None or after > due
    assert len(book) == 0


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 80))
def test_every_alert_lives_a_whole_life(seed: int, count: int):
    """For each id: sequences 1, 2, 3 …; first raised, last resolved; levels join; times never go back."""
    feed = stream(seed, count)
    book = Book(RULES)
    alerts = run(book, feed)
    book.advance(at(24 * 400))
    alerts += book.drain()[0]
    lives: dict[str, list[Alert]] = {}
    for alert in alerts:
        lives.setdefault(alert.alert_id, []).append(alert)
    for life in lives.values():
        assert [alert.sequence for alert in life] == list(range(1, len(life) + 1))
        assert life[0].transition is Transition.RAISED
        assert life[-1].transition is Transition.RESOLVED
        assert all(alert.transition is Transition.UPDATED for alert in life[1:-1])
        for one, other in pairwise(life):
            assert other.previous_level is one.level
            assert other.at >= one.at
    assert not any(book.open_by_level().values())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60))
def test_shuffled_arrival_ends_at_the_same_score(seed: int, count: int):
    """Signals that arrive late and out of order crash nothing and leave the same score, once all are there.

    Under a half-life so long that no dyad is forgotten on the way: what is forgotten depends on the order.
    """
    slow = rules(half_life="4d")
    feed = stream(seed, count)
    late = sorted(feed, key=lambda each: each[1].observed_at.timestamp() + random.Random(seed).uniform(0, 6 * 3600))
    random.Random(seed).shuffle(late)
    end = max(signal.observed_at for _, signal in feed) + timedelta(hours=1)
    scores = []
    for order in (feed, late):
        book = Book(slow)
        run(book, order, ticks=False)
        for dyad in DYADS:  # a signal that counts nothing brings every dyad to one time
            book.apply(dyad, told(0, f"end-{dyad}", 1, active=False, observed_at=end))
        scores.append({dyad.dyad: dyad.score for dyad in book.dyads()})
    assert scores[0] == pytest.approx(scores[1], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("found", "instead"), [(b'"version":2', b'"version":99'), (b'"dyad":', b'"nonsense":')])
def test_a_state_that_cannot_be_read_is_refused(found: bytes, instead: bytes):
    """A state that this code can't go on from stops the start, and the error says whose it is."""
    book = Book(RULES)
    run(book, stream(1, 20))
    held = book.dyads()[0]
    broken = structs.replace(held, state=Raw(bytes(held.state).replace(found, instead)))
    with pytest.raises(StateError, match=held.dyad):
        Book(RULES).restore([broken])


def test_a_changed_rule_takes_over_what_was_open():
    """A new threshold applies at once to the standing score; a rule of another name ends the alert of the old one."""
    book = Book(rules())
    book.apply("ARV-BRN", told(0, "a", 12))
    opened = book.drain()[0][0]
    higher = restored(book, rules(levels={"watch": {"raise_at": 30, "clear_at": 20}}))
    higher.advance(START + timedelta(hours=7))
    resolved = higher.drain()[0]
    assert [(alert.alert_id, alert.transition) for alert in resolved] == [(opened.alert_id, Transition.RESOLVED)]
    renamed = restored(book, rules(name="other"))
    renamed.advance(START + timedelta(minutes=1))
    alerts = renamed.drain()[0]
    assert {(alert.rule, alert.transition.value) for alert in alerts} == {("test", "resolved"), ("other", "raised")}


def test_a_real_signal_takes_a_dyad_over_from_the_drill():
    """Drill signals never count on a real dyad; a real one ends the drill's alert and starts from nothing."""
    drill = {"scope": {"drill": True}, "name": "drill"}
    both = rules().model_copy(update={"rules": (*rules().rules, *rules(**drill).rules)})
    book = Book(both)
    assert book.apply("ARV-BRN", told(0, "a", 30, drill=True)) == "applied"
    assert book.dyads()[0].drill
    assert book.apply("ARV-BRN", told(1, "b", 3)) == "applied"
    assert book.apply("ARV-BRN", told(2, "c", 50, drill=True)) == "inactive"
    alerts = book.drain()[0]
    assert [(alert.rule, alert.transition.value, alert.drill) for alert in alerts] == [
        ("drill", "raised", True),
        ("drill", "resolved", True),
    ]
    assert not book.dyads()[0].drill
    assert book.dyads()[0].score < 4
