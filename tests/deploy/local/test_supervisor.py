"""Children are kept running, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from processes import gone, until

from deploy.local import restart
from deploy.local.errors import PlatformError
from deploy.local.supervisor import Supervisor

SLEEP = (sys.executable, "-c", "import os, time; print('up', os.getpid(), flush=True); time.sleep(600)")


@pytest.fixture
def supervisor(tmp_path, monkeypatch):
    """One whose delays are short."""
    monkeypatch.setattr(restart, "FIRST_DELAY", 0.01)
    with Supervisor(tmp_path) as made:
        yield made


def _settle(supervisor, condition):
    def look():
        supervisor.step()
        return condition()

    assert until(look)


def _restarts(supervisor, name):
    return supervisor._children[name].history.restarts


def test_killed_child_is_started_again_and_counted(supervisor):
    """After SIGKILL another process must run in its place, and the count say so."""
    child = supervisor.add("one", SLEEP)
    supervisor.step()
    first = child.pid
    os.kill(first, signal.SIGKILL)
    _settle(supervisor, lambda: child.pid not in {None, first})
    assert _restarts(supervisor, "one") == 1


def test_output_goes_to_the_log(supervisor, tmp_path):
    """What a child prints before it dies is what a person needs to see; lives must add up in one file."""
    supervisor.add("one", (sys.executable, "-c", "print('out'); import sys; sys.exit('and why')"))
    log = tmp_path / "logs" / "one.log"
    _settle(supervisor, lambda: log.exists() and log.read_text().count("and why") >= 2)
    assert "out" in log.read_text()


def test_environment_is_set_over_ours(supervisor, tmp_path):
    """Children learn where the broker is from their environment."""
    supervisor.add("one", (sys.executable, "-c", "import os; print(os.environ['WHERE'])"), {"WHERE": "here"})
    _settle(supervisor, lambda: "here" in (tmp_path / "logs" / "one.log").read_text())


def test_child_that_cannot_run_does_not_disturb_the_others(supervisor, tmp_path):
    """A command that is not there is tried again and again, later and later, beside healthy children."""
    supervisor.add("bad", (str(tmp_path / "nothing"),))
    good = supervisor.add("good", SLEEP)
    _settle(supervisor, lambda: _restarts(supervisor, "bad") >= 2)
    assert good.running
    assert _restarts(supervisor, "good") == 0


def test_stop_leaves_nothing_even_of_a_deaf_child(supervisor, monkeypatch):
    """Children that ignore SIGTERM are killed, with what they started, within a bounded time."""
    monkeypatch.setattr("deploy.local.supervisor.STOP_SECONDS", 0.3)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    children = [supervisor.add("deaf", (sys.executable, "-c", deaf)), supervisor.add("polite", SLEEP)]
    supervisor.step()
    pids = [child.pid for child in children]
    supervisor.stop()
    assert all(until(lambda pid=pid: gone(pid)) for pid in pids)


def test_services_are_stopped_after_the_commands(supervisor):
    """The broker must live until those that flush to it are gone, whatever the order they were added in."""
    order: list[str] = []
    child = supervisor.add("client", SLEEP)
    supervisor.add_service("broker", _Service(order, lambda: child.running))
    supervisor.step()
    supervisor.stop()
    assert order == ["start", "stop while client runs: False"]


def test_service_that_fails_to_start_is_tried_again(supervisor):
    """A broker whose port is taken for a moment must not end everything."""
    order: list[str] = []
    supervisor.add_service("broker", _Service(order, lambda: False, failures=2))
    _settle(supervisor, lambda: order.count("start") == 1)
    assert order == ["fail", "fail", "start"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("a fault")])
def test_any_error_of_a_start_is_an_end(supervisor, caplog, error):
    """A full disk while the broker is started again must not end the supervision of everything else."""
    order: list[str] = []
    supervisor.add_service("broker", _Service(order, lambda: False, failures=1, error=error))
    good = supervisor.add("good", SLEEP)
    _settle(supervisor, lambda: order.count("start") == 1 and good.running)
    assert order == ["fail", "start"]
    assert repr(error) in str(caplog.records[0].fields)


def test_why_a_service_ended_is_told(supervisor, caplog):
    """A broker that ends by itself, such as on a full disk, must say so in the supervisor's log, as a command does."""
    order: list[str] = []
    broker = _Service(order, lambda: False)
    supervisor.add_service("broker", broker)
    supervisor.step()
    broker.running = False
    supervisor.step()
    assert caplog.records[-1].fields["reason"] == "exit code 1; no space left"


def test_same_name_twice_is_refused(supervisor):
    """Two children of one name would share a log."""
    supervisor.add("one", SLEEP)
    with pytest.raises(PlatformError, match="one: there is one of that name"):
        supervisor.add("one", SLEEP)


def test_run_ends_when_told(supervisor):
    """``run`` must stop everything once the event is set."""
    child = supervisor.add("one", SLEEP)
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    supervisor.run(stop)
    assert not child.running


def test_killed_supervisor_leaves_nothing(tmp_path):
    """SIGKILL to the supervising process must end every child."""
    script = f"""
        import threading
        from pathlib import Path
        from deploy.local.supervisor import Supervisor
        supervisor = Supervisor(Path({str(tmp_path)!r}))
        children = [supervisor.add(name, {SLEEP!r}) for name in ("one", "two")]
        supervisor.step()
        print(*[child.pid for child in children], flush=True)
        supervisor.run(threading.Event())
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
        parent.wait()
    assert len(pids) == 2
    assert all(until(lambda pid=pid: gone(pid)) for pid in pids)


class _Service:
    """A service that notes what is done to it."""

    def __init__(self, order, client_runs, failures=0, error=None):
        self._order, self._client_runs, self._failures = order, client_runs, failures
        self._error = error or PlatformError("broker can't be started: here: not yet")
        self.running = False
        self.pid = None

    def start(self):
        if self._failures:
            self._failures -= 1
            self._order.append("fail")
            raise self._error
        self._order.append("start")
        self.running = True

    def last_words(self):
        return "exit code 1; no space left"

    def stop(self):
        if self.running:
            self._order.append(f"stop while client runs: {self._client_runs()}")
        self.running = False
