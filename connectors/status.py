"""Status: what is known of each feed, read beside a running connector."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from config.feeds import Feed
from connectors.outcome import Outcome
from connectors.store import FeedState, StoreError

BUSY_S = 5.0
_DEFAULTS = {"interval_s": "0", "memory": "''", "moved_to": "''", "moved_times": "0", "moved_since": "0"}


class Standing(StrEnum):
    """How a feed stands."""

    OK = "ok"
    FAILING = "failing"
    """The last poll failed; it is tried again."""
    WAITING = "waiting"
    """Not polled yet, or under another address only."""
    STOPPED = "stopped"
    """The publisher asked to stop (410)."""
    PAUSED = "paused"
    """``enabled: false``."""


@dataclass(frozen=True, slots=True)
class Status:
    """One feed of the list, and what is known of it; ``state`` is None where it was not polled yet."""

    feed: Feed
    standing: Standing
    state: FeedState | None


def read_states(folder: Path) -> dict[str, FeedState]:
    """What the files ``state*.sqlite`` in ``folder`` say of every feed, by id; the latest poll wins.

    Only reads: the files may be written meanwhile, and are not made where they are missing.

    Raises:
        StoreError: A file can't be read.
    """
    found: dict[str, FeedState] = {}
    for path in sorted(folder.glob("state*.sqlite")):
        for state in _read(path):
            before = found.get(state.id)
            if before is None or before.polled_at <= state.polled_at:
                found[state.id] = state
    return found


def statuses(feeds: Sequence[Feed], states: dict[str, FeedState]) -> list[Status]:
    """How each of ``feeds`` stands, in their order."""
    return [_status(feed, states.get(feed.id)) for feed in feeds]


def _status(feed: Feed, state: FeedState | None) -> Status:
    known = state if state and state.url == feed.url else None
    if not feed.enabled:
        return Status(feed, Standing.PAUSED, known)
    if known is None:
        return Status(feed, Standing.WAITING, None)
    if known.next_due is None:
        return Status(feed, Standing.STOPPED, known)
    return Status(feed, Standing.FAILING if known.failures else Standing.OK, known)


def _read(path: Path) -> Iterable[FeedState]:
    try:
        with closing(_open(path)) as db:
            there = {row[1] for row in db.execute("PRAGMA table_info(feeds)")}
            if not there:
                return []  # made a moment ago, and not filled yet
            columns = ", ".join(_column(each.name, there) for each in fields(FeedState))
            rows = db.execute(f"SELECT {columns} FROM feeds").fetchall()  # noqa: S608  # names of our own
    except sqlite3.Error as error:
        raise StoreError(f"reading the connectors' state failed: {path}: {error}") from None
    return [FeedState(row[0], row[1], _outcome(row[2]), *row[3:]) for row in rows]


def _open(path: Path) -> sqlite3.Connection:
    """Open for reading only.

    Of a file with a write-ahead log SQLite makes two small ones beside it, even to read. Where the folder is not ours
    to write in, and nobody writes at the moment, the file is read as one that does not change.
    """
    uri = path.absolute().as_uri()
    db = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=BUSY_S)
    try:
        db.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        db.close()
        if Path(f"{path}-wal").exists():
            raise
        db = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    return db


def _column(name: str, there: set[str]) -> str:
    """The column, or what a file of an earlier version has in its place."""
    return name if name in there else _DEFAULTS.get(name, "''")


def _outcome(name: str) -> Outcome:
    try:
        return Outcome(name)
    except ValueError:
        return Outcome.CONNECT_ERROR
