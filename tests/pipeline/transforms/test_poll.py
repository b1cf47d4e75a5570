"""The source's promises to the runner, and the session's place in the process."""

from __future__ import annotations

import threading

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.kafka.message import Message
from pipeline.transforms import elements, poll


class Counting:
    """A session that gives numbers, and stops the job after the last."""

    def __init__(self, numbers):
        self.stop = threading.Event()
        self._left = list(numbers)
        self.seen = []

    def poll(self):
        if not self._left:
            self.stop.set()
            return None
        return self._left.pop(0)


class See(beam.DoFn):
    """Notes what reaches it, and on which thread."""

    def process(self, element):
        poll.session("counting").seen.append(element)


def test_a_bundle_is_not_encoded_to_be_measured():
    """Beam samples the sizes of elements by encoding them, which of a whole bundle costs as much as a step of work."""

    class Heavy(elements.Polled):
        """One that can't be encoded at all."""

        def __reduce__(self):
            raise AssertionError("encoded")

    coder = beam.coders.registry.get_coder(elements.Polled)
    assert coder.get_impl().get_estimated_size_and_observables(Heavy())[0] > 0
    polled = elements.Polled([Message("t", 0, 1, 2, b"k", b"v")])
    assert coder.decode(coder.encode(polled)) == polled


def test_the_job_gives_every_poll_and_ends_when_told():
    """On a real runner: each poll arrives once, in order, and a stopped source ends the job."""
    session = Counting(range(5))
    poll.enter("counting", session)
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", "--streaming"]))
    _ = pipeline | beam.Create(["counting"]) | beam.ParDo(poll.Poll()) | beam.ParDo(See())
    pipeline.run().wait_until_finish()
    assert session.seen == [0, 1, 2, 3, 4]


def test_tracker_splits_once_and_only_at_a_checkpoint():
    """A second split, or one in the middle, would run the job twice at once."""
    tracker = poll._Forever("run")
    assert tracker.try_claim(0)
    assert tracker.try_split(0.5) is None
    assert tracker.try_split(0) == ("done", "run")
    assert tracker.try_split(0) is None
    assert not tracker.try_claim(0)
    assert not tracker.is_bounded()


def test_a_job_that_was_not_entered_is_an_error():
    """A DoFn in another process than the session's must fail, not read from nowhere."""
    with pytest.raises(KeyError):
        poll.session("nobody")
