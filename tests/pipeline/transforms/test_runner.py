"""The runner's end, told in words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from service import Process, wait_for

sys.path.insert(0, str(Path(__file__).parents[3]))

from deploy.local.installation import environment
from pipeline.kafka.client import producer
from pipeline.records.topics import Topics
from tests.faults import clock
from tests.faults.variants import command

pytestmark = pytest.mark.slow


def test_a_job_whose_runner_is_killed_ends_and_says_so(broker, prism, tmp_path):
    """Prism killed under a working job: exit code 1, and the last words name the runner, not a connection of gRPC."""
    settings = broker.settings("runner").model_copy(
        update={"prism": prism, "runner": "prism", "score_metrics_port": 0, "log_format": "json"}
    )
    with Process(settings, "score", folder=tmp_path) as score:
        wait_for(lambda: score.has_said("job submitted"), 60, "the job")
        submitted = next(line for line in score.said().splitlines() if "job submitted" in line)
        os.kill(int(json.loads(submitted)["prism_pid"]), signal.SIGKILL)
        wait_for(lambda: score.child.poll() is not None, 60, "its end")
        assert score.child.returncode == 1
        assert "its runner (Prism, pid" in score.said()[-1000:]


def test_a_job_whose_clock_is_set_back_ends_within_seconds(broker, prism, tmp_path):
    """Prism would wait an hour for the time that was: the job must end for that, and say so, not after its 90 s.

    A step holds the runner up only where it comes between two bundles, so it is given many, and the job the last one.
    """
    try:
        clock.check()
    except clock.CantStepError as error:
        pytest.skip(str(error))
    settings = broker.settings("back").model_copy(
        update={"prism": prism, "runner": "prism", "score_metrics_port": 0, "log_format": "json"}
    )
    with Process(settings, "score", folder=tmp_path) as score:
        wait_for(lambda: score.has_said("job submitted"), 120, "the job")
        submitted = next(line for line in score.said().splitlines() if "job submitted" in line)
        runner = json.loads(submitted)["prism_pid"]
        time.sleep(3)  # it begins bundles by then
        for hours in range(1, 61):
            clock.write_step(runner, clock.vdso_of(runner) or 0, -3600 * hours)
            time.sleep(0.1)
        clock.write_step(score.child.pid, clock.vdso_of(score.child.pid) or 0, -3600 * hours)
        wait_for(lambda: score.child.poll() is not None, 40, "its end")
        assert score.child.returncode == 1
        assert "the clock was set back by 216000 s" in score.said()


def test_a_job_that_stands_still_ends_and_says_so(broker, prism, tmp_path):
    """A transaction that never comes back must not look alive for ever: it ends with 1, every thread's stack logged."""
    settings = broker.settings("still").model_copy(
        update={"prism": prism, "runner": "prism", "score_metrics_port": 0, "log_format": "json"}
    )
    with producer(settings, "test") as sender:
        sender.send(Topics(settings.topic_prefix).signals.name, key=b"XAA-XBB", value=b"no signal").get(30)
    done = subprocess.run(
        command("stands-still"),
        env={**os.environ, **environment(settings)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "no bundle has ended for 15 s" in done.stderr[-1000:]
    assert "in finish_bundle" in done.stderr
