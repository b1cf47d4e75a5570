"""Which alerts are told, when a receiver is tried again, how far may be committed, what stands."""

from __future__ import annotations

import pytest
from samples import alert

from config.receivers import Match, Retry
from pipeline.notify.ledger import Ledger
from pipeline.notify.retry import Answer, Ending, Outcome, of_status, pause_s, verdict
from pipeline.notify.selection import stands, wants
from pipeline.notify.standing import Standing
from pipeline.records import Level, Transition

RETRY = Retry(first="1s", longest="10s", deadline="1m")


@pytest.mark.parametrize(
    ("match", "changes", "told"),
    [
        ({}, {}, True),
        ({"level": "warning"}, {}, False),
        ({"level": "warning"}, {"level": Level.WATCH, "previous_level": Level.WARNING}, True),
        ({"level": "warning"}, {"level": Level.CALM, "previous_level": Level.CRITICAL}, True),
        ({"dyads": ["UKR"]}, {}, True),
        ({"dyads": ["UKR-RUS"]}, {}, True),
        ({"dyads": ["CHN-TWN", "TWN"]}, {}, False),
        ({"rules": ["escalation"]}, {}, True),
        ({"rules": ["other"]}, {}, False),
        ({"labels": {"team": "desk"}}, {"labels": {"team": "desk", "more": "x"}}, True),
        ({"labels": {"team": "desk"}}, {"labels": {"team": "ops"}}, False),
        ({"labels": {"team": "desk"}}, {}, False),
        ({}, {"muted": "silence holiday"}, False),
        ({"muted": True}, {"muted": "silence holiday"}, True),
        ({}, {"muted": ""}, False),
        ({}, {"drill": True}, True),
        ({"drill": False}, {"drill": True}, False),
    ],
)
def test_who_is_told(match, changes, told):
    """Every filter lets in and keeps out; what is muted is for nobody unless it is asked for."""
    assert wants(Match(**match), alert(**changes)) is told


def test_what_fell_below_does_not_stand():
    """A fall from warning to watch is told to who wants warnings, and is then not open to them any more."""
    fallen = alert(level=Level.WATCH, previous_level=Level.WARNING, transition=Transition.UPDATED)
    match = Match(level="warning")
    assert wants(match, fallen)
    assert not stands(match, fallen)


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (200, "ok"),
        (301, "refused"),
        (400, "refused"),
        (410, "refused"),
        (408, "timeout"),
        (429, "rate_limited"),
        (500, "server_error"),
        (600, "bad_response"),
    ],
)
def test_endings(status, ending):
    """4xx is for good, but for 408 and 429; 5xx may pass."""
    assert of_status(status) == ending


def test_waits_grow_and_are_bounded():
    """Doubled each time up to the longest, however many tries there were; dice shorten by half at most."""
    failed = Answer(Ending.SERVER_ERROR)
    assert [pause_s(failed, n, RETRY, 0.0) for n in (1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 8, 10, 10]
    assert pause_s(failed, 3, RETRY, 1.0) == 2


def test_retry_after_is_a_least_wait():
    """A receiver that asks for more is given it; one that asks for less gets no more tries for it."""
    assert pause_s(Answer(Ending.RATE_LIMITED, 30.0), 1, RETRY, 0.5) == 30
    assert pause_s(Answer(Ending.RATE_LIMITED, 0.1), 3, RETRY, 0.0) == 4


@pytest.mark.parametrize(
    ("ending", "wait_s", "left_s", "outcome"),
    [
        (Ending.OK, 1, 0, Outcome.DELIVERED),
        (Ending.REFUSED, 1, 60, Outcome.REFUSED),
        (Ending.TIMEOUT, 1, 60, None),
        (Ending.CONNECT_ERROR, 1, 0.5, Outcome.EXHAUSTED),
        (Ending.RATE_LIMITED, 3600, 60, Outcome.EXHAUSTED),
    ],
)
def test_verdicts(ending, wait_s, left_s, outcome):
    """Nobody is waited for past the deadline, and nobody who refuses is asked again."""
    assert verdict(Answer(ending), wait_s, left_s) is outcome


def test_only_a_finished_beginning_is_committed():
    """What ended out of order waits for what came before it, or a restart would skip that."""
    ledger = Ledger()
    for offset in (3, 4, 7):
        ledger.begin(0, offset)
    ledger.begin(1, 9)
    ledger.finish(0, 4)
    assert ledger.settle() == {}
    ledger.finish(0, 3)
    assert ledger.settle() == {0: 5}
    ledger.finish(0, 7)
    ledger.finish(1, 9)
    assert ledger.settle() == {0: 8, 1: 10}
    assert ledger.partitions == set()


def test_what_could_not_be_committed_is_settled_again():
    """Unless it is settled further meanwhile, or another reader has the partition: then it is that one's."""
    ledger = Ledger()
    for partition in (0, 1, 2):
        ledger.begin(partition, 3)
        ledger.finish(partition, 3)
    ledger.owe(ledger.settle())
    assert ledger.partitions == {0, 1, 2}
    ledger.drop({2})
    ledger.begin(1, 4)
    ledger.finish(1, 4)
    assert ledger.settle() == {0: 4, 1: 5}
    assert ledger.partitions == set()


def test_a_lost_partition_is_never_committed():
    """Its new owner repeats it; what ends meanwhile must not move the group."""
    ledger = Ledger()
    ledger.begin(0, 3)
    ledger.drop({0})
    ledger.finish(0, 3)
    assert ledger.settle() == {}


def test_what_stands_is_the_latest_that_is_wanted():
    """A repeat of an older transition revives nothing, what is resolved is gone, what is muted is not sent again."""
    standing = Standing(Match())
    standing.begin([alert(alert_id="1" * 32, sequence=3), alert(alert_id="2" * 32)])
    standing.note(alert(alert_id="1" * 32, sequence=2, level=Level.CRITICAL))
    assert [each.level for each in standing.now()] == [Level.WATCH, Level.WATCH]
    standing.note(alert(alert_id="2" * 32, sequence=2, muted="silence"))
    standing.note(alert(alert_id="1" * 32, sequence=4, transition=Transition.RESOLVED, level=Level.CALM))
    assert standing.now() == []
