"""Running a Beam job as a process of its own: signals, metrics, its end."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config import refusal, spans
from config.errors import BrinkwatchError
from config.health import KAFKA, RUNNER, board
from config.settings import Settings

if TYPE_CHECKING:
    import apache_beam as beam

log = logging.getLogger(__name__)
GARBAGE = (100_000, 20, 20)
"""After how many new objects cycles are looked for: Beam's and Kafka's clients make few, and records none at all."""

NEEDS = {"extract": (KAFKA, "partitions", "model"), "score": (KAFKA, "lease", "rules")}
"""What a job's process can't work without, beside the runner; the active score needs more (``pipeline.cli.score``)."""
PATIENCE_S = {"extract": 660.0, "score": 150.0}
"""How long the poll of a job may stand: more than after what a job that stands still ends by itself."""


def begin(name: str, *needs: str) -> None:
    """Begin to note a job's health in this process."""
    board.begin(name, *NEEDS[name], *needs, patience_s=PATIENCE_S[name])


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set: the job then drains."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a job needs to run: its session, and what adds its transforms to a pipeline."""

    session: Any
    build: Callable[[beam.Pipeline], None]


def run_job(
    name: str,
    settings: Settings,
    stop: threading.Event,
    port: int,
    prepare: Callable[[], Prepared | None],
) -> None:
    """Prepare a job's session, serve its metrics, run it to its end, and end the process.

    Args:
        name: Of the job.
        settings: Of the installation.
        stop: Set when it is to drain.
        port: Of its metrics.
        prepare: Makes what it needs; None where the end was asked for before it was this process's turn.

    The process ends here even where threads of Beam or gRPC would keep it: a job that failed must be started again by
    whoever supervises it, not linger.
    """
    from pipeline import metrics
    from pipeline.kafka.client import await_broker
    from pipeline.transforms.runner import run

    code = 0
    job: Prepared | None = None
    try:
        begin(name, *([RUNNER] if name == "extract" else []))
        metrics.serve(settings, port)
        refusal.watch(settings)
        spans.begin(name, settings)
        await_broker(settings, stop)
        job = None if stop.is_set() else prepare()
        if job is not None:
            gc.collect()
            gc.freeze()  # what lives as long as the process is not searched for garbage again and again
            gc.set_threshold(*GARBAGE)
            run(name, job.build, settings, stop)
            job.session.close()
        spans.end()
        log.info("drained", extra={"fields": {"job": name}})
    except BrinkwatchError as error:
        # The runner only says that the job failed; the session may know why.
        why = getattr(job and job.session, "failure", None) or error
        log.error("%s", why)  # noqa: TRY400  the text says it all; the trace would hide it
        code = 1
    except Exception:
        log.exception("the job %s failed", name)
        code = 1
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
