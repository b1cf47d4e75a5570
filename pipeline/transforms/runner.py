"""Giving a job to its runner, and waiting for its end: drained, failed, or the runner gone."""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineState

from config.errors import BrinkwatchError
from config.health import RUNNER, board
from config.settings import Settings
from deploy.local.loopback import bind_loopback
from deploy.local.prism import PrismNotFound, PrismProcess, find_prism, start_prism
from pipeline import metrics
from pipeline.transforms.moving import Moving
from pipeline.transforms.poll import still_for

log = logging.getLogger(__name__)
POLL_S = 0.2
# wait_until_finish would end after 300 s; we poll the state instead, but submitting uses this too.
JOB_SERVER_TIMEOUT_S = 10**8


class JobFailed(BrinkwatchError):  # noqa: N818  named after Beam's state
    """The job ended by failure; the process must end, and be started again."""


def run(name: str, build: Callable[[beam.Pipeline], None], settings: Settings, stop: threading.Event) -> None:
    """Run the job until ``stop`` is set and it has drained.

    Args:
        name: The job's name.
        build: Adds the job's transforms to a pipeline.
        settings: Say which runner; ``auto`` is Prism.
        stop: Set by the signal handler; the job's source then finishes.

    Raises:
        JobFailed: A bundle failed, or the runner's process ended.
        PrismNotFound: No Prism, and FnApiRunner was not asked for.
    """
    bind_loopback()
    if settings.runner == "fnapi":
        with metrics.RUNNER_UP.labels(name).track_inprogress():
            _run_in_process(build, stop)
    else:
        _run_on_prism(name, build, settings, stop)


def _run_on_prism(name: str, build: Callable[[beam.Pipeline], None], settings: Settings, stop: threading.Event) -> None:
    folder = settings.data_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    prism = start_prism(find_prism(settings), folder / f"prism-{name}.log")
    try:
        result = _submit(build, prism_options(name, prism.endpoint))
        log.info("job submitted", extra={"fields": {"job": name, "runner": "prism", "prism_pid": prism.pid}})
        moving = Moving(name, still_for)
        while not PipelineState.is_terminal(state := _state(result, name, prism)):
            running = state == PipelineState.RUNNING
            metrics.RUNNER_UP.labels(name).set(running)
            board.note(RUNNER, running, "" if running else f"the job is {state}")
            _check(name, moving)
            time.sleep(POLL_S)
        if state != PipelineState.DONE or not stop.is_set():
            raise JobFailed(f"running failed: job {name}: it ended as {state}; see {folder / f'prism-{name}.log'}")
    finally:
        metrics.RUNNER_UP.labels(name).set(0)
        board.note(RUNNER, ok=False, why="it has ended")
        prism.stop()


def _check(name: str, moving: Moving) -> None:
    """That the job begins bundles; where it stands still, the log gets every thread's stack.

    Raises:
        JobFailed: It does not: a wait without end, which only a new start ends.
    """
    if (fault := moving.fault()) is not None:
        faulthandler.dump_traceback(sys.stderr)
        raise JobFailed(f"running failed: job {name}: {fault}")


def _state(result: beam.runners.runner.PipelineResult, name: str, prism: PrismProcess) -> Any:
    """The job's state, which only a runner that lives can tell."""
    if prism.poll() is None:
        try:
            return result.state
        except grpc.RpcError as error:
            log.info("the runner does not answer", extra={"fields": {"why": repr(error)[:500]}})
    raise JobFailed(f"running failed: job {name}: its runner (Prism, pid {prism.pid}) ended")


def prism_options(name: str, endpoint: str) -> PipelineOptions:
    """Options of a job on a Prism of our own: its workers are threads of this process."""
    return PipelineOptions(
        [
            "--runner=PortableRunner",
            f"--job_name={name}",
            f"--job_endpoint={endpoint}",
            "--environment_type=LOOPBACK",
            "--streaming",
            # Without it state updates were lost under load.
            "--experiments=prism_disable_sdf_split",
            f"--job_server_timeout={JOB_SERVER_TIMEOUT_S}",
        ]
    )


def _submit(build: Callable[[beam.Pipeline], None], options: PipelineOptions) -> beam.runners.runner.PipelineResult:
    pipeline = beam.Pipeline(options=options)
    build(pipeline)
    return pipeline.run()


def _run_in_process(build: Callable[[beam.Pipeline], None], stop: threading.Event) -> None:
    """FnApiRunner: for trying out and tests only; it keeps all that it processed."""
    log.warning("running on FnApiRunner: for trying out only, its memory grows with every article")
    board.note(RUNNER, ok=True, why="FnApiRunner, in this process")
    result = _submit(build, PipelineOptions(["--runner=FnApiRunner", "--streaming"]))
    if result.wait_until_finish() != PipelineState.DONE or not stop.is_set():
        raise JobFailed("running failed: FnApiRunner: the job ended by itself")


__all__ = ["JobFailed", "PrismNotFound", "prism_options", "run"]
