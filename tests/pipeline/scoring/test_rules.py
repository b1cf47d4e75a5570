"""Several rules on one dyad: what each weighs, what of its words reaches the alert, and what a changed file does."""

from __future__ import annotations

import pytest
from timelines import BASE, DYAD, FEARED, at, brief, feared, file, play, told

from pipeline.records import Dyad, EventType, Polarity, decode, encode
from pipeline.scoring.book import Book


def test_what_is_feared_counts_only_where_a_rule_asks_for_it():
    """Three forecasts raise the rule that counts them, and add nothing to the score that the dyad shows."""
    book = Book(file(BASE, FEARED))
    alerts = play(book, [feared(n, f"f{n}") for n in range(3)], until=3)
    assert [(alert.rule, *each[:2]) for alert, each in zip(alerts, brief(alerts), strict=True)] == [
        ("feared", "raised", "watch")
    ]
    assert book.dyads()[0].score == 0
    assert book.dyads()[0].level == "watch"
    assert book.dyads()[0].open_alerts == (alerts[0].alert_id,)


def test_rules_watch_one_dyad_side_by_side():
    """Each has an alert of its own; the dyad's level is the highest, and names that alert."""
    book = Book(file(BASE, FEARED))
    alerts = play(book, [told(0, "a", 25), feared(0, "b", 5)], until=1)
    assert {(alert.rule, alert.level.value) for alert in alerts} == {("main", "warning"), ("feared", "watch")}
    dyad = book.dyads()[0]
    assert dyad.level == "warning"
    assert len(dyad.open_alerts) == 2
    assert dyad.open_alert == next(alert.alert_id for alert in alerts if alert.rule == "main")


def test_calming_news_lowers_every_rule_unless_it_says_otherwise():
    """Talks take back a forecast, too."""
    talks = told(1, "t", -4, event_type=EventType.TALKS, polarity=Polarity.DEESCALATORY)
    deaf = FEARED | {"counts": FEARED["counts"] | {"calming": False}}
    for rule, expected in ((FEARED, []), (deaf, [("raised", "watch", 2)])):
        signals = [feared(0, "a", 3), talks, feared(2, "b", 3)]
        assert brief(play(Book(file(BASE, rule)), signals, until=3)) == expected


@pytest.mark.parametrize(
    ("counts", "kind", "weighs"),
    [
        ({}, ("force", "asserted", True), True),
        ({}, ("force", "speculative", False), False),
        ({"types": ["sanction"]}, ("force", "asserted", True), False),
        ({"modalities": ["threatened"]}, ("force", "asserted", True), False),
        ({"modalities": ["conditional"]}, ("force", "conditional", False), False),
        ({"modalities": ["demanded"]}, ("sanction", "demanded", False), True),
    ],
)
def test_what_a_rule_counts(counts: dict, kind: tuple[str, str, bool], weighs: bool):
    """Types and modalities as listed; a condition itself, which is inactive, never."""
    rule = file(BASE | {"counts": counts}).rules[0]
    assert rule.counts.weighs(kind[0], kind[1], active=kind[2], calms=False) is weighs


def test_a_region_covers_dyads_inside_it():
    """Both named sides must lie in one of the rule's regions."""
    rules = file(BASE | {"scope": {"regions": ["gulf"]}}, regions={"gulf": ["AAA", "BBB"]})
    assert [bool(rules.covering(dyad, drill=False)) for dyad in ("AAA-BBB", "AAA-CCC", "*-AAA")] == [True, False, True]


def test_labels_and_texts_reach_the_alert():
    """Labels as they are, texts filled in."""
    words = {"labels": {"team": "desk"}, "annotations": {"title": "${sides}: ${level}, $$1", "text": "${evidence}"}}
    (alert,) = play(Book(file(BASE | words)), [told(0, "a", 12)], until=1)
    assert alert.labels == {"team": "desk"}
    assert alert.annotations == {"title": "ARV and BRN: watch, $1", "text": "In a troops moved to the border."}


def test_a_score_must_stand_out_by_its_own_ups_and_downs():
    """A dyad that swings widely needs more than its usual multiple."""
    swings = [told(24 * day, f"s{day}", 12) for day in range(0, 60, 4)]
    jump = told(24 * 60, "jump", 16)
    calm, wary = (BASE | {"baseline_ratio": 1, "baseline_sigmas": sigmas} for sigmas in (0, 3))
    assert len(play(Book(file(calm)), [*swings, jump], until=24 * 60)) > len(
        play(Book(file(wary)), [*swings, jump], until=24 * 60)
    )


