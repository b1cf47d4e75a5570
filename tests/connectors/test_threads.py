"""Calls that may block for ever."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from connectors.threads import Threads

ENDS = """
import asyncio, threading
from connectors.threads import Threads
async def main():
    try:
        await asyncio.wait_for(Threads(1, "stuck").run(1, threading.Event().wait), 0.1)
    except TimeoutError:
        print("given up")
asyncio.run(main())
"""


async def test_what_a_call_gives_or_raises():
    """Both come through, to all who wait; the next call of the same key is a new one."""
    threads, calls = Threads(2, "test"), []

    def work() -> int:
        calls.append(0)
        if len(calls) == 2:
            raise ValueError("second")
        return len(calls)

    assert await threads.run("a", work) == 1
    with pytest.raises(ValueError, match="second"):
        await threads.run("a", work)
    assert await threads.run("a", work) == 3


async def test_what_never_answers_holds_one_thread():
    """However often it is asked, also by those who give up; who still waits gets the answer when it comes."""
    threads, over, begun = Threads(2, "test"), threading.Event(), []

    def stuck() -> str:
        begun.append(0)
        over.wait(20)
        return "late"

    for _ in range(5):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(threads.run("stuck", stuck), 0.01)
    assert await threads.run("other", lambda: "quick") == "quick"
    waiting = asyncio.create_task(threads.run("stuck", stuck))
    await asyncio.sleep(0)
    over.set()
    assert await waiting == "late"
    assert len(begun) == 1


async def test_what_nobody_waits_for_is_not_begun():
    """All threads are held: a call that is given up meanwhile is not made, and one that is waited for is."""
    threads, over, made = Threads(1, "test"), threading.Event(), []
    first = asyncio.create_task(threads.run("stuck", lambda: over.wait(20)))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(threads.run("given up", lambda: made.append("given up")), 0.01)
    last = asyncio.create_task(threads.run("last", lambda: made.append("last")))
    await asyncio.sleep(0)
    over.set()
    await asyncio.gather(first, last)
    assert made == ["last"]


async def test_threads_end_without_work_and_come_again():
    """A burst leaves no thread behind."""
    threads = Threads(50, "burst", idle_s=0.01)
    for _ in range(2):
        assert await asyncio.gather(*(threads.run(n, lambda n=n: n) for n in range(200))) == list(range(200))  # type: ignore[misc]  # binds each number
        while any(each.name == "burst" for each in threading.enumerate()):  # noqa: ASYNC110  # threads tell no loop
            await asyncio.sleep(0.01)


async def test_a_system_that_gives_no_thread(monkeypatch: pytest.MonkeyPatch):
    """It is an error of the call, as a name that is not found, and nothing is left of it; with some it waits."""
    threads, over, start = Threads(2, "test"), threading.Event(), threading.Thread.start

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(OSError, match="beginning a thread failed: test: can't start new thread"):
        await threads.run("a", lambda: 1)
    monkeypatch.setattr(threading.Thread, "start", start)
    first = asyncio.create_task(threads.run("stuck", lambda: over.wait(20)))
    await asyncio.sleep(0)
    monkeypatch.setattr(threading.Thread, "start", refused)
    second = asyncio.create_task(threads.run("a", lambda: 2))
    await asyncio.sleep(0)
    over.set()
    assert await asyncio.gather(first, second) == [True, 2]


def test_no_end_of_the_process_waits_for_them():
    """A disk or a name server that never answers must not outlast SIGTERM."""
    done = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "given up\n"
