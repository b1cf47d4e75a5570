"""``brinkwatch up``, whole: what a new user sees, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from service import left_behind, wait_for

from deploy.local.process import Port

# `up` would get Prism itself, but then its building would count as its start.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.usefixtures("prism")]
UP = (sys.executable, "-m", "pipeline.cli.main", "up", "--feeds", "none")


def ports():
    """Three free ports, as the settings' variables."""
    found = {}
    for name in ("CONNECT", "EXTRACT", "SCORE"):
        with Port() as port:
            found[f"BRINKWATCH_{name}_METRICS_PORT"] = str(port.number)
    return found


def start(folder, *options, **env):
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        return subprocess.Popen(
            [*UP, "--data-dir", str(folder / "data"), *options],
            stdout=out, stderr=err, stdin=subprocess.DEVNULL, env={**os.environ, **env},
        )  # fmt: skip


def read(folder, name):
    return (folder / name).read_text(encoding="utf-8", errors="replace")


def test_the_main_job(tmp_path):
    """The drill raises an alert, shown with its evidence; every process's metrics say so; the end is clean."""
    env = ports()
    process = start(tmp_path, "--seconds", "100", **env)
    try:
        wait_for(lambda: "RAISED" in read(tmp_path, "out") or process.poll() is not None, 110, "a raised alert")
        pages = {
            name: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
            for name, port in env.items()
        }
        assert process.wait(120) == 0, read(tmp_path, "err")
    finally:
        process.kill()
        process.wait()
    said = read(tmp_path, "out")
    raised = said.index("RAISED")
    assert "XBM-XKV" in said[raised : raised + 200]
    assert "·" in said[raised:]  # evidence lines follow
    assert 'brinkwatch_alerts_total{level="watch",transition="raised"}' in pages["BRINKWATCH_SCORE_METRICS_PORT"]
    assert 'brinkwatch_extract_articles_total{outcome="signals"}' in pages["BRINKWATCH_EXTRACT_METRICS_PORT"]
    assert 'brinkwatch_connect_fetches_total{outcome="ok"}' in pages["BRINKWATCH_CONNECT_METRICS_PORT"]
    assert left_behind(str(tmp_path)) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_orphaned(tmp_path, number):
    """However ``up`` ends, even by kill -9, its broker, runners and jobs end with it."""
    process = start(tmp_path, "--no-drill", **ports())
    try:
        wait_for(lambda: "up: Kafka" in read(tmp_path, "err") or process.poll() is not None, 90, "the service to be up")
        time.sleep(4)  # the jobs have their runners by now
        assert len(left_behind(str(tmp_path))) >= 4
        process.send_signal(number)
        process.wait(60)
    finally:
        process.kill()
        process.wait()
    wait_for(lambda: left_behind(str(tmp_path)) == [], 15, "every process to end")
    if number is not signal.SIGKILL:
        assert process.returncode == 0, read(tmp_path, "err")


def test_a_taken_port_is_said_at_once(tmp_path):
    """A port that is in use must be named, not hidden in a child's log."""
    env = ports()
    with Port(int(env["BRINKWATCH_SCORE_METRICS_PORT"])) as taken:
        taken._socket.listen()
        process = start(tmp_path, "--seconds", "5", **env)
        assert process.wait(60) == 1
    assert env["BRINKWATCH_SCORE_METRICS_PORT"] in read(tmp_path, "err")
    assert json.dumps(read(tmp_path, "err")).count("Traceback") == 0
