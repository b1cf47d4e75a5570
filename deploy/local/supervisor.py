"""Running named children, starting again those that die, and ending all of them together."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from config.errors import BrinkwatchError
from config.health import board
from deploy.local import metrics
from deploy.local.bounded_log import BoundedLog, LogPipe
from deploy.local.errors import PlatformError
from deploy.local.process import kill_group, signal_group, spawn, tail_of
from deploy.local.restart import History, ended, started

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

log = logging.getLogger(__name__)

STOP_SECONDS = 15.0
LOOK_SECONDS = 0.2
CHILDREN = "children"
"""What the supervisor's health depends on."""


class Service(Protocol):
    """What can be supervised: ``EmbeddedKafka`` is one, and so is a ``Command``."""

    @property
    def pid(self) -> int | None:
        """Its process id; None if it does not run."""

    @property
    def running(self) -> bool:
        """Whether it runs."""

    def start(self) -> object:
        """Start it, also after it died. What it raises counts as its end: it is started again later."""

    def stop(self) -> None:
        """End it within a bounded time. Repeatable."""

    def last_words(self) -> str:
        """How it ended, with the end of its log; asked before it is stopped or started again."""


class Command:
    """A child process whose output goes to a log of bounded size."""

    def __init__(self, command: Sequence[str], log_file: Path, env: Mapping[str, str] | None = None) -> None:
        """Nothing starts yet.

        Args:
            command: What to run.
            log_file: Where its output goes.
            env: Set over our environment.
        """
        self._command, self._log_file = tuple(command), log_file
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self._child: subprocess.Popen[bytes] | None = None
        self._pipe: LogPipe | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None if it does not run."""
        return self._child.pid if self._child and self.running else None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> Self:
        """Start it, after killing what a dead one may have left in its process group.

        Raises:
            PlatformError: If its log can't be written or its process not be made.
        """
        self._clean_up()
        try:
            with LogPipe(BoundedLog(self._log_file)) as pipe:
                self._pipe = pipe
                self._child = spawn(self._command, pipe.writing, env=self._env)
        except OSError as error:
            raise PlatformError(f"child can't be started: {self._command[0]}: {error}") from error
        return self

    def ask(self) -> None:
        """SIGTERM, without waiting."""
        if self._child is not None and self.running:
            signal_group(self._child, signal.SIGTERM)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """SIGTERM, and SIGKILL to its process group after ``seconds``."""
        self.ask()
        if self._child is not None:
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                log.warning("child does not end, killing it", extra={"fields": {"command": self._command[0]}})
        self._clean_up()

    def last_words(self) -> str:
        """How it ended, with the end of its log."""
        code = None if self._child is None else self._child.poll()
        return f"exit code {code}; see {self._log_file}: {tail_of(self._log_file, 500)}"

    def _clean_up(self) -> None:
        if self._child is not None:
            kill_group(self._child)
        if self._pipe is not None:
            self._pipe.join(1.0)
        self._child = self._pipe = None


@dataclass(slots=True)
class _Child:
    name: str
    service: Service
    history: History = field(default_factory=History)


class Supervisor:
    """Runs what was added, in that order, until ``stop``; a context manager that stops.

    Everything happens in the thread that calls, which should be the main one: Linux then ends the children by itself if
    this process is killed. A use:

        with Supervisor(settings.data_dir) as supervisor:
            supervisor.add_service("kafka", EmbeddedKafka(settings.data_dir, settings.cache_dir))
            supervisor.add("extract", brinkwatch("extract"), {"BRINKWATCH_BOOTSTRAP_SERVERS": servers})
            supervisor.run(stop)
    """

    def __init__(self, data_dir: Path) -> None:
        """Nothing runs yet.

        Args:
            data_dir: The installation's data folder; output goes to ``logs/<name>.log`` in it.
        """
        self._logs = data_dir / "logs"
        self._children: dict[str, _Child] = {}

    def add(self, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> Command:
        """Add a child; it starts at the next ``step``.

        Args:
            name: Of the child and of its log.
            command: What to run.
            env: Set over our environment.
        """
        service = Command(command, self._logs / f"{name}.log", env)
        self.add_service(name, service)
        return service

    def add_service(self, name: str, service: Service) -> None:
        """Add something that can be started and stopped; one that already runs is only watched from now on."""
        if name in self._children:
            raise PlatformError(f"child can't be added: {name}: there is one of that name")
        history = started(History(), time.monotonic()) if service.running else History()
        self._children[name] = _Child(name, service, history)
        metrics.init(name, running=service.running)

    def step(self) -> None:
        """Notice what ended, and start what is due. Never waits, save for a service's own start."""
        board.turn()
        for child in self._children.values():
            now = time.monotonic()
            if child.history.due_at is None and not child.service.running:
                words = child.service.last_words()
                if isinstance(child.service, Command):
                    child.service.stop()  # at once: later its process group could be another's
                self._note_end(child, now, words)
            elif child.history.is_due(now):
                self._start(child)
            metrics.UP.labels(child.name).set(child.service.running)
        away = [child.name for child in self._children.values() if not child.service.running]
        board.note(CHILDREN, not away, f"ended, to be started again: {', '.join(away)}" if away else "")

    def run(self, stop: threading.Event) -> None:
        """Keep everything running until ``stop`` is set, then stop it all."""
        try:
            while not stop.is_set():
                self.step()
                stop.wait(LOOK_SECONDS)
        finally:
            self.stop()

    def stop(self) -> None:
        """End everything: commands together, last added first; then the services they used, in reverse order.

        Bounded in time: what does not end is killed. Repeatable.
        """
        children = list(reversed(self._children.values()))
        commands = [child.service for child in children if isinstance(child.service, Command)]
        for command in commands:
            command.ask()
        deadline = time.monotonic() + STOP_SECONDS
        for command in commands:
            command.stop(max(0.0, deadline - time.monotonic()))
        for child in children:
            child.service.stop()
        self._children.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, child: _Child) -> None:
        child.history = started(child.history, time.monotonic())
        if child.history.restarts:
            metrics.RESTARTS.labels(child.name).inc()
        try:
            child.service.start()
        except Exception as error:  # noqa: BLE001  # a full disk, or a fault of ours: the other children must live on
            words = str(error) if isinstance(error, BrinkwatchError) else repr(error)
            self._note_end(child, time.monotonic(), words)
            return
        fields = {"child": child.name, "pid": child.service.pid, "restarts": child.history.restarts}
        log.info("child started", extra={"fields": fields})

    def _note_end(self, child: _Child, now: float, words: str) -> None:
        child.history = ended(child.history, now)
        wait = round(_wait(child.history, now) or 0.0, 1)
        fields = {"child": child.name, "restarts": child.history.restarts, "wait_seconds": wait, "reason": words}
        log.warning("child %s ended, starting it again in %s s", child.name, wait, extra={"fields": fields})


def brinkwatch(*arguments: str) -> tuple[str, ...]:
    """The command line of our own program, run by this Python."""
    return (sys.executable, "-m", "pipeline.cli.main", *arguments)


def _wait(history: History, now: float) -> float | None:
    return None if history.due_at is None else max(0.0, history.due_at - now)
