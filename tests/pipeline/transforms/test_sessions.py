"""Where a job's session comes from in a worker's process, and when it is no longer used."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.transforms import sessions


@pytest.fixture(autouse=True)
def process(monkeypatch):
    """As in a process that has just begun."""
    for name, empty in (("_sessions", {}), ("_makers", {}), ("_broken", set()), ("handover", sessions.Handover())):
        monkeypatch.setattr(sessions, name, empty)


def test_it_is_made_once_by_whoever_asks_first():
    """Two sessions in a process would be two members of the group, or two that fence each other."""
    made = []

    def make():
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    sessions.offer("job", make)
    assert not sessions.made()
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: sessions.session("job"), range(8)))
    assert found == set(made)
    assert len(made) == 1
    assert sessions.made()


def test_after_a_failed_bundle_it_is_not_used_again():
    """A runner that repeats the bundle in the same process must not meet what the failure left."""
    sessions.offer("job", object)
    sessions.session("job")
    sessions.break_all()
    with pytest.raises(sessions.SessionBroken, match="job job: a bundle failed before"):
        sessions.session("job")


def test_one_that_could_not_be_made_is_not_tried_again():
    """Half of it may be there: a consumer that holds partitions and polls nothing."""
    sessions.offer("job", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sessions.session("job")
    with pytest.raises(sessions.SessionBroken):
        sessions.session("job")


def test_another_job_is_not_served():
    """A pool given to the wrong job must fail, not read from nowhere."""
    sessions.offer("score", object)
    with pytest.raises(KeyError):
        sessions.session("extract")


def test_handing_over_is_at_the_beginning_of_a_bundle():
    """Until then the bundle under way may still commit."""
    handover = sessions.Handover()
    handover.check()
    handover.asked.set()
    assert not handover.reached.is_set()
    with pytest.raises(sessions.HandedOver):
        handover.check()
    assert handover.reached.is_set()


def test_an_entered_session_is_the_one():
    """Where the job's own process works, nothing is made."""

    class Entered:
        stop = threading.Event()

        def poll(self):
            return None

    entered = Entered()
    sessions.offer("job", lambda: pytest.fail("made"))
    sessions.enter("job", entered)
    assert sessions.session("job") is entered
