"""The life of an alert, in the manner of acceptance tests: a timeline of signals, and what must fire when."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from timelines import DYAD, at, brief, play, rules, told

from config.alerts import load_alerts
from pipeline.records import EventType, Level, Modality, Transition
from pipeline.scoring.book import Book

HALF_LIFE = 48.0


def below(score: float, threshold: float) -> float:
    """Hours until a score decays to a threshold."""
    return HALF_LIFE * math.log2(score / threshold)


def test_one_grave_story_raises_and_resolves_at_its_due_time():
    """Raised with the signal; resolved when it was below the clear threshold for the whole time, not when we looked."""
    alerts = play(Book(rules()), [told(0, "a", 12)], until=500)
    assert brief(alerts) == [("raised", "watch", 0), ("resolved", "calm", round(below(12, 5) + 6, 2))]


def test_levels_go_up_at_once_and_down_one_by_one():
    """Each step is told once, with the level before it and the next sequence number, under one id."""
    signals = [told(0, "a", 12), told(1, "b", 12), told(2, "c", 30)]
    alerts = play(Book(rules()), signals, until=1000)
    assert [alert.level for alert in alerts] == ["watch", "warning", "critical", "warning", "watch", "calm"]
    assert [alert.previous_level for alert in alerts] == ["calm", "watch", "warning", "critical", "warning", "watch"]
    assert [alert.sequence for alert in alerts] == [1, 2, 3, 4, 5, 6]
    assert len({alert.alert_id for alert in alerts}) == 1


def test_a_leap_skips_levels():
    """From calm to critical is one transition, not three."""
    assert brief(play(Book(rules()), [told(0, "a", 60)], until=1)) == [("raised", "critical", 0)]


def test_hold_time_must_pass():
    """A level is raised when its condition has held for the whole time, stamped with that moment."""
    alerts = play(Book(rules(hold_for="30m")), [told(0, "a", 12)], until=1)
    assert brief(alerts) == [("raised", "watch", 0.5)]
    assert alerts[0].started_at == at(0)


def test_what_does_not_hold_does_not_raise():
    """A score that is calmed, or decays below the threshold, within the hold time never raises."""
    calmed = [told(0, "a", 12), told(0.2, "b", -8, event_type=EventType.WITHDRAWAL)]
    assert play(Book(rules(hold_for="30m")), calmed, until=500) == []
    assert play(Book(rules(hold_for="10h")), [told(0, "a", 10.2)], until=500) == []


def test_flapping_input_gives_no_flapping():
    """A score that swings around the thresholds for days, faster than the hold times, is one quiet episode."""
    signals = []
    for step in range(60):
        signals.append(told(step, f"up{step}", 7 if step else 12, event_type=EventType.FORCE))
        signals.append(told(step + 0.5, f"down{step}", -7 if step else -6, event_type=EventType.TALKS))
    alerts = play(Book(rules(update_interval="30d")), signals, until=59.9)
    assert brief(alerts) == [("raised", "watch", 0)]


def test_deescalation_lowers_and_resolves_sooner():
    """An agreed withdrawal takes weight off; the alert resolves earlier than it would have."""
    calm = told(1, "b", -8, event_type=EventType.WITHDRAWAL)
    alerts = play(Book(rules()), [told(0, "a", 12), calm], until=500)
    assert brief(alerts) == [("raised", "watch", 0), ("resolved", "calm", 7)]


def test_a_score_never_falls_below_nothing():
    """Much good news is no credit that hides the next crisis for long: the score stops at 0 and shows 0."""
    book = Book(rules())
    play(book, [told(0, "a", -8, event_type=EventType.CEASEFIRE)], until=1)
    assert book.dyads()[0].score == 0


@pytest.mark.parametrize("modality", [Modality.NEGATED, Modality.SPECULATIVE, Modality.DEMANDED, Modality.HISTORICAL])
def test_inactive_signals_are_recorded_and_count_nothing(modality: Modality):
    """What is denied, feared, demanded or long past leaves the score as it was."""
    book = Book(rules())
    assert book.apply(DYAD, told(0, "a", 50, active=False, modality=modality)) == "inactive"
    assert book.apply(DYAD, told(0, "a", 50, active=False, modality=modality)) == "repeated"
    assert play(book, [], until=100) == []
    assert book.dyads()[0].score == 0


def test_one_outlet_alone_raises_nothing_where_three_are_asked():
    """The rule waits for the third independent source, whatever the score."""
    signals = [
        told(hour, f"s{hour}", 8, source=source) for hour, source in enumerate(["a.example"] * 4 + ["b.example"])
    ]
    book = Book(rules(min_sources=3))
    assert play(book, signals, until=5) == []
    alerts = play(book, [told(5, "third", 1, source="c.example")], until=6)
    assert [(alert.transition, alert.sources) for alert in alerts] == [(Transition.RAISED, 3)]


def test_outlets_of_one_owner_are_one_source():
    """Two papers of one house do not make two independent sources."""
    both = rules(min_sources=2).model_copy(update={"owners": {"house": ("a.example", "b.example")}})
    book = Book(both)
    assert play(book, [told(0, "x", 12, "a.example"), told(1, "y", 12, "b.example")], until=2) == []
    assert len(play(book, [told(2, "z", 1, "c.example")], until=3)) == 1


def test_a_usual_level_of_trouble_is_no_news():
    """Where 12 points are usual, 12 points raise nothing after the baseline knows it; a threefold rise does."""
    book = Book(rules(baseline_ratio=2))
    steady = [told(12 * step, f"s{step}", 1.9) for step in range(200)]
    alerts = play(book, steady, until=2400)
    usual = book.dyads()[0]
    assert usual.score > 10
    assert usual.baseline > usual.score / 2
    assert [alert.transition for alert in alerts if alert.transition is Transition.RAISED] in ([], [Transition.RAISED])
    after = play(book, [told(2400.5, "war", 40)], until=2401)
    assert after
    assert after[-1].level is Level.CRITICAL


def test_the_baseline_is_robust_to_the_crisis():
    """Three days of open war do not become what is usual."""
    book = Book(rules())
    play(book, [told(hour, f"s{hour}", 20) for hour in range(72)], until=72)
    dyad = book.dyads()[0]
    assert dyad.score > 300
    assert dyad.baseline < 2


def test_open_war_is_one_alert_and_few_updates():
    """A month of daily fighting: one alert, at most one update a day once the levels stand."""
    signals = [told(hour / 2, f"s{hour}", 9, event_type=EventType.FORCE) for hour in range(1440)]
    alerts = play(Book(rules()), signals, until=720)
    assert [alert.transition for alert in alerts].count(Transition.RAISED) == 1
    assert Transition.RESOLVED not in {alert.transition for alert in alerts}
    late = [alert.at for alert in alerts if alert.level is Level.CRITICAL]
    assert len(late) <= 31
    assert all((b - a).total_seconds() >= 86400 for a, b in pairwise(late))


def test_a_new_kind_of_event_updates_after_the_interval():
    """A second kind that carries weight is told, but not before the interval since the last transition is over."""
    signals = [told(0, "a", 12), told(1, "b", 3, event_type=EventType.SANCTION)]
    alerts = play(Book(rules(update_interval="4h")), signals, until=10)
    assert brief(alerts) == [("raised", "watch", 0), ("updated", "watch", 4)]
    assert "sanction/asserted" in alerts[1].signals


def test_small_changes_update_nothing():
    """A kind that is known, and a few points more, are no news."""
    signals = [told(0, "a", 12), told(1, "b", 1), told(30, "c", 3)]
    alerts = play(Book(rules(update_interval="4h", clear_for="30d")), signals, until=40)
    assert brief(alerts) == [("raised", "watch", 0)]


def test_an_episode_after_another_has_another_id():
    """Resolved is over: the next crisis is a new alert with sequence 1."""
    alerts = play(Book(rules()), [told(0, "a", 12), told(400, "b", 12)], until=1000)
    assert [alert.sequence for alert in alerts] == [1, 2, 1, 2]
    assert len({alert.alert_id for alert in alerts}) == 2


def test_an_old_article_weighs_what_is_left_of_it():
    """Found two half-lives after it was published, a report counts a quarter; one from the future counts once."""
    book = Book(rules())
    play(book, [told(96, "old", 40, published_at=at(0))], until=96)
    assert book.dyads()[0].score == pytest.approx(10)
    book = Book(rules())
    play(book, [told(0, "ahead", 8, published_at=at(500))], until=0)
    assert book.dyads()[0].score == pytest.approx(8)


def test_a_dyad_without_a_rule_is_scored_and_silent():
    """No scope covers it: it has a score to show, and raises nothing."""
    book = Book(rules(scope={"dyads": ["XXA-XXB"]}))
    assert play(book, [told(0, "a", 80)], until=1) == []
    assert book.dyads()[0].score > 70
    assert book.dyads()[0].level is Level.CALM


def test_the_drill_raises_within_a_minute_and_ends_in_time():
    """The shipped drill rule on a crisis of 150 s: heard of from second 16, blows until 84, then the way back."""
    shipped = load_alerts(Path(__file__).parents[3] / "config" / "alerts.yaml")
    outlets = [f"o{number}.example" for number in range(6)]
    plan = [(second, 5.0) for second in range(16, 64, 5)]
    plan += [(second, 8.0) for second in range(64, 86, 3)] + [(second, -6.0) for second in range(94, 130, 5)]
    book = Book(shipped)
    for number, (second, severity) in enumerate(plan):
        kind = EventType.FORCE if severity > 0 else EventType.WITHDRAWAL
        hours = second / 3600
        book.apply(DYAD, told(hours, f"d{number}", severity, outlets[number % 6], event_type=kind, drill=True))
    book.advance(at(180 / 3600))
    alerts = book.drain()[0]
    seconds = [(alert.at - at(0)).total_seconds() for alert in alerts]
    assert alerts[0].transition is Transition.RAISED
    assert seconds[0] < 60
    assert alerts[-1].transition is Transition.RESOLVED
    assert 95 < seconds[-1] < 175
    assert all(alert.drill and alert.summary.startswith("Drill: ") for alert in alerts)
