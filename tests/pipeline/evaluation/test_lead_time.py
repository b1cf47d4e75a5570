"""Lead time: what is a hit, how early, and what is a false alarm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from timelines import at, life

from pipeline.evaluation.episodes import Stretch, episodes
from pipeline.evaluation.lead_time import Verdict, judge, outcome
from pipeline.evaluation.truth import Event
from pipeline.evaluation.verdicts import as_json, lines
from pipeline.records import Level

DAY = 24
HORIZON = timedelta(days=14)
PERIOD = Stretch(at(0), at(60 * DAY))
WAR = Event("ARV-BRN", at(30 * DAY), at(40 * DAY), note="war")


def raised(day: float, until: float | None = None, level: Level = Level.WATCH, name: str = "1", dyad: str = "ARV-BRN"):
    """An episode that stood at one level."""
    ended = [] if until is None else [(until * DAY, Level.CALM)]
    return episodes(life(name, dyad, (day * DAY, level), *ended))[0]


@pytest.mark.parametrize(
    ("begin", "end", "verdict", "lead"),
    [
        (27, 50, Verdict.EARLY, 3),
        (29.5, 29.75, Verdict.EARLY, 0.5),
        (30, 31, Verdict.LATE, 0),
        (33, None, Verdict.LATE, -3),
        (40, 41, Verdict.LATE, -10),
        (40.1, 41, Verdict.MISSED, None),
        (2, 15.9, Verdict.MISSED, None),
        (2, 16, Verdict.EARLY, 14),
        (2, None, Verdict.EARLY, 14),
    ],
)
def test_hit_and_lead(begin, end, verdict, lead):
    """The window reaches from the horizon before to the end; what stood earlier leads by the horizon, not by more."""
    found = outcome(WAR, [raised(begin, end)], PERIOD, HORIZON)
    assert found.verdict is verdict
    assert found.lead == (None if lead is None else timedelta(days=lead))


def test_the_level_counts():
    """A watch is no warning: lead is reckoned from when the level was reached."""
    (crisis,) = episodes(life("1", "ARV-BRN", (25 * DAY, Level.WATCH), (28 * DAY, Level.WARNING)))
    graver = Event("ARV-BRN", WAR.begins, WAR.until, Level.WARNING)
    gravest = Event("ARV-BRN", WAR.begins, WAR.until, Level.CRITICAL)
    assert outcome(WAR, [crisis], PERIOD).lead == timedelta(days=5)
    assert outcome(graver, [crisis], PERIOD).lead == timedelta(days=2)
    assert outcome(gravest, [crisis], PERIOD).verdict is Verdict.MISSED


def test_the_earliest_alert_that_hits_counts():
    """Several rules of one dyad, several episodes: one event is hit once."""
    found = outcome(WAR, [raised(33), raised(26, 27, name="2")], PERIOD)
    assert found.lead == timedelta(days=4)
    assert found.episode.first.alert_id == "2" * 32


def test_an_event_without_an_end_lasts_for_the_horizon():
    """Else nothing that is raised after its first second would belong to it."""
    open_end = Event("ARV-BRN", at(30 * DAY))
    assert outcome(open_end, [raised(43)], PERIOD).verdict is Verdict.LATE
    assert outcome(open_end, [raised(45)], PERIOD).verdict is Verdict.MISSED


def test_what_was_not_replayed_is_not_missed():
    """Nothing can be said of an event whose window lies outside."""
    assert outcome(Event("ARV-BRN", at(100 * DAY)), [], PERIOD).verdict is Verdict.UNSEEN
    judged = judge([], [Event("ARV-BRN", at(100 * DAY)), WAR], PERIOD, [])
    assert (judged.hits, judged.count(Verdict.MISSED), judged.count(Verdict.UNSEEN)) == (0, 1, 1)


def test_false_alarms():
    """Another dyad, or another time; an alert that is too low for its event misses it, and is still not false."""
    serious = Event("ARV-BRN", WAR.begins, WAR.until, Level.CRITICAL)
    found = [raised(5, 6), raised(8, 50, name="2"), raised(35, 36, name="3", dyad="ARV-CAL"), raised(41, 42, name="4")]
    judged = judge(found, [serious], PERIOD, ["ARV-BRN", "ARV-CAL", "BRN-CAL", "CAL-DOR"])
    assert [each.first.alert_id[0] for each in judged.false_alarms] == ["1", "3", "4"]
    assert judged.false_by_dyad == {"ARV-BRN": 2, "ARV-CAL": 1}
    assert judged.false_per_month == pytest.approx(1.5)
    assert judged.false_per_dyad_month == pytest.approx(0.375)
    assert judged.count(Verdict.MISSED) == 1


def test_median_lead_is_of_hits():
    """Late ones pull it down, missed ones do not count; there is none without a hit."""
    events = [WAR, Event("ARV-CAL", at(30 * DAY)), Event("BRN-CAL", at(30 * DAY))]
    judged = judge([raised(26), raised(32, name="2", dyad="ARV-CAL")], events, PERIOD, [])
    assert judged.median_lead == timedelta(days=1)
    assert judge([], events, PERIOD, []).median_lead is None


def test_no_time_no_rate():
    """A replay of one moment has no false alarms a month, and does not fail."""
    assert judge([raised(0)], [], Stretch(at(0), at(0)), []).false_per_month == 0


def test_what_a_person_and_a_program_are_told():
    """The table says what became of each event, whatever its note holds; JSON has the same with hours."""
    event = Event("ARV-BRN", WAR.begins, WAR.until, note="war\x1b[2J\nover")
    judged = judge([raised(27, name="1"), raised(3, 4, name="2")], [event], PERIOD, [])
    text = "\n".join(lines(judged))
    assert "2031-06-05 00:00     ARV-BRN     watch     early by 3 days        war [2J over" in text
    assert "alerts that were false   1 of 2" in text
    told = as_json(judged)
    assert (told["hits"], told["early"], told["false_alarms"]) == (1, 1, 1)
    assert told["events"][0]["lead_hours"] == 72
    assert told["false_alarm_episodes"][0]["alert_id"] == "2" * 32
