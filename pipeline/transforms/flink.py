"""Giving a job to Flink through Beam's job server, and following it there; ``brinkwatch worker`` does the work."""

from __future__ import annotations

import logging
import socket
import threading
from argparse import ArgumentParser
from collections.abc import Callable

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult, PipelineState

from config.errors import BrinkwatchError
from config.settings import Settings
from deploy.local.java import find_java
from deploy.local.loopback import bind_loopback
from pipeline.transforms.runner import JOB_SERVER_TIMEOUT_S, JobFailed

log = logging.getLogger(__name__)
POLL_S = 1.0
CONNECT_S = 10.0
# How long Flink collects what comes before it ends a bundle; a second, its default, would be the latency of each stage.
MAX_BUNDLE_MS = 100
ONE_JOB_SERVER = (
    "give one of flink_job_server (one that runs), flink_job_server_jar (a file) and flink_job_server_download"
)


class FlinkJobOptions(PipelineOptions):
    """Those options of Flink's runner that we use and Beam's Python has no class for: its Java side declares them."""

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        parser.add_argument("--checkpointing_interval", type=int, help="Milliseconds.")
        parser.add_argument("--max_bundle_time_mills", type=int, help="Milliseconds.")
        parser.add_argument("--state_backend", help="rocksdb or hashmap.")
        parser.add_argument("--state_backend_storage_path", help="A URI.")
        parser.add_argument("--savepoint_path", help="What the job starts from.")


def flink_options(name: str, settings: Settings, java: str = "java") -> PipelineOptions:
    """Options of a job on Flink: one slot, its DoFns in an external worker pool.

    Args:
        name: The job's name.
        settings: Of the installation; nothing of them but what is said here reaches the pipeline.
        java: What runs the job server, where it is a file.

    Raises:
        BrinkwatchError: Not exactly one job server is given.
    """
    return PipelineOptions(
        [
            "--runner=FlinkRunner",
            f"--job_name={name}",
            "--streaming",
            f"--flink_master={settings.flink_master}",
            *_job_server(settings, java),
            f"--job_server_timeout={JOB_SERVER_TIMEOUT_S}",
            # One source, one session, one bundle at a time; more of extract are more jobs, in one consumer group.
            "--parallelism=1",
            "--environment_type=EXTERNAL",
            f"--environment_config={settings.flink_worker_pool}",
            f"--max_bundle_time_mills={MAX_BUNDLE_MS}",
            f"--checkpointing_interval={settings.flink_checkpoint_interval_ms}",
            *_state(settings),
            *([f"--savepoint_path={settings.flink_savepoint}"] if settings.flink_savepoint else []),
        ]
    )


def _job_server(settings: Settings, java: str) -> list[str]:
    endpoint, jar, download = (
        settings.flink_job_server,
        settings.flink_job_server_jar,
        settings.flink_job_server_download,
    )
    if (endpoint is not None) + (jar is not None) + download != 1:
        raise BrinkwatchError(f"submitting failed: Beam's job server for Flink: {ONE_JOB_SERVER}")
    if endpoint is not None:
        return [f"--job_endpoint={endpoint}"]
    version = [f"--flink_version={settings.flink_version}"] if settings.flink_version else []
    named = [f"--flink_job_server_jar={jar}"] if jar is not None else version
    return [*named, f"--job_server_java_launcher={java}"]


def _state(settings: Settings) -> list[str]:
    """Where state is kept; where nothing is said, neither is the backend: Flink's own configuration has both."""
    if settings.flink_checkpoint_storage is None:
        return []
    return [
        f"--state_backend={settings.flink_state_backend}",
        f"--state_backend_storage_path={settings.flink_checkpoint_storage}",
    ]


def submit(name: str, build: Callable[[beam.Pipeline], None], settings: Settings, stop: threading.Event) -> None:
    """Give the job to Flink, and follow it until it ends there or ``stop`` is set; it then goes on without us.

    Raises:
        BrinkwatchError: The settings do not say how, or the job server can't be had.
        JobFailed: The job failed; or its job server is gone, and how the job fares is not known here.
    """
    bind_loopback()
    options = flink_options(name, settings, _java(settings))
    _check(settings)
    pipeline = beam.Pipeline(options=options)
    build(pipeline)
    try:
        result = pipeline.run()
        log.info("job submitted", extra={"fields": {"job": name, "runner": "flink", "master": settings.flink_master}})
        state = _followed(result, stop)
    except (grpc.RpcError, RuntimeError) as error:
        raise JobFailed(f"submitting failed: job {name}: Beam's job server: {_reason(error)}") from error
    if state == PipelineState.FAILED:
        raise JobFailed(f"running failed: job {name}: Flink gave it up; its job manager's log says why")
    log.info("left to Flink" if stop.is_set() else "ended", extra={"fields": {"job": name, "state": state}})


def _java(settings: Settings) -> str:
    return "java" if settings.flink_job_server else str(find_java(settings.java_home).path)


def _check(settings: Settings) -> None:
    """That the job server is there: Beam would wait for one that is not, and say nothing.

    Raises:
        BrinkwatchError: It is not.
    """
    jar, endpoint = settings.flink_job_server_jar, settings.flink_job_server
    if jar is not None and not jar.is_file():
        raise BrinkwatchError(f"submitting failed: flink_job_server_jar: {jar}: there is no such file")
    if endpoint is not None:
        host, _, port = endpoint.rpartition(":")
        try:
            socket.create_connection((host, int(port)), CONNECT_S).close()
        except (OSError, OverflowError) as error:
            raise BrinkwatchError(f"submitting failed: flink_job_server: {endpoint}: {error}") from None


def _followed(result: PipelineResult, stop: threading.Event) -> str:
    """The job's state when it has ended, or when nobody waits for that any more."""
    before = None
    while True:
        state: str = result.state
        if state != before:
            log.info("job state", extra={"fields": {"state": state}})
        if PipelineState.is_terminal(state) or stop.wait(POLL_S):
            return state
        before = state


def _reason(error: Exception) -> str:
    return f"{error.code().name}: {error.details()}" if isinstance(error, grpc.Call) else str(error)
