"""Fork server: loads the engine once, then forks workers that read articles, so that none of them can harm extract.

    extract ──articles──▶ fork server ──the same bytes──▶ worker (forked, bounded, replaced when it ends)

A fork takes milliseconds where loading takes seconds. The fork server itself never looks into an article. It ends when
extract does, and a worker ends when the fork server does: nothing is left behind, whoever is killed.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import NoReturn, Protocol

import msgspec

from config.errors import BrinkwatchError
from config.settings import Settings, load_settings
from pipeline.extraction.engine import Engine, Extraction
from pipeline.extraction.frames import MAX_REPLY, Failed, Found, Order, Ready, Reply, Start, Unable
from pipeline.records import Article

MB = 1024 * 1024
OUT_OF_MEMORY = 77
PR_SET_PDEATHSIG = 1
LONGEST_WHY = 500
FORK_S = 15.0
"""How long a worker may take to be there."""


class Reader(Protocol):
    """What finds signals: ``Engine``, or a test's."""

    def extract(self, articles: Sequence[Article]) -> list[Extraction]:
        """What each article says, in order."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A forked process, and our end of its pipe."""

    pid: int
    pipe: Connection


class ForkServer:
    """Answers one order at a time.

    Made in the main thread of a process where no other works: a fork takes the calling thread alone along. (onnxruntime
    has one that sleeps, and that no session needs.)
    """

    def __init__(self, parent: Connection, reader: Reader, memory_mb: int) -> None:
        self._parent, self._reader, self._memory = parent, reader, memory_mb * MB
        self._worker: Worker | None = None

    def serve(self) -> None:
        """Answer until extract is gone."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                order, articles = self._parent.recv_bytes(), self._parent.recv_bytes()
                self._parent.send_bytes(self._reply(order, articles))
        self._end()

    def _reply(self, order: bytes, articles: bytes) -> bytes:
        """A worker's answer, or what became of the worker."""
        terms = msgspec.msgpack.decode(order, type=Order)
        if terms.fresh:
            self._end()
        try:
            self._worker = worker = self._worker or self._forked()
        except (OSError, EOFError) as error:
            return msgspec.msgpack.encode(Unable(repr(error)))
        try:
            reply = self._asked(worker, order, articles, terms.seconds)
        except (EOFError, OSError):
            return msgspec.msgpack.encode(self._obituary())
        if reply is None:
            self._end()
            return msgspec.msgpack.encode(Failed("stalled", f"it took more than {terms.seconds:g} s"))
        return reply

    def _asked(self, worker: Worker, order: bytes, articles: bytes, seconds: float) -> bytes | None:
        """The worker's answer; None if it is late, or if nobody is left to wait for it.

        Raises:
            EOFError, OSError: The worker has ended.
        """
        worker.pipe.send_bytes(order)
        worker.pipe.send_bytes(articles)
        # Extract sends nothing before it has its answer: what can be read of it is its end.
        ready = wait([worker.pipe, self._parent], seconds)
        return worker.pipe.recv_bytes(MAX_REPLY) if worker.pipe in ready else None

    def _forked(self) -> Worker:
        """A new worker that is ready.

        Raises:
            OSError: There is none to be had, or it is not ready in time.
            EOFError: It ended before it had read anything.
        """
        ours, theirs = Pipe()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._parent.close()
            work(theirs, self._reader, self._memory)
        theirs.close()
        self._worker = worker = Worker(pid, ours)
        try:
            if not ours.poll(FORK_S):
                raise TimeoutError(f"a worker was not ready in {FORK_S:g} s")
            ours.recv_bytes()
        except (OSError, EOFError):
            self._end()
            raise
        return worker

    def _obituary(self) -> Failed:
        """Why the worker ended by itself."""
        status, peak = self._end()
        code = os.waitstatus_to_exitcode(status)
        grown = peak - _peak()
        if code in {OUT_OF_MEMORY, -signal.SIGKILL} or grown > self._memory // 2:
            return Failed("memory", f"it took more memory than it may ({self._memory // MB} MB beside the models)")
        return Failed("crash", f"the worker ended by {_name(-code)}" if code < 0 else f"the worker ended with {code}")

    def _end(self) -> tuple[int, int]:
        """End the worker: its status, and the most memory it had, in bytes."""
        if self._worker is None:
            return 0, 0
        worker, self._worker = self._worker, None
        worker.pipe.close()
        ended, status, usage = os.wait4(worker.pid, os.WNOHANG)
        if not ended:  # one that is about to has its status already
            os.kill(worker.pid, signal.SIGKILL)
            _, status, usage = os.wait4(worker.pid, 0)
        return status, _bytes(usage.ru_maxrss)


