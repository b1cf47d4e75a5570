"""What the jobs rely on in a runner: one that breaks any of it loses or repeats news.

``pytest tests/conformance --runner flink`` holds another runner to it.
"""

from __future__ import annotations

from collections import defaultdict

import pytest
from apache_beam.runners.runner import PipelineState
from runners import Recorder

pytestmark = pytest.mark.slow
POLLS = 150
IDLE_EVERY = 5
STEPS = ["poll", "work", "write", "worked", "commit"]


@pytest.fixture(scope="session")
def undisturbed(runner):
    """One long run that several tests look at; a poll in five finds nothing."""
    recorder = Recorder(POLLS, idle_every=IDLE_EVERY)
    return recorder, runner.run(recorder)


def test_a_bundle_is_poll_work_write_and_commit(undisturbed):
    """The last step commits what the first polled: all must be of one bundle, and nothing after the commit."""
    by_number = defaultdict(list)
    for event in undisturbed[0].events:
        by_number[event.number].append(event.step)
    assert {tuple(steps) for steps in by_number.values()} == {tuple(STEPS), ("idle",)}


def test_a_bundle_is_on_one_thread(undisturbed):
    """Kafka's consumers and transactions belong to a thread."""
    threads = defaultdict(set)
    for event in undisturbed[0].events:
        threads[event.number].add(event.thread)
    assert {len(found) for found in threads.values()} == {1}


def test_there_is_one_bundle_at_a_time(undisturbed):
    """What is polled before the last bundle's commit would be committed with it, before it is worked on."""
    numbers = [event.number for event in undisturbed[0].events]
    assert numbers == sorted(numbers)


def test_a_source_that_defers_goes_on_and_each_poll_comes_once(undisturbed):
    """A poll that is lost or repeated by the runner would be committed without having been worked on, or twice."""
    recorder = undisturbed[0]
    assert recorder.steps("poll", "idle") == list(range(POLLS))
    assert recorder.steps("commit") == [number for number in range(POLLS) if number % IDLE_EVERY]


def test_a_source_that_ends_ends_the_job(undisturbed):
    """That is how a job is drained: the bundle under way is committed, and the job is done."""
    assert undisturbed[1] == PipelineState.DONE


@pytest.mark.parametrize("step", ["work", "commit"])
def test_a_failed_bundle_fails_the_job(runner, step):
    """The process must learn of it, for it is to start again; the failed attempt polls and commits nothing more."""
    recorder = Recorder(12, fail_in=step)
    assert runner.run(recorder) == PipelineState.FAILED
    assert recorder.steps("poll") == list(range(recorder.fails_at + 1))
    assert recorder.steps("commit") == list(range(recorder.fails_at))
