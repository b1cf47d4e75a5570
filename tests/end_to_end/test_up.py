"""``brinkwatch up``, whole: what a new user sees, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import promtool
import pytest
from service import left_behind, wait_for

from deploy.local.process import Port
from pipeline.metrics_reference import rows

# `up` would get Prism itself, but then its building would count as its start.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.usefixtures("prism")]
NAMED = 'brinkwatch_dyad_info{drill="true",dyad="XBM-XKV",name="Belmora \N{EN DASH} Karvenia"} 1.0'
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


def page(env, name):
    """What a process serves at /metrics."""
    address = f"http://127.0.0.1:{env[f'BRINKWATCH_{name.upper()}_METRICS_PORT']}/metrics"
    with urllib.request.urlopen(address, timeout=5) as answer:
        return answer.read().decode()


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    """A run of the drill up to an alert: where, what was told, how it ended, and each process's metrics."""
    folder, env = tmp_path_factory.mktemp("drill"), ports()
    process = start(folder, "--seconds", "300", **env)
    try:
        wait_for(lambda: "RAISED" in read(folder, "out") or process.poll() is not None, 250, "a raised alert")
        assert process.poll() is None, read(folder, "err")
        wait_for(lambda: NAMED in page(env, "score"), 20, "the dyad's metrics")
        pages = {name: page(env, name) for name in ("connect", "extract", "score")}
        time.sleep(3)  # the alert's evidence is told line by line
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    finally:
        process.kill()
        process.wait()
    return folder, read(folder, "out"), code, pages


def test_the_main_job(drill):
    """The drill raises an alert, shown with its evidence; every process's metrics say so; the end is clean."""
    folder, said, code, pages = drill
    assert code == 0, read(folder, "err")
    raised = said.index("RAISED")
    assert "XBM-XKV" in said[raised : raised + 200]
    assert "·" in said[raised:]  # evidence lines follow
    assert 'brinkwatch_alerts_total{level="watch",rule="drill",transition="raised"} 1.0' in pages["score"]
    assert 'brinkwatch_runner_up{process="score"} 1.0' in pages["score"]
    assert 'brinkwatch_dyad_level{dyad="XBM-XKV"}' in pages["score"]
    assert 'brinkwatch_runner_up{process="extract"} 1.0' in pages["extract"]
    assert 'brinkwatch_extract_articles_total{outcome="signals"}' in pages["extract"]
    assert 'brinkwatch_connect_fetches_total{kind="feed",outcome="ok"}' in pages["connect"]
    assert left_behind(str(folder)) == []


@pytest.mark.parametrize("name", ["connect", "extract", "score"])
def test_a_process_tells_of_what_it_does_and_of_nothing_else(drill, name):
    """A gauge of score at 0 on extract's page would be taken for true: each has all of its own, and no other."""
    found = set(re.findall(r"^# TYPE (brinkwatch_\S+) ", drill[3][name], re.MULTILINE))
    own = {row.name for row in rows() if name in row.processes}
    assert {metric for metric in found if not metric.endswith("_created")} == own


@pytest.mark.skipif(promtool.BINARY is None, reason=promtool.MISSING)
@pytest.mark.parametrize("name", ["connect", "extract", "score"])
def test_prometheus_finds_no_fault_with_the_metrics(drill, name):
    """Names, units, help and the format itself, as Prometheus checks them, on pages with real traffic."""
    assert promtool.faults(drill[3][name]) == []


def test_it_ends_when_its_time_is_over(tmp_path):
    """``--seconds`` is for whoever does not sit beside it: a clean end by itself."""
    process = start(tmp_path, "--no-drill", "--seconds", "20", **ports())
    try:
        assert process.wait(150) == 0, read(tmp_path, "err")
    finally:
        process.kill()
        process.wait()
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
