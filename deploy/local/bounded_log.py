"""A log file of bounded size, for the output of a child."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

LOG_BYTES = 10 * 1024 * 1024
OLDER_FILES = 2
_CHUNK = 64 * 1024


class BoundedLog:
    """Takes bytes; the file is renamed to ``.1``, ``.2`` when it is full, and older ones are dropped."""

    def __init__(self, path: Path, limit: int = LOG_BYTES, older: int = OLDER_FILES) -> None:
        """Open for appending.

        Args:
            path: The file; its folder is made.
            limit: Bytes of one file.
            older: How many full ones stay.

        Raises:
            OSError: If it can't be written.
        """
        self.path, self._limit, self._older = path, limit, older
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("ab")

    def write(self, data: bytes) -> None:
        """Append; begins a new file first if this one would grow past its limit.

        Raises:
            OSError: If it can't be written; a later write may succeed again.
        """
        if self._file.closed:  # a rotation failed
            self._file = self.path.open("ab")
        if self._file.tell() and self._file.tell() + len(data) > self._limit:
            self._rotate()
        self._file.write(data)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._older, 0, -1):
            newer = self._numbered(number - 1) if number > 1 else self.path
            with contextlib.suppress(FileNotFoundError):
                newer.replace(self._numbered(number))
        self._file = self.path.open("wb")

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


class LogPipe:
    """A pipe for the output of one child, copied to a bounded log until every process that writes to it has ended.

    A context manager around the child's start; it closes our writing end::

        with LogPipe(BoundedLog(path)) as pipe:
            child = spawn(command, pipe.writing)
    """

    def __init__(self, log: BoundedLog) -> None:
        """Begin to copy.

        Args:
            log: Where it goes; closed at the end.

        Raises:
            OSError: If no pipe can be had.
        """
        reading, self.writing = os.pipe()
        source = os.fdopen(reading, "rb", 0)
        self._copier = threading.Thread(target=_copy, args=(source, log), name=f"log {log.path.name}", daemon=True)
        self._copier.start()

    def join(self, seconds: float) -> None:
        """Wait until all that was said is in the log, but not for ever: a child of the child may live on."""
        self._copier.join(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.writing)


def _copy(source: IO[bytes], log: BoundedLog) -> None:
    with source:
        while data := source.read(_CHUNK):
            with contextlib.suppress(OSError):  # a full disk must not stop the child, which would block on its pipe
                log.write(data)
    with contextlib.suppress(OSError):
        log.close()