def test_another_file_takes_effect_at_once():
    """A rule that is gone resolves its alert; a new one begins with the next signal; one that stays goes on."""
    book = Book(file(BASE, FEARED))
    play(book, [told(0, "a", 25), feared(0, "b", 5)], until=1)
    book.reload(file(BASE))
    gone = book.drain()[0]
    assert [(alert.rule, alert.transition.value, alert.sequence) for alert in gone] == [("feared", "resolved", 2)]
    assert book.open_by_level()["warning"] == 1
    book.reload(file(BASE, FEARED))
    alerts = play(book, [feared(2, "c", 5)], until=2)
    assert [(alert.rule, alert.transition.value) for alert in alerts] == [("feared", "raised")]


def test_a_rule_that_takes_the_first_place_takes_over_its_score():
    """A renamed rule ends the old alert, and what the dyad weighed stays."""
    book = Book(file(BASE))
    play(book, [told(0, "a", 25)], until=0)
    book.reload(file(BASE | {"name": "other"}))
    book.advance(at(0))
    alerts = book.drain()[0]
    assert {(alert.rule, alert.transition.value) for alert in alerts} == {("main", "resolved"), ("other", "raised")}
    assert book.dyads()[0].score == pytest.approx(25)


def test_a_repeat_counts_on_no_rule():
    """What one rule has counted is known, whoever counts."""
    book = Book(file(BASE, FEARED))
    assert book.apply(DYAD, feared(0, "a")) == "applied"
    book.drain()
    assert book.apply(DYAD, feared(0, "a")) == "repeated"
    assert book.drain() == ([], [], [])


def test_a_rule_that_comes_first_starts_anew_and_knows_what_was_counted():
    """The operator puts a rule before the others: nothing breaks, after a restart neither, and no repeat counts."""
    book = Book(file(BASE))
    signal = told(0, "a", 25)
    play(book, [signal], until=0)
    book.reload(file(FEARED | {"name": "new"}, BASE))
    again = Book(file(FEARED | {"name": "new"}, BASE))
    again.restore([decode(encode(dyad), Dyad) for dyad in book.dyads()])
    for each in (book, again):
        assert each.apply(DYAD, signal) == "repeated"
        assert each.dyads()[0].score == 0
        assert each.open_by_level()["warning"] == 1
        assert [a.rule for a in play(each, [feared(1, "b", 5)], until=1)] == ["new"]


def test_rules_in_another_order_keep_what_they_have():
    """The same two rules, swapped: both alerts go on, and the other score is shown."""
    book = Book(file(BASE, FEARED))
    play(book, [told(0, "a", 25), feared(0, "b", 5)], until=1)
    before = {dyad.open_alerts for dyad in book.dyads()}
    book.reload(file(FEARED, BASE))
    assert {dyad.open_alerts for dyad in book.dyads()} == before
    assert book.drain()[0] == []
    assert book.dyads()[0].score == pytest.approx(5, rel=0.05)


def test_only_the_first_rules_score_is_taken_over():
    """Of two rules that go, the first one's; whatever order a stored state is read in."""
    book = Book(file(BASE, FEARED))
    play(book, [told(0, "a", 25), feared(0, "b", 5)], until=0)
    book.reload(file(BASE | {"name": "third"}))
    assert book.dyads()[0].score == pytest.approx(25)


def test_the_end_bears_the_labels_of_the_beginning():
    """Whoever is told by label hears the end of an alert of a rule that is gone."""
    book = Book(file(BASE | {"labels": {"desk": "world"}}))
    play(book, [told(0, "a", 12)], until=1)
    book.reload(file(FEARED))
    assert [(a.transition.value, a.labels) for a in book.drain()[0]] == [("resolved", {"desk": "world"})]


def test_a_level_must_hold_without_a_break():
    """A score that sank below and was brought back has not held since before it sank."""
    book = Book(file(BASE | {"hold_for": "10h", "half_life": "48h"}))
    alerts = play(book, [told(0, "a", 10.2), told(5, "b", 4)], until=20)
    assert brief(alerts) == [("raised", "watch", 15)]
    assert alerts[0].started_at == at(5)


def test_no_two_alerts_have_one_id():
    """Raised, cleared and raised again in one moment: two alerts."""
    book = Book(file(BASE | {"clear_for": "0s"}))
    signals = [told(0, "a", 12), told(0, "b", -10, polarity=Polarity.DEESCALATORY), told(0, "c", 12)]
    raised = [alert for alert in play(book, signals, until=0) if alert.sequence == 1]
    assert len({alert.alert_id for alert in raised}) == len(raised) == 2


def test_a_drill_that_is_taken_over_settles_what_was_due():
    """Whether or not anybody looked in the meantime."""
    drill = BASE | {"name": "drill", "scope": {"drill": True}}
    seen = []
    for looks in ([], [20, 60, 90]):
        book = Book(file(BASE, drill))
        book.apply(DYAD, told(0, "a", 30, drill=True))
        for hour in looks:
            book.advance(at(hour))
        book.apply(DYAD, told(100, "b", 1))
        seen.append(brief(book.drain()[0]))
    assert seen[0] == seen[1]
    assert seen[0][-1][0] == "resolved"
