"""The runner's end, told in words."""

from __future__ import annotations

import json
import os
import signal

import pytest
from service import Process, wait_for

pytestmark = pytest.mark.slow


def test_a_job_whose_runner_is_killed_ends_and_says_so(broker, prism, tmp_path):
    """Prism killed under a working job: exit code 1, and the last words name the runner, not a connection of gRPC."""
    settings = broker.settings("runner").model_copy(
        update={"prism": prism, "runner": "prism", "score_metrics_port": 0, "log_format": "json"}
    )
    with Process(settings, "score", folder=tmp_path) as score:
        wait_for(lambda: "job submitted" in score.said(), 60, "the job")
        submitted = next(line for line in score.said().splitlines() if "job submitted" in line)
        os.kill(int(json.loads(submitted)["prism_pid"]), signal.SIGKILL)
        wait_for(lambda: score.child.poll() is not None, 60, "its end")
        assert score.child.returncode == 1
        assert "its runner (Prism, pid" in score.said().splitlines()[-1]
