"""Threads: calls that may block for ever, each kept from holding up anything but those who wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Call:
    """A call, and how many wait for what it gives."""

    key: Hashable
    work: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)
    waiting: int = 0


class Threads:
    """Runs blocking calls in threads of its own, which no end of the process waits for.

    Calls of the same key are one: whoever comes while it runs waits for it too, so that what never answers holds one
    thread, however often it is asked. What nobody waits for any more before it has a thread is not run at all. A
    thread without work ends after a while.
    """

    def __init__(self, most: int, name: str, idle_s: float = 10.0) -> None:
        """At most ``most`` at once, called ``name``; without work for ``idle_s`` they end."""
        self._most = most
        self._name = name
        self._idle_s = idle_s
        self._lock = threading.Condition()
        self._calls: dict[Hashable, _Call] = {}
        self._queue: deque[_Call] = deque()
        self._threads = 0
        self._idle = 0

    async def run(self, key: Hashable, work: Callable[[], Result]) -> Result:
        """What ``work`` gives or raises; what one of the same key gives that is under way, if there is one.

        Raises:
            OSError: The system gives no thread.
        """
        call = self._joined(key, work)
        try:
            return await asyncio.wrap_future(call.future)
        finally:
            self._left(call)

    def _joined(self, key: Hashable, work: Callable[[], Any]) -> _Call:
        with self._lock:
            call = self._calls.get(key)
            if call is None:
                call = self._calls[key] = _Call(key, work)
                call.future.set_running_or_notify_cancel()  # who gives up cancels it for nobody else
                self._queue.append(call)
                try:
                    self._staff()
                except OSError:
                    self._queue.remove(call)
                    del self._calls[key]
                    raise
            call.waiting += 1
            return call

    def _staff(self) -> None:
        if self._idle >= len(self._queue):
            self._lock.notify()
        elif self._threads < self._most:
            try:
                threading.Thread(target=self._serve, name=self._name, daemon=True).start()
            except RuntimeError as error:  # the system gives no more: those that are there come to it
                if not self._threads:
                    raise OSError(f"beginning a thread failed: {self._name}: {error}") from None
            else:
                self._threads += 1

    def _left(self, call: _Call) -> None:
        with self._lock:
            call.waiting -= 1
            if not call.waiting and call in self._queue:
                self._queue.remove(call)
                del self._calls[call.key]

    def _serve(self) -> None:
        while (call := self._taken()) is not None:
            try:
                found = call.work()
            except BaseException as error:  # noqa: BLE001  # it is for who waits
                self._done(call)
                call.future.set_exception(error)
            else:
                self._done(call)
                call.future.set_result(found)

    def _taken(self) -> _Call | None:
        """The next call; None where this thread is to end."""
        with self._lock:
            self._idle += 1
            there = self._lock.wait_for(lambda: self._queue, self._idle_s)
            self._idle -= 1
            if there:
                return self._queue.popleft()
            self._threads -= 1
            return None

    def _done(self, call: _Call) -> None:
        with self._lock:
            del self._calls[call.key]
