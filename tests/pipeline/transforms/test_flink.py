"""What a job on Flink is told, and what is said where it can't be given to it."""

from __future__ import annotations

import threading
from pathlib import Path

import apache_beam as beam
import pydantic
import pytest
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    JobServerOptions,
    PortableOptions,
    StandardOptions,
)
from apache_beam.runners.portability.flink_runner import FlinkRunner
from apache_beam.runners.portability.portable_runner import JobServiceHandle, PortableRunner
from apache_beam.transforms.environments import Environment, ExternalEnvironment

from config.errors import BrinkwatchError
from config.settings import load_settings
from deploy.local.process import Port
from pipeline.transforms import extract, score
from pipeline.transforms.flink import FlinkJobOptions, flink_options, submit

ENDPOINT = {"runner": "flink", "flink_job_server": "127.0.0.1:8099"}
COMMON = {
    "runner": "FlinkRunner",
    "job_name": "score",
    "streaming": True,
    "flink_master": "127.0.0.1:8081",
    "job_server_timeout": 100_000_000,
    "parallelism": 1,
    "environment_type": "EXTERNAL",
    "environment_config": "127.0.0.1:50000",
    "max_bundle_time_mills": 100,
    "checkpointing_interval": 10_000,
}


def told(java: str = "java", **settings) -> dict:
    """The options that differ from Beam's defaults, of those that any class of Beam or of ours declares."""
    return flink_options("score", load_settings(**settings), java).get_all_options(drop_default=True)


def test_all_that_a_job_is_told():
    """Beam drops an option that no class declares, and says so only in its log: a misspelt one would be missing."""
    assert told(**ENDPOINT) == {**COMMON, "job_endpoint": "127.0.0.1:8099"}


def test_every_setting_reaches_its_option():
    """What an operator sets must be what the job gets."""
    found = told(
        runner="flink",
        flink_job_server_jar=Path("/jars/job-server.jar"),
        flink_master="http://flink:8081",
        flink_worker_pool="worker:50001",
        flink_checkpoint_interval_ms=5000,
        flink_state_backend="hashmap",
        flink_checkpoint_storage="file:///checkpoints",
        flink_savepoint="file:///savepoints/savepoint-1",
        java="/jre/bin/java",
    )
    assert found == {
        **COMMON,
        "flink_job_server_jar": "/jars/job-server.jar",
        "job_server_java_launcher": "/jre/bin/java",
        "flink_master": "http://flink:8081",
        "environment_config": "worker:50001",
        "checkpointing_interval": 5000,
        "state_backend": "hashmap",
        "state_backend_storage_path": "file:///checkpoints",
        "savepoint_path": "file:///savepoints/savepoint-1",
    }


def test_a_download_is_of_the_version_that_was_asked_for():
    """Flink's version and the job server's must agree, so Beam's default must not win."""
    given = {"runner": "flink", "flink_job_server_download": True, "flink_version": "1.20"}
    assert told(**given) == {**COMMON, "flink_version": "1.20"}
    assert "2.0" in FlinkRunnerOptions.PUBLISHED_FLINK_VERSIONS


def test_rocksdb_is_the_backend_where_its_storage_is_given():
    """Without a place to keep it, Flink's own configuration decides both."""
    assert "state_backend" not in told(**ENDPOINT)
    assert told(**ENDPOINT, flink_checkpoint_storage="s3://bucket/a")["state_backend"] == "rocksdb"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"flink_job_server": "127.0.0.1:1", "flink_job_server_download": True},
        {"flink_job_server": "127.0.0.1:1", "flink_job_server_jar": Path("a.jar")},
        {"flink_job_server_jar": Path("a.jar"), "flink_job_server_download": True},
    ],
)
def test_nothing_is_downloaded_unless_asked(given):
    """Beam's own choice, where none is given, would be to fetch a jar from the internet."""
    with pytest.raises(BrinkwatchError, match="give one of flink_job_server"):
        told(runner="flink", **given)


def test_beam_takes_them_as_meant():
    """The classes that Beam itself reads them with."""
    options = flink_options("extract", load_settings(**ENDPOINT, flink_savepoint="file:///s"))
    environment = Environment.from_options(options.view_as(PortableOptions))
    assert isinstance(environment, ExternalEnvironment)
    assert environment.url == "127.0.0.1:50000"
    assert isinstance(beam.Pipeline(options=options).runner, FlinkRunner)
    assert options.view_as(StandardOptions).streaming
    assert options.view_as(FlinkRunnerOptions).parallelism == 1
    assert options.view_as(JobServerOptions).job_server_java_launcher == "java"
    assert options.view_as(FlinkJobOptions).savepoint_path == "file:///s"


@pytest.mark.parametrize("job", [extract, score])
def test_neither_settings_nor_secrets_are_in_the_pipeline(job):
    """A pipeline is kept in Flink's storage and shown in its interface: what the workers know must not be in it."""
    settings = load_settings(**ENDPOINT, sasl_username="somebody", bootstrap_servers="broker.example:9093").model_copy(
        update={"sasl_password": pydantic.SecretStr("hunter2-hunter2")}
    )
    options = flink_options(job.JOB, settings)
    pipeline = beam.Pipeline(options=options)
    job.build(pipeline)
    sent = PortableRunner.get_proto_pipeline(pipeline, options).SerializeToString()
    sent += JobServiceHandle.encode_pipeline_options(options.get_all_options()).SerializeToString()
    assert b"max_bundle_time_mills" in sent
    for secret in (b"hunter2", b"somebody", b"broker.example"):
        assert secret not in sent


def test_a_job_server_that_is_not_there_is_named():
    """Beam would wait for it without a word."""
    with Port() as port, pytest.raises(BrinkwatchError, match=f"127.0.0.1:{port.number}: .*refused"):
        submit(
            "score", score.build, load_settings(runner="flink", flink_job_server=f"127.0.0.1:{port.number}"), _never()
        )


def test_a_jar_that_is_not_there_is_named(tmp_path):
    """Beam would take it for the address of a download."""
    given = load_settings(runner="flink", flink_job_server_jar=tmp_path / "no.jar")
    with pytest.raises(BrinkwatchError, match=r"no\.jar: there is no such file"):
        submit("score", score.build, given, _never())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # Beam closes its channel too soon
def test_what_is_no_job_server_is_named(tmp_path):
    """A jar that ends at once, or is none: the reason must reach the operator, not only a trace."""
    jar = tmp_path / "broken.jar"
    jar.write_bytes(b"not a jar")
    given = load_settings(runner="flink", flink_job_server_jar=jar)
    with pytest.raises(BrinkwatchError, match="submitting failed: job score"):
        submit("score", score.build, given, _never())


def _never() -> threading.Event:
    return threading.Event()
