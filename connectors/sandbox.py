"""Sandbox: a child process in which feeds are parsed, so that no body from outside can hold up or kill the connector.

A regular expression that runs away keeps Python's lock, so a thread would be no bound on time; a process can be ended.
Frames over stdin and stdout: 4 bytes of length (big-endian), then msgpack. The child does not outlive the connector,
not even one that was killed: it ends when its stdin does, on Linux the kernel ends it at once, and elsewhere an alarm
ends the one that a frame keeps busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import sys
import time
from typing import IO, Self, TypeVar

import msgspec

from connectors.entry import Parsed
from connectors.formats import Source, parse
from connectors.outcome import Outcome
from connectors.page import Page

log = logging.getLogger(__name__)
MAX_FRAME = 64 * 1024 * 1024
MAX_MEMORY = 1536 * 1024 * 1024
MAX_REPLY = 16 * 1024 * 1024
PARSE_S = 20.0
START_S = 60.0
PR_SET_PDEATHSIG = 1


class _Job(msgspec.Struct):
    body: bytes
    url: str
    content_type: str
    line: int = 0
    page: bool = False


Reply = TypeVar("Reply", Parsed, Page)


class Sandbox:
    """Parses one feed or page at a time in a child process; use it as an async context manager.

    Attributes:
        took_s: Seconds that the last body took, the start of a child left out.
    """

    def __init__(self, parse_s: float = PARSE_S) -> None:
        self._parse_s = parse_s
        self.took_s = 0.0
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def parse(self, body: bytes, source: Source) -> Parsed:
        """As ``formats.parse``, but bounded in time and memory; what breaks the bounds is ``parse_failed``."""
        return await self._read(_Job(body, source.url, source.content_type, source.line), Parsed)

    async def page(self, body: bytes, source: Source) -> Page:
        """As ``page.read``, bounded in the same way."""
        return await self._read(_Job(body, source.url, source.content_type, page=True), Page)

    async def _read(self, job: _Job, kind: type[Reply]) -> Reply:
        async with self._turn:
            try:
                child = await self._started()
                begun = time.monotonic()
                try:
                    async with asyncio.timeout(self._parse_s):
                        reply = await _exchange(child, msgspec.msgpack.encode(job))
                finally:
                    self.took_s = time.monotonic() - begun
                return msgspec.msgpack.decode(reply, type=kind)
            except TimeoutError:
                why = f"parsing took more than {self._parse_s:g} s"
            except (OSError, EOFError, asyncio.IncompleteReadError) as error:
                why = f"the parser ended: {type(error).__name__}"
            except UnicodeEncodeError as error:
                return kind(outcome=Outcome.PARSE_FAILED, error=f"the parser can't be told of it: {error.reason}")
            except msgspec.MsgspecError as error:
                why = f"the parser's answer can't be read: {error}"
            except asyncio.CancelledError:
                await self._end()  # its answer would be taken for the next one's
                raise
            await self._end()
        return kind(outcome=Outcome.PARSE_FAILED, error=why)

    async def _started(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "connectors.sandbox", str(os.getpid()), str(self._parse_s),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # a Ctrl-C is the connector's to handle
            )  # fmt: skip
            async with asyncio.timeout(START_S):  # the first imports are not the feed's fault
                await _exchange(self._child, msgspec.msgpack.encode(_Job(b"", "", "")))
        return self._child

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        if child.stdin is not None:
            child.stdin.close()


async def _exchange(child: asyncio.subprocess.Process, frame: bytes) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise EOFError("the parser has no pipes")
    child.stdin.write(len(frame).to_bytes(4, "big"))
    child.stdin.write(frame)
    await child.stdin.drain()
    size = int.from_bytes(await child.stdout.readexactly(4), "big")
    if size > MAX_FRAME:
        raise EOFError(f"an answer of {size} bytes")
    return await child.stdout.readexactly(size)


def answer(frame: bytes) -> bytes:
    """The child's work: a job's frame to the frame of what was parsed."""
    job = msgspec.msgpack.decode(frame, type=_Job)
    kind: type[Parsed | Page] = Page if job.page else Parsed
    try:
        read = _page(job) if job.page else parse(job.body, Source(job.url, job.content_type, job.line))
    except Exception as error:  # noqa: BLE001  # parsers raise what they raise; the feed gets a label
        read = kind(outcome=Outcome.PARSE_FAILED, error=f"{type(error).__name__}: {error}"[:300])
    reply = msgspec.msgpack.encode(read)
    if len(reply) > MAX_REPLY:
        reply = msgspec.msgpack.encode(kind(outcome=Outcome.TOO_LARGE, error=f"{len(reply)} bytes of text"))
    return reply


def _page(job: _Job) -> Page:
    """Imported here: a child that parses feeds alone has no use for what reads pages."""
    from connectors import page

    return page.read(job.body, job.url, job.content_type)


def serve(inward: IO[bytes], outward: IO[bytes], parse_s: float) -> None:
    """Answer frames until the other side closes; an alarm ends a frame that nobody has ended at twice its time."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a handler of Python's would wait for a busy regular expression
    bound_s = START_S  # as the other side grants the first frame
    while len(head := inward.read(4)) == 4:  # noqa: PLR2004  # the length's size
        frame = inward.read(int.from_bytes(head, "big"))
        signal.setitimer(signal.ITIMER_REAL, bound_s)
        reply = answer(frame)
        signal.setitimer(signal.ITIMER_REAL, 0)
        bound_s = 2 * parse_s
        outward.write(len(reply).to_bytes(4, "big") + reply)
        outward.flush()


def _bound_memory() -> None:
    with contextlib.suppress(ValueError, OSError):  # macOS knows this limit and refuses to set it; PARSE_S still holds
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` ends (prctl(2), PR_SET_PDEATHSIG); Linux only."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we had asked
        sys.exit(1)


def main(parent: int, parse_s: float) -> None:
    """Bound this process, then serve. What libraries print goes to stderr: stdout is for frames."""
    _die_with(parent)
    _bound_memory()
    outward = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, outward, parse_s)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
