"""Children end with us, ports are kept for them, and ending them is bounded."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from processes import gone, until

from deploy.local import process
from deploy.local.errors import PlatformError
from deploy.local.process import Port, end, guard_mode, kill_group, spawn, wait_listening

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
PARENT = """
    import sys, time
    from deploy.local import process
    if {mode!r} == "watch":
        process.guard_mode = lambda: "watch"
    child = process.spawn([sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"], 1)
    time.sleep(600)
"""


@pytest.mark.parametrize("mode", ["exec", "watch"])
def test_child_ends_when_its_parent_is_killed(mode):
    """SIGKILL to the parent runs none of its code: the kernel (Linux) or the guard must end the child all the same."""
    if mode == "exec" and sys.platform != "linux":
        pytest.skip("the kernel's death signal is Linux's")
    script = textwrap.dedent(PARENT.format(mode=mode))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
        parent.wait()
        assert until(lambda: gone(pid))


def test_threads_other_than_the_main_one_use_the_watching_guard():
    """Linux sends the death signal when the starting thread ends: a thread's child must not die with the thread."""
    modes: list[str] = []
    thread = threading.Thread(target=lambda: modes.append(guard_mode()))
    thread.start()
    thread.join()
    assert modes == ["watch"]


@pytest.mark.parametrize("mode", ["exec", "watch"])
def test_exit_code_is_the_childs(monkeypatch, mode):
    """Whoever supervises must see how the child itself ended, guard or not."""
    monkeypatch.setattr(process, "guard_mode", lambda: mode if sys.platform == "linux" else "watch")
    child = spawn([sys.executable, "-c", "raise SystemExit(7)"], subprocess.DEVNULL)
    assert child.wait(20) == 7


def test_command_that_is_not_there_is_told(tmp_path):
    """A missing program must end as an exit code and a line in the log, not hang."""
    with (tmp_path / "log").open("w+b") as log:
        assert spawn([str(tmp_path / "nothing")], log).wait(20) == 127
        assert "nothing" in process.tail(log)


@pytest.mark.parametrize("mode", ["exec", "watch"])
def test_polite_child_is_ended_by_sigterm(monkeypatch, mode):
    """A child that heeds SIGTERM must get the chance, also behind the guard."""
    monkeypatch.setattr(process, "guard_mode", lambda: mode if sys.platform == "linux" else "watch")
    child = spawn(SLEEP, subprocess.DEVNULL)
    assert end(child, 20) in {-signal.SIGTERM, 128 + signal.SIGTERM}


def test_deaf_child_is_killed():
    """A child that ignores SIGTERM must not hold up the end."""
    child = spawn(DEAF, subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    assert end(child, 0.2) == -signal.SIGKILL
    child.stdout.close()


def test_grandchildren_are_killed_too():
    """What a child left in its process group must not live on."""
    code = f"import subprocess, sys; p = subprocess.Popen({SLEEP!r}); print(p.pid, flush=True); p.wait()"
    child = spawn([sys.executable, "-c", code], subprocess.PIPE)
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())
    kill_group(child)
    child.stdout.close()
    assert until(lambda: gone(grandchild))


def test_two_ports_never_agree():
    """Two starts at one time once picked one port: while it is kept, no other may get it."""
    with Port() as first, Port() as second:
        assert first.number != second.number
        assert process._bound(first.number, ours=False) is None


def test_child_can_listen_on_a_kept_port():
    """Keeping a port must not keep the child itself off it."""
    with Port() as port:
        number = port.hand_over()
        server = spawn([sys.executable, "-m", "http.server", str(number), "--bind", "127.0.0.1"], subprocess.DEVNULL)
        try:
            assert wait_listening(server, number, 20)
        finally:
            end(server, 5)


def test_taken_port_is_an_error():
    """A port that another listens on must be named in the error."""
    with Port() as port:
        port._socket.listen()
        with pytest.raises(PlatformError, match=f"127.0.0.1:{port.number}"):
            Port(port.number)


def test_strangers_answer_is_not_ours():
    """If another's server answers on the port and our child died, that must not count as started."""
    with Port() as port:
        port._socket.listen()
        child = spawn([sys.executable, "-c", "pass"], subprocess.DEVNULL)
        until(lambda: child.poll() is not None)
        assert not wait_listening(child, port.number, 5)


def test_wait_for_a_silent_child_is_bounded():
    """A child that never listens must not be waited for longer than asked."""
    child = spawn(SLEEP, subprocess.DEVNULL)
    with Port() as port:
        began = time.monotonic()
        assert not wait_listening(child, port.number, 0.3)
        assert time.monotonic() - began < 60
    kill_group(child)
