"""Members: which processes share a folder, known by locks that the kernel frees at once when their holder ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from pathlib import Path
from typing import IO, Self


class Members:
    """The processes that share the shards of a folder; use it as a context manager, which makes this one a member.

    A member is a file in ``<folder>/members`` that its process has locked. Files of the dead are removed by whoever
    sees them first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "members"
        self.me = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Locked before it has its name: else it could be taken for one of the dead.
        hidden = self._folder / f".{self.me}"
        self._file = hidden.open("wb")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        hidden.rename(self._folder / self.me)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            (self._folder / self.me).unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def alive(self) -> tuple[str, ...]:
        """The names of all members, this one among them.

        Raises:
            OSError: The folder can't be read.
        """
        names = [path.name for path in self._folder.iterdir() if not path.name.startswith(".")]
        return tuple(sorted(name for name in names if name == self.me or self._lives(name)))

    def _lives(self, name: str) -> bool:
        path = self._folder / name
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            path.unlink(missing_ok=True)
        return False
