"""Sandbox: reads articles in processes of their own, so that none can hold up, kill or fill the process that asks."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import msgspec

from config.errors import BrinkwatchError
from config.settings import SECRETS, Settings
from pipeline.extraction.engine import Extraction
from pipeline.extraction.frames import MAX_REPLY, Failed, Order, Ready, Reason, Reply, Start, Unable
from pipeline.records import Article

PROGRAM = "pipeline.extraction.forkserver"
START_S = 120.0
FORK_S = 30.0
"""More than a fork takes on a busy machine; who is later than an order's time by this much is no longer there."""
SHARE = 0.01
"""Of an article's time, what each article of a batch adds to the batch's: a hundred get twice the time of one."""
# A fork keeps only the thread that forks: libraries must not start others before.
ONE_THREAD = {"TOKENIZERS_PARALLELISM": "false", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class ExtractionFailed(Exception):  # noqa: N818  it names an outcome
    """Articles that could not be read.

    Attributes:
        reason: ``crash``, ``stalled``, ``memory`` or ``too_large``: the dead letter's label.
        ended: Whose process ended by it: ``worker``, ``server``, or None.
    """

    def __init__(self, reason: Reason, why: str, ended: str | None) -> None:
        self.reason, self.ended = reason, ended
        super().__init__(f"{reason}: {why}")


@dataclass(frozen=True, slots=True)
class Server:
    """A running fork server, and our end of its connection."""

    child: subprocess.Popen[bytes]
    connection: Connection

    def told(self, seconds: float) -> bytes:
        """Its next message.

        Raises:
            OSError: There is none in time, or it can't be read.
            EOFError: It has ended.
        """
        if not self.connection.poll(seconds):
            raise TimeoutError(f"it said nothing in {seconds:g} s")
        return self.connection.recv_bytes(2 * MAX_REPLY)


class Sandbox:
    """The fork server's other side. It is started at once, and started again when it has ended.

    Args:
        settings: How long an article may take, and how much memory; and what the engine is made of.
        program: The module that is run as the fork server.
    """

    def __init__(self, settings: Settings, program: str = PROGRAM) -> None:
        self._settings, self._program = settings, program
        self._server: Server | None = start(settings, program)
        self._ready = False

    def wait(self) -> Server:
        """The fork server, once it has loaded the engine.

        Raises:
            BrinkwatchError: It can't, and why.
        """
        self._server = server = self._server or start(self._settings, self._program)
        if not self._ready:
            try:
                ready = msgspec.msgpack.decode(server.told(START_S), type=Ready)
            except (OSError, EOFError, msgspec.MsgspecError) as error:
                self.close()
                raise BrinkwatchError(f"starting the extraction process failed: {self._program}: {error!r}") from None
            if ready.error:
                self.close()
                raise BrinkwatchError(ready.error)
            self._ready = True
        return server

    def extract(self, articles: Sequence[Article], *, alone: bool = False) -> list[Extraction]:
        """What each article says, in order.

        Args:
            articles: Articles of a batch; or a single one.
            alone: Whether to read it in a process that has read nothing before: then a failure is its own.

        Raises:
            ExtractionFailed: They broke a bound, or the process that read them.
            BrinkwatchError: There is no process to read them in, which is no fault of theirs.
        """
        seconds = self._settings.extract_timeout_s * (1.0 if alone else 1 + SHARE * len(articles))
        reply = self._asked(self.wait(), Order(seconds, alone), articles)
        if isinstance(reply, Unable):
            self.close()
            raise BrinkwatchError(f"starting a worker of extract failed: {reply.why}")
        if isinstance(reply, Failed):
            raise ExtractionFailed(reply.reason, reply.why, "worker" if reply.ended else None)
        return reply.extractions

    def _asked(self, server: Server, order: Order, articles: Sequence[Article]) -> Reply:
        try:
            server.connection.send_bytes(msgspec.msgpack.encode(order))
            server.connection.send_bytes(msgspec.msgpack.encode(articles))
            reply: Reply = msgspec.msgpack.decode(server.told(order.seconds + FORK_S), type=Reply)
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            self.close()
            raise ExtractionFailed("crash", f"the extraction process ended: {error!r}", "server") from None
        return reply

    def close(self) -> None:
        """End the fork server; its worker ends with it. Repeatable."""
        server, self._server, self._ready = self._server, None, False
        if server is not None:
            server.child.kill()
            server.child.wait()
            server.connection.close()


def start(settings: Settings, program: str) -> Server:
    """Start a fork server; it ends by itself when its connection does."""
    ours, theirs = socket.socketpair()
    # Seconds and microseconds: a server that does not read must not hold us up.
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(FORK_S), 0))
    with theirs:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", program],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD},
            # A Ctrl-C is ours to handle. No session of its own: Linux schedules by session, and on a busy machine a
            # second one cost half as much latency again.
            process_group=0,
        )
    connection = Connection(ours.detach())
    values = settings.model_dump(mode="json", exclude=set(SECRETS), exclude_none=True)
    connection.send_bytes(msgspec.msgpack.encode(Start(values)))
    return Server(child, connection)