def work(pipe: Connection, reader: Reader, memory: int) -> NoReturn:
    """A worker: bound ourselves, then answer orders until the other side closes."""
    try:
        _bound(memory)
        pipe.send_bytes(b"ready")
        while True:
            order = msgspec.msgpack.decode(pipe.recv_bytes(), type=Order)
            articles = pipe.recv_bytes()
            # Where no kernel ends a worker whose server is gone, this does.
            signal.setitimer(signal.ITIMER_REAL, 2 * order.seconds)
            reply = answer(reader, articles)
            signal.setitimer(signal.ITIMER_REAL, 0)
            pipe.send_bytes(reply)
    except EOFError:
        os._exit(0)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    finally:
        os._exit(1)


def answer(reader: Reader, articles: bytes) -> bytes:
    """The reply to a message of articles.

    Raises:
        MemoryError: The bound on memory was hit; the worker must end, for nobody knows who else missed it.
    """
    reply: Reply
    try:
        reply = Found(reader.extract(msgspec.msgpack.decode(articles, type=list[Article])))
        packed = msgspec.msgpack.encode(reply)
    except MemoryError:
        raise
    except Exception as error:  # whatever a hostile text provokes; the article becomes a dead letter that names it
        if "bad_alloc" in repr(error):  # as onnxruntime says it
            raise MemoryError from error
        packed = msgspec.msgpack.encode(Failed("crash", repr(error)[:LONGEST_WHY], ended=False))
    if len(packed) > MAX_REPLY:
        return msgspec.msgpack.encode(Failed("too_large", f"its signals take {len(packed)} bytes", ended=False))
    return packed


def _bound(memory: int) -> None:
    """Die with the server; be the first whom the kernel ends when memory runs out; never have more than ``memory``."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a handler of Python's would wait for a busy regular expression
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the server's end of its connection to extract
    # No dump of hostile memory: 1 byte is less than any dump, and unlike 0 it holds where dumps go to a program.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    if sys.platform != "linux":
        return
    import ctypes

    server = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server or server == 1:  # it ended before we had asked
        os._exit(1)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    with contextlib.suppress(ValueError, OSError):  # a lower limit, which whoever runs us has set, holds
        resource.setrlimit(resource.RLIMIT_AS, (size + memory, size + memory))


def _peak() -> int:
    return _bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _bytes(maxrss: int) -> int:
    return maxrss if sys.platform == "darwin" else maxrss * 1024


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def main(load: Callable[[Settings], Reader]) -> None:
    """Load, say so, serve. Standard input is the connection to extract."""
    for number in (signal.SIGTERM, signal.SIGINT):  # extract drains with our help: we end when it does
        signal.signal(number, signal.SIG_IGN)
    parent = Connection(0)
    start = msgspec.msgpack.decode(parent.recv_bytes(), type=Start)
    try:
        settings = load_settings(**start.settings)
        reader = load(settings)
    except BrinkwatchError as error:
        parent.send_bytes(msgspec.msgpack.encode(Ready(str(error))))
        return
    gc.collect()
    gc.freeze()  # a collection in a worker would touch, and so copy, every page that it shares with us
    with contextlib.suppress(OSError):
        parent.send_bytes(msgspec.msgpack.encode(Ready()))
    ForkServer(parent, reader, settings.extract_memory_mb).serve()


if __name__ == "__main__":
    main(Engine.load)
