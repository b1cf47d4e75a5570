"""A job's session: where its DoFns find it, in whatever process the runner has them run.

DoFns are pickled on their way to the runner; connections can't be, and secrets must not. So a DoFn only names its job,
and the process that it runs in has the session: entered before the job ran, or made here when it is first asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from config.errors import BrinkwatchError


class Session(Protocol):
    """What a job keeps for the life of its process: connections, the model, the state."""

    stop: threading.Event

    def poll(self) -> Any:
        """The input of one bundle; None where there is nothing to do."""


class SessionBroken(BrinkwatchError):  # noqa: N818  what a person reads in the log
    """A bundle failed: what the session holds is no longer what is committed."""


class HandedOver(BrinkwatchError):  # noqa: N818
    """Nothing failed: a bundle came after the end of this worker was asked for."""


class Handover:
    """How a worker's process asks its source for the end, and learns that no bundle is under way.

    Bundles come one at a time, so a poll that finds the end asked for says that the one before it is committed.
    """

    def __init__(self) -> None:
        self.asked, self.reached = threading.Event(), threading.Event()

    def check(self) -> None:
        """At the beginning of a bundle.

        Raises:
            HandedOver: The end is asked for; this bundle must do nothing.
        """
        if self.asked.is_set():
            self.reached.set()
            raise HandedOver("working ends here: all that was polled is committed; another worker goes on")


handover = Handover()
_lock = threading.RLock()
_sessions: dict[str, Any] = {}
_makers: dict[str, Callable[[], Any]] = {}
_broken: set[str] = set()


def enter(name: str, session: Session) -> None:
    """Make ``session`` the one that the DoFns of job ``name`` use in this process."""
    with _lock:
        _sessions[name] = session


def offer(name: str, make: Callable[[], Session]) -> None:
    """Have the session of job ``name`` made in this process, once, when a DoFn first asks for it."""
    with _lock:
        _makers[name] = make


def session(name: str) -> Any:
    """The session of job ``name``.

    Raises:
        KeyError: The DoFn runs in a process where the job was neither entered nor offered.
        SessionBroken: A bundle failed before, or making the session did: this process must end.
    """
    with _lock:
        if name in _broken:
            raise SessionBroken(f"working failed: job {name}: a bundle failed before in this process, which must end")
        if name not in _sessions and name in _makers:
            try:
                _sessions[name] = _makers.pop(name)()
            except BaseException:
                _broken.add(name)
                raise
        return _sessions[name]


def made() -> bool:
    """Whether this process holds any session."""
    with _lock:
        return bool(_sessions)


def break_all() -> None:
    """After a failed bundle: no session of this process is used again."""
    with _lock:
        _broken.update(_sessions)
