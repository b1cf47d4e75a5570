"""A small disk for the broker's log: a tmpfs of its own, which a ballast file fills up to a last little room."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

BLOCK = 1024 * 1024
MOUNT_SECONDS = 20


class CantMountError(Exception):
    """There is no small disk here, and why."""


class SmallDisk:
    """A mounted tmpfs; a context manager that takes it away again."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Nothing is mounted yet.

        Args:
            folder: Where; it is made.
            megabytes: How much goes onto it.
        """
        self._folder, self._megabytes = folder, megabytes
        self._ballast = folder / "ballast"

    def __enter__(self) -> Self:
        if sys.platform != "linux" or os.geteuid() != 0:
            raise CantMountError("a small disk needs Linux and root, to mount a tmpfs")
        self._folder.mkdir(parents=True, exist_ok=True)
        done = _run("mount", "-t", "tmpfs", "-o", f"size={self._megabytes}m", "tmpfs", str(self._folder))
        if done.returncode:
            raise CantMountError(f"a tmpfs can't be mounted: {done.stderr.strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        _run("umount", "--lazy", str(self._folder))

    @property
    def free(self) -> int:
        """Bytes that are left."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def fill(self, left: int) -> None:
        """Write ballast until only ``left`` bytes are left."""
        with self._ballast.open("wb") as file:
            while (more := min(BLOCK, self.free - left)) > 0:
                file.write(b"\0" * more)
                file.flush()

    def grow(self, more: int) -> None:
        """Write ``more`` bytes of ballast."""
        with self._ballast.open("ab") as file:
            file.write(b"\0" * more)

    def clear(self) -> None:
        """Throw the ballast out."""
        self._ballast.unlink(missing_ok=True)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=MOUNT_SECONDS, check=False)
