"""Prism, the runner, as a child that never outlives us.

Prism has no password, and what it is given is code. Beam's own build listens on every interface, with no option against
it; ours (``prism_build``) on loopback only. Where Beam's is used, and where others share the machine, give it a
container, network namespace or network policy of its own.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from deploy.local.bounded_log import BoundedLog, LogPipe
from deploy.local.errors import PlatformError
from deploy.local.prism_binary import PrismNotFound, find_prism, on_loopback_only
from deploy.local.prism_build import VERSION
from deploy.local.process import LOOPBACK, Port, end, spawn, tail_of, wait_listening

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path
    from types import TracebackType

__all__ = ["VERSION", "PrismError", "PrismNotFound", "PrismProcess", "find_prism", "on_loopback_only", "start_prism"]

log = logging.getLogger(__name__)
START_SECONDS = 20.0
STOP_SECONDS = 5.0
TRIES = 3
LOG_SECONDS = 1.0


class PrismError(PlatformError):
    """Prism can't be started."""


class PrismProcess:
    """A running Prism; a context manager that ends it.

    Attributes:
        port: Its job port on loopback.
    """

    def __init__(self, child: subprocess.Popen[bytes], port: int, pipe: LogPipe) -> None:
        self._child, self._pipe = child, pipe
        self.port = port

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def endpoint(self) -> str:
        """Where jobs are given to it: Beam's ``--job_endpoint``."""
        return f"{LOOPBACK}:{self.port}"

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._child.poll()

    def stop(self) -> None:
        """End it: SIGTERM, then SIGKILL. Repeatable."""
        if self._child.poll() is None:
            end(self._child, STOP_SECONDS)
        self._pipe.join(LOG_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_prism(path: Path, log_file: Path) -> PrismProcess:
    """Start Prism on a free port and wait until it answers there. Call it from the main thread.

    Args:
        path: The binary, from ``find_prism``.
        log_file: File that takes what it prints; bounded in size, with older ones beside it.

    Raises:
        PrismError: If it does not come up; with the end of its log.
    """
    if not on_loopback_only(path):
        log.warning("this Prism listens on every interface", extra={"fields": {"prism": str(path)}})
    try:
        for _ in range(TRIES):  # where the port could not be kept for us, another may have taken it
            if started := _start_once(path, log_file):
                return started
    except OSError as error:
        raise PrismError(f"Prism can't be started: {path}: {error}") from error
    raise PrismError(f"Prism can't be started: {path}: see {log_file}: {tail_of(log_file, 1000)}")


def _start_once(path: Path, log_file: Path) -> PrismProcess | None:
    with Port() as port:
        number = port.hand_over()
        options = ["--job_port", str(number), "--serve_http=false", "--log_level", "warn", "--log_kind", "text"]
        with LogPipe(BoundedLog(log_file)) as pipe:
            child = spawn([str(path), *options], pipe.writing)
        if wait_listening(child, number, START_SECONDS):
            return PrismProcess(child, number, pipe)
    end(child, 0)
    pipe.join(LOG_SECONDS)
    return None
