"""Children that die with us, the ports they listen on, and ending them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Self

from deploy.local.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

GUARD = Path(__file__).with_name("guard.py")
LOOPBACK = "127.0.0.1"
# Below every system's range for outgoing connections, so that none of those takes a port we mean to listen on.
PORTS = range(20_000, 32_000)
TAIL_BYTES = 4096


def spawn(
    command: Sequence[str],
    output: IO[bytes] | int,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, so that it ends when this process ends, even by kill -9.

    Args:
        command: The command; its first word is looked up on PATH.
        output: Where its stdout and stderr go.
        env: Its environment; None for ours.
        cwd: Its folder; None for ours.
        pass_fds: File descriptors that it inherits, such as a lock to be held as long as it lives.
    """
    fds = ",".join(map(str, pass_fds))
    guard = [sys.executable, "-I", "-S", str(GUARD), guard_mode(), str(os.getpid()), fds]
    return subprocess.Popen(
        [*guard, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        pass_fds=pass_fds,
        start_new_session=True,
    )


def guard_mode() -> str:
    """How the guard must work: Linux's death signal fires when the starting *thread* ends, so only for the main one."""
    direct = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
    return "exec" if direct else "watch"


def end(child: subprocess.Popen[bytes], patience: float) -> int:
    """SIGTERM to the child's process group, SIGKILL after ``patience`` seconds; its exit code."""
    signal_group(child, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(patience)
    return kill_group(child)


def kill_group(child: subprocess.Popen[bytes]) -> int:
    """SIGKILL to the child and whatever it left in its process group; its exit code."""
    signal_group(child, signal.SIGKILL)
    return child.wait()


def signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the process group that ``child`` leads; nothing if it is empty."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        os.killpg(child.pid, number)


def tail(file: BinaryIO, limit: int = TAIL_BYTES) -> str:
    """The last ``limit`` bytes of an open file as text, its lines joined by `` | ``."""
    end_of_file = file.seek(0, os.SEEK_END)
    file.seek(max(0, end_of_file - limit))
    lines = file.read(limit).decode("utf-8", "replace").splitlines()
    return " | ".join(line.strip() for line in lines if line.strip())


def tail_of(path: Path, limit: int = TAIL_BYTES) -> str:
    """The last ``limit`` bytes of the file at ``path`` as text; empty if it can't be read."""
    try:
        with path.open("rb") as file:
            return tail(file, limit)
    except OSError:
        return ""


class Port:
    """A free loopback port, kept for us until ``release``.

    On Linux a bound socket that does not listen keeps others off, while the child, which sets SO_REUSEADDR as every
    server does, can still bind. Elsewhere it must be let go just before the child starts; whoever starts it checks that
    the child lives and answers.
    """

    def __init__(self, number: int | None = None) -> None:
        """Take ``number``, or any free port.

        Raises:
            PlatformError: If ``number`` is in use, or no port is free.
        """
        if number is not None:
            self._socket = _bound(number, ours=True)
            if self._socket is None:
                raise PlatformError(f"port can't be used: {LOOPBACK}:{number}: something else listens there")
        else:
            tries = random.sample(PORTS, 200)
            self._socket = next(filter(None, (_bound(each, ours=False) for each in tries)), None)
            if self._socket is None:
                raise PlatformError(f"no free port: {LOOPBACK}: {len(tries)} tried in {PORTS.start}-{PORTS.stop - 1}")
        self.number: int = self._socket.getsockname()[1]

    def hand_over(self) -> int:
        """The number, for a child that is about to be started."""
        if sys.platform != "linux":
            self.release()
        return self.number

    def release(self) -> None:
        """Let go of it; the child listens, or is gone."""
        if self._socket is not None:
            self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _bound(number: int, *, ours: bool) -> socket.socket | None:
    """A socket bound to the port, or None if it is taken.

    A port that was ours before may still have connections closing, which is no reason not to take it again. A new port
    must be wholly free: the exclusive bind also fails where another of our processes keeps it without listening yet.
    """
    sock = socket.socket()
    try:
        if ours:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOOPBACK, number))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError:
        sock.close()
        return None
    return sock


def listens(number: int, timeout: float = 1.0) -> bool:
    """Whether something accepts connections on the loopback port."""
    try:
        socket.create_connection((LOOPBACK, number), timeout).close()
    except OSError:
        return False
    return True


def wait_listening(child: subprocess.Popen[bytes], number: int, timeout: float) -> bool:
    """Wait until the port accepts connections *and* the child still lives: else another's server may have answered."""
    deadline = time.monotonic() + timeout
    while child.poll() is None and time.monotonic() < deadline:
        if listens(number):
            time.sleep(0.05)  # a child that lost the port needs a moment to end
            return child.poll() is None
        time.sleep(0.02)
    return False
