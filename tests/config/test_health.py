"""Health: what notes come to, and the server that tells it."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from config import exposition, health
from config.errors import BrinkwatchError
from config.health import KAFKA, RUNNER, Board, Check, Snapshot
from config.settings import load_settings
from deploy.local.process import Port
from pipeline.cli.health import ask, read


def test_kafka_away_is_no_reason_to_start_again():
    """A restart mends no broker: the process lives, is not ready, and says since when nobody has answered."""
    seen = Snapshot("extract", needs=(KAFKA,), kafka_s=47.0)
    assert health.live(seen).ok
    assert not health.ready(seen).ok
    assert health.ready(seen).checks[KAFKA].why == "no broker has answered for 47 s"
    assert not health.kafka_up(seen)


def test_a_loop_that_stands_is_neither_live_nor_ready():
    """Else a process that hangs would be kept, and be sent work."""
    seen = Snapshot("score", still_s=91.0, patience_s=90.0)
    assert not health.live(seen).ok
    assert not health.ready(seen).ok
    assert "has not turned for 91 s" in health.live(seen).checks["loop"].why


def test_a_dead_runner_is_a_reason_to_start_again():
    """And before the job is submitted it is only not ready."""
    needs = (KAFKA, RUNNER)
    starting = Snapshot("extract", needs=needs, kafka_s=0.1)
    assert health.live(starting).ok
    assert not health.ready(starting).ok
    ended = Snapshot("extract", needs=needs, kafka_s=0.1, noted={RUNNER: Check(ok=False, why="it has ended")})
    assert not health.live(ended).ok


def test_one_that_stands_by_is_ready():
    """It needs no runner before its turn; once active, it is not ready until it has one."""
    board = Board()
    board.begin("score", KAFKA, "lease", "rules")
    board.watch_kafka(lambda: 0.5)
    board.set_active(False)
    board.watch("lease", lambda: Check(ok=True, why="stands by"))
    board.note("rules", ok=True)
    assert health.ready(board.snapshot()).ok
    assert health.ready(board.snapshot()).as_json()["active"] is False
    board.set_active(True)
    board.need(RUNNER)
    assert not health.ready(board.snapshot()).ok
    board.note(RUNNER, ok=True)
    assert health.ready(board.snapshot()).ok


def test_a_probe_that_fails_is_an_answer():
    """A client that is being closed must not make the health endpoint fail."""
    board = Board()
    board.begin("score", KAFKA, "lease")
    board.watch_kafka(lambda: 1 / 0)
    board.watch("lease", Check)
    found = health.ready(board.snapshot())
    assert not found.ok
    assert "TypeError" in found.checks["lease"].why
    assert found.checks[KAFKA].why == "no broker has answered yet"


@pytest.fixture
def served(monkeypatch):
    """A served process and its board."""
    board = Board()
    monkeypatch.setattr(health, "board", board)
    board.begin("connect", KAFKA)
    with Port() as port:
        exposition.serve(load_settings(), port.hand_over())
    return f"http://127.0.0.1:{port.number}", board


def get(url, path):
    """The answer, an error's too."""
    return urllib.request.build_opener().open(f"{url}{path}", timeout=10)


def test_routes(served):
    """Orchestrators go by the status, people by the words; /metrics is there beside them."""
    url, board = served
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(url, "/readyz")
    told = json.loads(refused.value.read())
    assert (refused.value.code, told["process"], told["ok"]) == (503, "connect", False)
    assert told["checks"]["kafka"] == {"ok": False, "why": "no broker has answered yet"}
    assert json.loads(get(url, "/livez").read())["ok"] is True
    board.watch_kafka(lambda: 1.0)
    assert json.loads(get(url, "/readyz").read())["ok"] is True
    page = get(url, "/metrics").read().decode()
    assert 'brinkwatch_ready{process="connect"} 1.0' in page
    assert 'brinkwatch_kafka_up{process="connect"} 1.0' in page
    assert "brinkwatch_build_info" in page


def test_the_command_says_why(served):
    """A container's check goes by the exit code, and whoever reads its log wants the reason."""
    url, board = served
    answer = ask(f"{url}/readyz")
    assert (answer.ok, answer.lines) == (False, ("not well", "kafka: not well: no broker has answered yet"))
    board.watch_kafka(lambda: 1.0)
    assert ask(f"{url}/readyz").ok
    assert not ask(f"{url}/metrics").ok  # an answer, but none of health
    assert not ask("http://127.0.0.1:1/readyz").ok


@pytest.mark.parametrize("body", [b"", b"[]", b'{"ok": true}', b'{"ok": true, "checks": 3}', b"\xff", b"null"])
def test_whatever_answers_is_not_well_unless_it_says_so(body):
    """Another program's answer must not pass for health."""
    assert not read(200, body).ok


def test_a_crowd_is_hung_up_on_and_the_next_is_served(served, monkeypatch):
    """Connections that say nothing must not hold the port for long, nor cost a thread each without end."""
    url, _ = served
    port = int(url.rpartition(":")[2])
    monkeypatch.setattr(exposition, "MAX_SECONDS", 1.0)
    silent = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(exposition.MAX_CONNECTIONS)]
    try:
        with closing(socket.create_connection(("127.0.0.1", port), 5)) as late:
            late.settimeout(10)
            assert late.recv(1) == b""
        deadline = time.monotonic() + 60
        while not served_again(url):
            assert time.monotonic() < deadline
    finally:
        for each in silent:
            each.close()


def served_again(url):
    try:
        return get(url, "/livez").status == 200
    except OSError:
        time.sleep(0.1)
        return False


def test_a_taken_port_is_named():
    """Two processes with one port: the second must say which."""
    with Port() as port:
        port._socket.listen()
        with pytest.raises(BrinkwatchError, match=f"127.0.0.1:{port.number}"):
            exposition.serve(load_settings(), port.number)
