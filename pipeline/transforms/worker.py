"""The process in which a job's DoFns run where the runner is not ours: Beam's SDK worker around one session.

Crash-only: after a bundle that failed the process ends, for its session no longer is what is committed. The runner,
which repeats the bundle, is given another process.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from enum import Enum
from queue import SimpleQueue
from typing import Any

from apache_beam.runners.worker.sdk_worker import SdkHarness

from pipeline.transforms import sessions

log = logging.getLogger(__name__)
# The runner has the failure's text before the connection ends.
REPORT_S = 1.0
# Longer than a bundle takes; less than what Kubernetes grants by default.
HANDOVER_S = 25.0


class End(Enum):
    """Why the process ends."""

    RELEASED = "the runner ended the work"
    CUT_OFF = "the connection to the runner broke"
    FAILED = "a bundle failed"
    ASKED = "it was told to"


class CrashOnlyHarness(SdkHarness):
    """Beam's worker, that tells of the first instruction that failed."""

    def __init__(self, control: str, worker_id: str, failed: Callable[[], None]) -> None:
        super().__init__(control, worker_id=worker_id)
        self._failed = failed

    def _execute(self, task: Callable[[], Any], request: Any) -> None:
        def watched() -> Any:
            try:
                response = task()
            except BaseException:
                self._fail()
                raise
            if response.error:
                self._fail()
            return response

        super()._execute(watched, request)

    def _fail(self) -> None:
        if not sessions.handover.reached.is_set():
            sessions.break_all()
            self._failed()


def serve(control: str, worker_id: str, close: Callable[[], None]) -> int:
    """Work for the runner until it ends that, a bundle fails, or SIGTERM asks for the end. Main thread only.

    Args:
        control: The runner's control endpoint, host:port.
        worker_id: Its name for this worker.
        close: Leaves Kafka; called where no bundle is under way.

    Returns:
        The exit code: 0 where all that was begun is committed.
    """
    ends: SimpleQueue[End] = SimpleQueue()
    signal.signal(signal.SIGTERM, lambda *_: ends.put(End.ASKED))
    threading.Thread(target=_work, args=(control, worker_id, ends), name="worker", daemon=True).start()
    end = ends.get()
    log.info("worker ends", extra={"fields": {"worker": worker_id, "why": end.value}})
    if end is End.ASKED:
        return _hand_over(ends, close)
    if end is End.FAILED:
        time.sleep(REPORT_S)
    if end is End.RELEASED:
        close()
    return 0 if end is End.RELEASED else 1


def _work(control: str, worker_id: str, ends: SimpleQueue[End]) -> None:
    try:
        CrashOnlyHarness(control, worker_id, lambda: ends.put(End.FAILED)).run()
    except Exception:  # whatever Beam or gRPC has for it; bundles may still be under way
        log.exception("worker cut off")
        ends.put(End.CUT_OFF)
    else:
        ends.put(End.RELEASED)


def _hand_over(ends: SimpleQueue[End], close: Callable[[], None]) -> int:
    """Let the bundle under way commit, take none after it, and leave Kafka."""
    sessions.handover.asked.set()
    if not sessions.made():
        return 0
    threading.Thread(target=_await_reached, args=(ends,), daemon=True).start()
    end = ends.get()
    if end is End.RELEASED or sessions.handover.reached.is_set():
        close()
        time.sleep(REPORT_S)
        return 0
    log.warning("the bundle under way is given up; it will be repeated", extra={"fields": {"why": end.value}})
    return 1


def _await_reached(ends: SimpleQueue[End]) -> None:
    sessions.handover.reached.wait(HANDOVER_S)
    ends.put(End.ASKED)


def leave(code: int) -> None:
    """End the process, whatever threads of gRPC or Kafka would keep it."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
