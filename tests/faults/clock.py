"""A step of the clock for some processes while they run, whatever they are written in; the machine's stays as it is.

Python, the JVM and a static Go binary all ask for the time in one place: the page of code that the kernel puts into
each process (the vDSO, vdso(7)). Its three functions that tell the time of day are written over, in the process's own
copy of that page, by ones that ask the kernel and add the step. The monotonic clock and the time since boot stay what
they are, as they do when a clock is truly stepped.

What that can't step: waits that the kernel itself ends at a time of day; and what a process sees between its start and
when it is found here, some tens of milliseconds later.
"""

from __future__ import annotations

import os
import platform
import re
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Self

import psutil

EVERY_S = 0.03
# x86-64: each asks the kernel for what it is asked, by number, and adds the step where that is the time of day.
_FUNCTIONS = {
    # mov eax, 228; syscall; test edi, edi; jne to ret; add qword [rsi], step; ret
    "__vdso_clock_gettime": "b8 e4 00 00 00  0f 05  85 ff  75 07  48 81 06 {step}  c3",
    # mov eax, 96; syscall; test rdi, rdi; je to ret; add qword [rdi], step; ret
    "__vdso_gettimeofday": "b8 60 00 00 00  0f 05  48 85 ff  74 07  48 81 07 {step}  c3",
    # xor edi, edi; mov eax, 201; syscall; add rax, step; ret
    "__vdso_time": "31 ff  b8 c9 00 00 00  0f 05  48 05 {step}  c3",
}


class CantStepError(Exception):
    """The clock can't be stepped here, and why."""


def check() -> None:
    """Whether a process's clock can be stepped here.

    Raises:
        CantStepError: It can't.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise CantStepError("stepping a process's clock is written for Linux on x86-64")
    short = [name for name, code in _FUNCTIONS.items() if _symbols().get(name, (0, 0))[1] < len(_code(code, 0))]
    if short:
        raise CantStepError(f"the kernel's page of code has no room for: {', '.join(short)}")


class SteppedClock:
    """Steps the clock of every descendant of this process, those that are yet to start too; a context manager."""

    def __init__(self) -> None:
        check()
        self._step_s = 0
        self._stepped: dict[tuple[int, float], int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self.refused: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def step(self, seconds: int) -> None:
        """From now on their clock is that many seconds ahead of the machine's; behind it where that is negative."""
        self._step_s = seconds
        self._look()

    @property
    def names(self) -> set[str]:
        """What has been stepped."""
        found = set()
        for pid, _ in list(self._stepped):
            with suppress(psutil.Error):
                found.add(psutil.Process(pid).name())
        return found

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._look()

    def _look(self) -> None:
        with suppress(psutil.Error):
            for child in psutil.Process().children(recursive=True):
                with suppress(psutil.Error, ProcessLookupError):
                    self._take(child)

    def _take(self, child: psutil.Process) -> None:
        at = vdso_of(child.pid)
        if at is None or self._stepped.get((child.pid, at)) == self._step_s:  # exec gives it another page
            return
        try:
            write_step(child.pid, at, self._step_s)
        except OSError as error:
            self.refused.add(f"{child.name()}: {error}")
        self._stepped[child.pid, at] = self._step_s


def vdso_of(pid: int) -> int | None:
    """Where the kernel's page of code is in a process; None where it has none."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            if line.endswith("[vdso]"):
                return int(line.split("-")[0], 16)
    return None


def write_step(pid: int, at: int, seconds: int) -> None:
    """Write the functions over those of one process, whose page is at ``at``.

    Raises:
        OSError: The kernel does not let us.
    """
    with Path(f"/proc/{pid}/mem").open("r+b", buffering=0) as memory:
        for name, code in _FUNCTIONS.items():
            memory.seek(at + _symbols()[name][0])
            memory.write(_code(code, seconds))


def _code(code: str, seconds: int) -> bytes:
    return bytes.fromhex(code.format(step=struct.pack("<i", seconds).hex()))


@cache
def _symbols() -> dict[str, tuple[int, int]]:
    """Offset and size of each function on the page, which is a small ELF file: elf(5)."""
    at = vdso_of(os.getpid())
    if at is None:
        return {}
    with Path("/proc/self/mem").open("rb", buffering=0) as memory:
        memory.seek(at)
        page = memory.read(8192)
    return dict(_dynamic_symbols(page))


def _dynamic_symbols(page: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    (headers,) = struct.unpack_from("<Q", page, 0x28)
    size, count = struct.unpack_from("<HH", page, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", page, headers + number * size) for number in range(count)]
    for _, kind, _, _, offset, length, link, *_ in sections:
        if kind != 11:  # SHT_DYNSYM
            continue
        names = page[sections[link][4] :]
        for place in range(offset, offset + length, 24):
            name, _, _, _, value, extent = struct.unpack_from("<IBBHQQ", page, place)
            found = re.match(rb"[^\0]*", names[name:])
            yield (found.group().decode() if found else ""), (value, extent)
