"""A log file of bounded size, for the output of a child."""

from __future__ import annotations

import contextlib
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOG_BYTES = 10 * 1024 * 1024
OLDER_FILES = 2


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
        """Append; begins a new file first if this one would grow past its limit."""
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
