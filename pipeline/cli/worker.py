"""``brinkwatch worker``: where a job's work is done when the runner is Flink."""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import BrinkwatchError
from config.settings import Settings, load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging

if TYPE_CHECKING:
    from pipeline.cli.job import Prepared
    from pipeline.transforms.sessions import Session

log = logging.getLogger(__name__)
# The worker before may still be committing its last bundle.
PREDECESSOR_S = 30.0
RETRY_S = 0.5


class Job(StrEnum):
    """The jobs that a worker can serve."""

    EXTRACT = "extract"
    SCORE = "score"


Named = Annotated[Job, typer.Argument(help="The job whose work is done here.", metavar="extract|score")]


def worker(
    job: Named,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the runner asks for workers.")] = 50000,
    host: Annotated[
        str, typer.Option(help="The address to listen on. Whoever reaches it can run code here: there is no password.")
    ] = "127.0.0.1",
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Run a job's workers for a runner elsewhere: Beam's external worker pool, one for each job.

    SIGTERM lets the bundle under way commit and takes no more; the runner then asks for a worker again, and goes on
    with the one that it finds.
    """
    from deploy.local.installation import environment
    from deploy.local.supervisor import brinkwatch
    from pipeline.cli.job import stop_on_signals

    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings)
    stop = stop_on_signals()
    from pipeline.transforms.pool import Pool

    # What the command line said reaches the workers as variables; secrets are in the environment already.
    variables = {**os.environ, **environment(settings)}
    Pool(brinkwatch("sdk-worker", job.value), variables).run(host, port, stop)


def sdk_worker(job: Named, worker_id: str, control: str) -> None:
    """One worker's process, as the pool starts it: WORKER_ID for the runner whose endpoint is CONTROL."""
    settings = load_settings()
    set_up_logging(settings)
    from pipeline.transforms.worker import leave

    try:
        code = _work(job, settings, worker_id, control)
    except Exception:
        log.exception("the worker failed")
        code = 1
    leave(code)


def _work(job: Job, settings: Settings, worker_id: str, control: str) -> int:
    from deploy.local.loopback import bind_loopback
    from pipeline.transforms import sessions
    from pipeline.transforms.worker import serve

    bind_loopback()
    sessions.offer(job.value, lambda: _session(job, settings))
    return serve(control, worker_id, lambda: sessions.session(job.value).close() if sessions.made() else None)


def _session(job: Job, settings: Settings) -> Session:
    """The job's session, and its metrics served: of this process, because it is this one that works.

    Raises:
        BrinkwatchError: It can't be had, or the end was asked for before it was this process's turn.
    """
    from pipeline import metrics
    from pipeline.transforms import sessions

    _serve_metrics(job, settings)
    prepared = _prepare(job, settings, sessions.handover.asked)
    if prepared is None:
        raise BrinkwatchError(f"working failed: job {job}: the end was asked for before it was this process's turn")
    gc.collect()
    gc.freeze()  # what lives as long as the process is not searched for garbage again and again
    log.info("session made", extra={"fields": {"job": job.value}})
    made: Session = prepared.session
    metrics.RUNNER_UP.labels(job.value).set(1)  # it has bundles done here; where it is lost, this process ends
    return made


def _serve_metrics(job: Job, settings: Settings) -> None:
    """On the job's port, as soon as the worker before this one has let go of it."""
    from config import spans
    from pipeline import metrics
    from pipeline.cli.job import begin

    begin(job.value)
    spans.begin(job.value, settings)
    port = settings.extract_metrics_port if job is Job.EXTRACT else settings.score_metrics_port
    deadline = time.monotonic() + PREDECESSOR_S
    while True:
        try:
            metrics.serve(settings, port)
        except BrinkwatchError:
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)
        else:
            return


def _prepare(job: Job, settings: Settings, stop: threading.Event) -> Prepared | None:
    from pipeline.cli import extract, score

    return extract.prepare(settings, stop) if job is Job.EXTRACT else score.prepare(settings, stop)
