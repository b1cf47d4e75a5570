"""Silences and inhibition: who is told of what, and when."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import BASE, FEARED, at, feared, file, play, told

from pipeline.records import Alert, Dyad, EventType, Modality, Polarity, decode, encode
from pipeline.scoring.book import Book


def silence(start: float, end: float, **match: Any) -> dict[str, Any]:
    """A silence from and until so many hours after the start."""
    return {"name": "quiet", "why": "A test.", "from": at(start), "until": at(end), "match": match}


def seen(alerts: list[Alert]) -> list[tuple[str, str, str | None]]:
    """Transition, level and what mutes, of each."""
    return [(alert.transition.value, alert.level.value, alert.muted) for alert in alerts]


def test_a_silence_mutes_and_its_end_tells():
    """Within it nobody is told; what is still open when it ends is told then, and its end is told as well."""
    book = Book(file(BASE, silences=[silence(-1, 5)]))
    alerts = play(book, [told(0, "a", 12)], until=500)
    assert seen(alerts) == [
        ("raised", "watch", "silence quiet"),
        ("updated", "watch", None),
        ("resolved", "calm", None),
    ]
    assert alerts[1].at == at(5)
    assert [alert.sequence for alert in alerts] == [1, 2, 3]


def test_an_alert_of_which_nobody_heard_ends_unheard():
    """Raised and resolved within a silence."""
    alerts = play(Book(file(BASE, silences=[silence(-1, 2000)])), [told(0, "a", 12)], until=1000)
    assert [alert.muted for alert in alerts] == ["silence quiet"] * len(alerts)


def test_a_silence_that_begins_later_says_so_and_the_end_is_told():
    """Whoever heard it begin hears that it is muted from now on, on the topic, and hears it end."""
    alerts = play(Book(file(BASE, silences=[silence(2, 2000)])), [told(0, "a", 12)], until=1000)
    assert seen(alerts) == [
        ("raised", "watch", None),
        ("updated", "watch", "silence quiet"),
        ("resolved", "calm", None),
    ]


@pytest.mark.parametrize(
    ("match", "muted"),
    [({"dyads": ["ARV"]}, True), ({"dyads": ["XXX-YYY"]}, False), ({"levels": ["warning"]}, False), ({}, True)],
)
def test_what_a_silence_matches(match: dict, muted: bool):
    """Everything that it names must fit."""
    (alert,) = play(Book(file(BASE, silences=[silence(-1, 5, **match)])), [told(0, "a", 12)], until=1)
    assert (alert.muted is not None) is muted


INHIBIT = [{"source": {"rules": ["main"], "levels": ["warning"]}, "target": {"rules": ["feared"]}}]


def test_an_alarm_mutes_fears_until_it_is_over():
    """Fears raised under an alarm are muted; when the alarm goes down, those that are left are told."""
    book = Book(file(BASE, FEARED, inhibit=INHIBIT))
    alerts = play(book, [told(0, "a", 22), feared(0, "b", 30)], until=100)
    fears = [alert for alert in alerts if alert.rule == "feared"]
    alarm = [alert for alert in alerts if alert.rule == "main"]
    assert seen(fears)[0] == ("raised", "watch", "inhibited by main")
    assert seen(fears)[1] == ("updated", "watch", None)
    assert fears[1].at == next(alert.at for alert in alarm if alert.level == "watch")
    assert all(alert.muted is None for alert in alarm)


def test_fears_that_stood_are_muted_when_the_alarm_is_raised():
    """At the moment of the alarm, not at the next news."""
    book = Book(file(BASE, FEARED, inhibit=INHIBIT))
    alerts = play(book, [feared(0, "b", 30), told(5, "a", 22)], until=6)
    assert [(alert.rule, alert.transition.value, alert.muted) for alert in alerts] == [
        ("feared", "raised", None),
        ("main", "raised", None),
        ("feared", "updated", "inhibited by main"),
    ]
    assert alerts[2].at == at(5)


def test_muting_survives_a_restart_and_does_not_depend_on_who_looks():
    """Restored from JSON at any hour, and looked at often or once, the transitions are the same."""
    rules = file(BASE, FEARED, inhibit=INHIBIT, silences=[silence(3, 30)])
    signals = [told(0, "a", 22), feared(1, "b", 30), told(40, "c", 8), feared(41, "d", 9)]

    def run(stops: list[float]) -> list[bytes]:
        book, told_of = Book(rules), []
        for stop in stops:
            for signal in [s for s in signals if (s.observed_at <= at(stop)) and s not in done]:
                book.advance(signal.observed_at)
                book.apply("ARV-BRN", signal)
                done.append(signal)
            book.advance(at(stop))
            told_of += [encode(alert) for alert in book.drain()[0]]
            fresh = Book(rules)
            fresh.restore([decode(encode(dyad), Dyad) for dyad in book.dyads()])
            book = fresh
        return told_of

    done: list = []
    often = run([float(hour) for hour in range(0, 400, 3)])
    done = []
    assert run([400.0]) == often


def test_a_silence_that_is_added_mutes_at_once_and_one_that_is_taken_out_tells():
    """The operator writes a silence into the file, and later takes it out again: no restart, no news is needed."""
    book = Book(file(BASE))
    play(book, [told(0, "a", 12)], until=1)
    book.reload(file(BASE, silences=[silence(-1, 500)]))
    assert seen(book.drain()[0]) == [("updated", "watch", "silence quiet")]
    book.reload(file(BASE))
    assert seen(book.drain()[0]) == [("updated", "watch", None)]


def test_a_silence_that_is_added_for_later_mutes_when_it_begins():
    """Its bounds fall due like anything else."""
    book = Book(file(BASE))
    play(book, [told(0, "a", 12)], until=1)
    book.reload(file(BASE, silences=[silence(3, 5)]))
    book.advance(at(6))
    alerts = book.drain()[0]
    assert [(alert.at, alert.muted) for alert in alerts] == [(at(3), "silence quiet"), (at(5), None)]


def test_two_alerts_never_mute_each_other():
    """Of one level, the rule that stands first in the file is heard."""
    other = BASE | {"name": "other"}
    book = Book(file(BASE, other, inhibit=[{"source": {"levels": ["warning"]}, "target": {}}]))
    alerts = play(book, [told(0, "a", 22)], until=1)
    assert [(alert.rule, alert.muted) for alert in alerts] == [("main", None), ("other", "inhibited by main")]


def test_who_is_muted_at_once_does_not_depend_on_the_files_order():
    """Raised in one moment under an alarm, fears are never told."""
    for rules in ((BASE, FEARED), (FEARED, BASE)):
        book = Book(file(*rules, inhibit=INHIBIT))
        alerts = play(book, [told(0, "a", 22), feared(0, "b", 30)], until=1)
        assert {(alert.rule, alert.muted) for alert in alerts} == {("main", None), ("feared", "inhibited by main")}


KINDS = (
    {},
    {"event_type": EventType.FORCE, "modality": Modality.SPECULATIVE, "active": False},
    {"event_type": EventType.TALKS, "polarity": Polarity.DEESCALATORY},
)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_when_we_look_does_not_matter_under_any_rules(seed: int):
    """Several rules of several half-lives, silences and inhibition: looked at every few hours or once, to the byte."""
    chance = random.Random(seed)
    quick = FEARED | {"half_life": "2h", "baseline_half_life": "4h", "clear_for": "1h"}
    found = file(BASE, quick, inhibit=INHIBIT, silences=[silence(chance.uniform(0, 80), 100)])
    signals = sorted(
        (told(chance.uniform(0, 120), f"s{n}", chance.choice([12, 6, -4]), **chance.choice(KINDS)) for n in range(25)),
        key=lambda signal: signal.observed_at,
    )
    ends = []
    for step in (2.0, 400.0):
        book, hour = Book(found), 0.0
        for signal in signals:
            while at(hour) < signal.observed_at:
                book.advance(at(hour))
                hour += step
            book.apply("ARV-BRN", signal)
        book.advance(at(900))
        ends.append([encode(alert) for alert in sorted(book.drain()[0], key=lambda a: (a.at, a.rule, a.sequence))])
    assert ends[0] == ends[1]
