"""A small job of the pipeline's own shape, what it does noted down, and the runners that it can be given to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.runners.runner import PipelineState

from config.settings import Settings
from deploy.local.loopback import bind_loopback
from deploy.local.prism import find_prism, start_prism
from pipeline.kafka.message import Message
from pipeline.transforms import poll
from pipeline.transforms.elements import Outlet, Polled
from pipeline.transforms.flink import flink_options
from pipeline.transforms.runner import prism_options

PATIENCE_S = 120.0
NO_FLINK = (
    "Flink: no job server is given: set BRINKWATCH_FLINK_JOB_SERVER, or BRINKWATCH_FLINK_JOB_SERVER_JAR and "
    "BRINKWATCH_FLINK_MASTER"
)


@dataclass(frozen=True)
class Event:
    """A step of a bundle, as it happened."""

    step: str
    number: int
    thread: int


class Broken(Exception):  # noqa: N818
    """What the job is made to fail with."""


class Recorder:
    """A session that polls numbers, and notes every step.

    Args:
        polls: How many polls there are; then the job is to end.
        idle_every: Each so-manieth poll finds nothing.
        fail_in: The step (``work`` or ``commit``) that fails, at half of the polls.
    """

    def __init__(self, polls: int, idle_every: int = 0, fail_in: str | None = None) -> None:
        self.stop = threading.Event()
        self.events: list[Event] = []
        self._polls, self._idle_every, self._fail_in = polls, idle_every, fail_in
        self._next = 0

    @property
    def fails_at(self) -> int:
        """The poll whose bundle fails."""
        return self._polls // 2

    def poll(self) -> Polled | None:
        """The next number."""
        number, self._next = self._next, self._next + 1
        if self._next == self._polls:
            self.stop.set()
        idle = self._idle_every and number % self._idle_every == 0
        self.note("idle" if idle else "poll", number)
        return None if idle else Polled([Message("numbers", 0, number, 0, None, b"x" * 100)])

    def note(self, step: str, number: int) -> None:
        """Note a step; fail, where that is asked for."""
        if step == self._fail_in and number == self.fails_at:
            raise Broken(f"{step} {number}")
        self.events.append(Event(step, number, threading.get_ident()))

    def steps(self, *names: str) -> list[int]:
        """The numbers of these steps, as they came."""
        return [event.number for event in self.events if event.step in names]


class Work(beam.DoFn):
    """The middle of the stage."""

    def __init__(self, job: str) -> None:
        self._job = job

    def start_bundle(self) -> None:
        self._numbers: list[int] = []

    def process(self, element: Polled) -> Iterator[Polled]:
        poll.session(self._job).note("work", element[0].offset)
        self._numbers.append(element[0].offset)
        time.sleep(0.005)
        yield element

    def finish_bundle(self) -> None:
        for number in self._numbers:
            poll.session(self._job).note("worked", number)


class Write(beam.DoFn):
    """The end of the stage; it commits when the bundle ends."""

    def __init__(self, job: str) -> None:
        self._job = job

    def start_bundle(self) -> None:
        self._numbers: list[int] = []

    def process(self, element: Polled) -> None:
        poll.session(self._job).note("write", element[0].offset)
        self._numbers.append(element[0].offset)

    def finish_bundle(self) -> None:
        for number in self._numbers:
            poll.session(self._job).note("commit", number)


def build(pipeline: beam.Pipeline, job: str) -> None:
    """The shape of extract and score."""
    _ = (
        pipeline
        | "Job" >> beam.Create([job])
        | "Poll" >> beam.ParDo(poll.Poll()).with_output_types(Polled)
        | "Work" >> beam.ParDo(Work(job)).with_output_types(Polled)
        | "Write" >> beam.ParDo(Write(job))
        | "End" >> Outlet()
    )


class Runner:
    """A runner; ``run`` gives a recorder's job to it and tells how the job ended. A context manager."""

    def __init__(self, name: str, settings: Settings, folder: Path) -> None:
        self.name, self._settings, self._folder = name, settings, folder
        self._jobs = 0

    def __enter__(self) -> Self:
        bind_loopback()
        if self.name == "prism":
            self._prism = start_prism(find_prism(self._settings), self._folder / "prism.log")
        return self

    def __exit__(self, *_: object) -> None:
        if self.name == "prism":
            self._prism.stop()

    def run(self, recorder: Recorder) -> str:
        """The state in which the job ended."""
        self._jobs += 1
        job = f"conformance-{self.name}-{self._jobs}"
        poll.enter(job, recorder)
        pipeline = beam.Pipeline(options=self._options(job))
        build(pipeline, job)
        try:
            result = pipeline.run()
            return _ended(lambda: result.state)
        except (RuntimeError, Broken) as error:  # how FnApiRunner tells it
            if "Broken" not in repr(error) and not isinstance(error, Broken):
                raise
            return PipelineState.FAILED

    def _options(self, job: str) -> PipelineOptions:
        if self.name == "prism":
            return prism_options(job, self._prism.endpoint)
        if self.name == "fnapi":
            return PipelineOptions(["--runner=FnApiRunner", "--streaming"])
        return on_flink(job, self._settings)


def on_flink(job: str, settings: Settings) -> PipelineOptions:
    """As the jobs have it; but the work is done in this process, the job ends with its source, and fails but once."""
    told = flink_options(job, settings).get_all_options(drop_default=True)
    changes = {"shutdown_sources_after_idle_ms": 100, "number_of_execution_retries": 0}
    options = PipelineOptions.from_dictionary({**told, **changes})
    options.view_as(PortableOptions).environment_type = "LOOPBACK"
    options.view_as(PortableOptions).environment_config = None
    return options


def _ended(state: Callable[[], str]) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if PipelineState.is_terminal(found := state()):
            return found
        time.sleep(0.05)
    raise AssertionError(f"the job did not end in {PATIENCE_S} s")
