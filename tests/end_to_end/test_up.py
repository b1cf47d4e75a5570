"""``brinkwatch up``, whole: what a new user sees, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest
from service import left_behind, wait_for

from deploy.local.process import Port

# `up` would get Prism itself, but then its building would count as its start.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.usefixtures("prism")]
UP = (sys.executable, "-m", "pipeline.cli.main", "up", "--feeds", "none")


def ports():
    """Five free ports, as the settings' variables."""
    found = {}
    for name in ("UP", "CONNECT", "EXTRACT", "SCORE", "MONITOR"):
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
    """The drill raises an alert, shown with its evidence; every process's metrics say so; the end is clean.

    Heartbeats pass every stage and are no news; while extract stands still none passes score. The article that an alert
    came by is found in every process's log by its trace.
    """
    env = ports()
    wanted = {"BRINKWATCH_HEARTBEAT_INTERVAL_S": "2", "BRINKWATCH_LOG_LEVEL": "debug"}
    process = start(tmp_path, "--seconds", "120", **wanted, **env)
    try:
        wait_for(lambda: "RAISED" in read(tmp_path, "out") or process.poll() is not None, 150, "a raised alert")
        wait_for(lambda: all(passed(env, stage) for stage in ("connect", "extract", "score")), 30, "a heartbeat")
        wait_for(lambda: all(is_ready(port) for port in env.values()), 20, "every process to be ready")
        assert well(env) == 0
        member = 'brinkwatch_consumer_members{group="brinkwatch.extract"} 1.0'
        wait_for(lambda: member in page(env["BRINKWATCH_MONITOR_METRICS_PORT"]), 40, "the monitor to see extract")
        without_extract(process, env)
        pages = {name: page(port) for name, port in env.items()}
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
    assert "heartbeat" not in said
    told = {name: logged(tmp_path, name) for name in ("connect", "extract", "score", "monitor")}
    trace = next(line["trace_id"] for line in told["score"] if line["message"] == "alert raised")
    for name, message in (("connect", "article delivered"), ("extract", "article read"), ("score", "signal read")):
        assert any(line["message"] == message and line["trace_id"] == trace for line in told[name]), name
    assert 'brinkwatch_connect_articles_total{outcome="new"}' in pages["BRINKWATCH_CONNECT_METRICS_PORT"]
    assert 'brinkwatch_supervisor_up{process="kafka"} 1.0' in pages["BRINKWATCH_UP_METRICS_PORT"]
    assert "brinkwatch_broker_up 1.0" in pages["BRINKWATCH_MONITOR_METRICS_PORT"]
    assert left_behind(str(tmp_path)) == []


def logged(folder, name):
    """The lines of a process's log, each of which is JSON."""
    return [json.loads(line) for line in read(folder / "data" / "logs", f"{name}.log").splitlines()]


def page(port, path="metrics"):
    """What a process says on its port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as response:
        return response.read().decode()


def passed(env, stage):
    """When the newest heartbeat that has passed a stage was sent; 0 before the first."""
    told = page(env[f"BRINKWATCH_{stage.upper()}_METRICS_PORT"])
    name = f'brinkwatch_heartbeat_last_timestamp_seconds{{stage="{stage}"}} '
    return next(float(line.removeprefix(name)) for line in told.splitlines() if line.startswith(name))


def is_ready(port):
    """Whether a process says that it can do its work."""
    try:
        return json.loads(page(port, "readyz"))["ok"]
    except urllib.error.HTTPError:
        return False


def well(env):
    """The exit code of ``brinkwatch health``, which asks every process."""
    command = [sys.executable, "-m", "pipeline.cli.main", "health"]
    return subprocess.run(command, env={**os.environ, **env}, timeout=60, check=False).returncode


def without_extract(process, env):
    """While extract stands still, heartbeats are sent and none passes score; when it goes on, so do they."""
    line = [str(each) for each in ("pipeline.cli.main", "extract")]
    (extract,) = [
        child for child in psutil.Process(process.pid).children(recursive=True) if child.cmdline()[-2:] == line
    ]
    extract.suspend()
    time.sleep(3)  # what was under way has passed score
    sent, before = passed(env, "connect"), passed(env, "score")
    wait_for(lambda: passed(env, "connect") > sent + 3, 30, "two more heartbeats to be sent")
    assert passed(env, "score") == before
    extract.resume()
    wait_for(lambda: passed(env, "score") > before, 40, "a heartbeat to pass score")


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
