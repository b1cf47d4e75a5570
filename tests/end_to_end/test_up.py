"""``brinkwatch up``, whole: what a new user sees, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, nullcontext

import promtool
import psutil
import pytest
from prometheus import NO_PROMETHEUS, PROMETHEUS, RealPrometheus, scraping
from service import left_behind, wait_for

from deploy.grafana import check
from deploy.local.process import Port
from pipeline.metrics_reference import rows

# `up` would get Prism itself, but then its building would count as its start.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.usefixtures("prism")]
NAMED = 'brinkwatch_dyad_info{drill="true",dyad="XBM-XKV",name="Belmora \N{EN DASH} Karvenia"} 1.0'
PROCESSES = ("up", "connect", "extract", "score", "monitor")
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


def page(env, name, path="metrics"):
    """What a process says on its port."""
    address = f"http://127.0.0.1:{env[f'BRINKWATCH_{name.upper()}_METRICS_PORT']}/{path}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    """A run of the drill up to an alert: where, what was told, how it ended, each process's metrics, and dashboards.

    Heartbeats pass every stage; while extract stands still none passes score.
    """
    folder, env = tmp_path_factory.mktemp("drill"), ports()
    wanted = {"BRINKWATCH_HEARTBEAT_INTERVAL_S": "2", "BRINKWATCH_LOG_LEVEL": "debug"}
    process = start(folder, "--seconds", "300", **wanted, **env)
    with ended(process), watched(folder / "prometheus", env) as prometheus:
        wait_for(lambda: "RAISED" in read(folder, "out") or process.poll() is not None, 250, "a raised alert")
        assert process.poll() is None, read(folder, "err")
        wait_for(lambda: NAMED in page(env, "score"), 20, "the dyad's metrics")
        wait_for(lambda: all(passed(env, stage) for stage in ("connect", "extract", "score")), 30, "a heartbeat")
        wait_for(lambda: all(is_ready(env, name) for name in PROCESSES), 20, "every process to be ready")
        assert well(env) == 0
        member = 'brinkwatch_consumer_members{group="brinkwatch.extract"} 1.0'
        wait_for(lambda: member in page(env, "monitor"), 40, "the monitor to see extract")
        without_extract(process, env)
        pages = {name: page(env, name) for name in PROCESSES}
        asked = prometheus and dashboards(prometheus)
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    return folder, read(folder, "out"), code, pages, asked


def test_the_main_job(drill):
    """The drill raises an alert, shown with its evidence; every process's metrics say so; the end is clean."""
    folder, said, code, pages, _ = drill
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
    assert 'brinkwatch_supervisor_up{process="kafka"} 1.0' in pages["up"]
    assert "brinkwatch_broker_up 1.0" in pages["monitor"]
    assert left_behind(str(folder)) == []


def test_an_article_is_followed_through_the_logs(drill):
    """The article that an alert came by is found in every process's log by its trace; heartbeats are no news."""
    folder, said, *_ = drill
    assert "heartbeat" not in said
    told = {name: logged(folder, name) for name in ("connect", "extract", "score", "monitor")}
    trace = next(line["trace_id"] for line in told["score"] if line["message"] == "alert raised")
    for name, message in (("connect", "article delivered"), ("extract", "article read"), ("score", "signal read")):
        assert any(line["message"] == message and line["trace_id"] == trace for line in told[name]), name


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_tells_of_what_it_does_and_of_nothing_else(drill, name):
    """A gauge of score at 0 on extract's page would be taken for true: each has all of its own, and no other."""
    found = set(re.findall(r"^# TYPE (brinkwatch_\S+) ", drill[3][name], re.MULTILINE))
    own = {row.name for row in rows() if name in row.processes}
    assert {metric for metric in found if not metric.endswith("_created")} == own


@pytest.mark.skipif(promtool.BINARY is None, reason=promtool.MISSING)
@pytest.mark.parametrize("name", PROCESSES)
def test_prometheus_finds_no_fault_with_the_metrics(drill, name):
    """Names, units, help and the format itself, as Prometheus checks them, on pages with real traffic."""
    assert promtool.faults(drill[3][name]) == []


@pytest.mark.skipif(PROMETHEUS is None, reason=NO_PROMETHEUS)
def test_every_query_of_the_dashboards_is_answered(drill):
    """A panel that asks for what the real processes do not tell would be empty; notify, which is off, is said to be."""
    asked = drill[4]
    assert asked.lines == []
    assert asked.tried > 100
    assert asked.off
    assert all("notify" in line for line in asked.off)


@contextmanager
def ended(process):
    """The process is gone afterwards."""
    try:
        yield
    finally:
        process.kill()
        process.wait()


def watched(folder, env):
    """A Prometheus that scrapes every process; None where there is none on this machine."""
    targets = {name: f"127.0.0.1:{env[f'BRINKWATCH_{name.upper()}_METRICS_PORT']}" for name in PROCESSES}
    return RealPrometheus(folder, scraping(targets, every="2s")) if PROMETHEUS else nullcontext()


def dashboards(prometheus):
    """What the check of the dashboards finds. It asks once several scrapes of all processes are there."""
    scraped = f"count(count_over_time(up[10s]) >= 4) >= {len(PROCESSES)}"
    wait_for(lambda: prometheus.query(scraped), 30, "scrapes")
    window = check.Window(range_s=300, step_s=2, rate_s=60)
    return check.check(check.Prometheus(prometheus.url, window), check.load([]), window)


def logged(folder, name):
    """The lines of a process's log, each of which is JSON."""
    return [json.loads(line) for line in read(folder / "data" / "logs", f"{name}.log").splitlines()]


def passed(env, stage):
    """When the newest heartbeat that has passed a stage was sent; 0 before the first."""
    told = page(env, stage)
    name = f'brinkwatch_heartbeat_last_timestamp_seconds{{stage="{stage}"}} '
    return next(float(line.removeprefix(name)) for line in told.splitlines() if line.startswith(name))


def is_ready(env, name):
    """Whether a process says that it can do its work."""
    try:
        return json.loads(page(env, name, "readyz"))["ok"]
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
