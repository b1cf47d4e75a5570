"""The lists of feeds that a process polls, one file or several: read as one, and again when a file changes.

A long list is read in a process of its own: 50,000 feeds take ten seconds and 300 MB, which would slow polls down and
stay with the reader.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError, Fault
from config.feeds import Feed, load_feeds

LONG_BYTES = 256 * 1024
READ_S = 300.0
_CHILD = "import sys; from config.feed_lists import main; main(sys.argv[1:])"
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Read:
    """What a child found: the feeds, or what is wrong."""

    feeds: tuple[Feed, ...] = ()
    faults: tuple[Fault, ...] = ()


class FeedLists:
    """The files of a process's list of feeds.

    Attributes:
        paths: Which.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self._stamps: tuple[_Stamp | None, ...] = ()
        self._glimpsed: tuple[_Stamp | None, ...] = ()

    def changed(self) -> bool:
        """Whether a file is another one, or has other contents, than when ``read`` was called last.

        Only when it looks the same twice: what is just being written is not half read.
        """
        before, self._glimpsed = self._glimpsed, tuple(map(_stamp, self.paths))
        return self._glimpsed == before and self._glimpsed != self._stamps

    def read(self) -> tuple[Feed, ...]:
        """The feeds of all files, disabled ones too.

        Raises:
            ConfigError: The files' faults, or an id that stands in two files.
        """
        self._stamps = self._glimpsed = tuple(map(_stamp, self.paths))  # before: what is written meanwhile is a change
        if sum(stamp[1] for stamp in self._stamps if stamp) <= LONG_BYTES:
            return read_lists(self.paths)
        return _read_elsewhere(self.paths)


def read_lists(paths: Sequence[Path]) -> tuple[Feed, ...]:
    """The feeds of ``paths``, in this process.

    Raises:
        ConfigError: The files' faults, or an id that stands in two files.
    """
    chosen: dict[str, Feed] = {}
    for path in paths:
        for feed in load_feeds(path):
            if feed.id in chosen:
                raise ConfigError([Fault(str(path), "", f"each id once over all lists (found {feed.id!r} twice)")])
            chosen[feed.id] = feed
    return tuple(chosen.values())


def _read_elsewhere(paths: Sequence[Path]) -> tuple[Feed, ...]:
    names = [str(path.absolute()) for path in paths]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _CHILD, *names],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=READ_S, check=True,
        )  # fmt: skip
        read: _Read = pickle.loads(done.stdout)  # noqa: S301  # of our own child
    except (OSError, subprocess.SubprocessError, pickle.UnpicklingError, EOFError) as error:
        why = f"a list that can be read ({type(error).__name__}: {error})"[:300]
        raise ConfigError([Fault(names[0], "", why)]) from None
    if read.faults:
        raise ConfigError(list(read.faults))
    return read.feeds


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def main(names: Sequence[str]) -> None:
    """Read the lists, and write what was found to stdout."""
    try:
        found = _Read(feeds=read_lists([Path(name) for name in names]))
    except ConfigError as error:
        found = _Read(faults=error.faults)
    sys.stdout.buffer.write(pickle.dumps(found))
