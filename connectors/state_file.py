"""State file: the SQLite file of the connectors' state, opened, brought up to date, and renewed where it is damaged."""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

from config.errors import BrinkwatchError
from connectors.aliases import SCHEMA as ALIASES

log = logging.getLogger(__name__)
_SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS feeds (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, outcome TEXT NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
    detail TEXT NOT NULL, failures INTEGER NOT NULL, polled_at REAL NOT NULL, read_at REAL NOT NULL, next_due REAL,
    interval_s REAL NOT NULL DEFAULT 0, memory TEXT NOT NULL DEFAULT '', moved_to TEXT NOT NULL DEFAULT '',
    moved_times INTEGER NOT NULL DEFAULT 0, moved_since REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (
    article_id TEXT PRIMARY KEY, feed TEXT NOT NULL, content_hash TEXT NOT NULL,
    revision INTEGER NOT NULL, shown_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_by_time ON seen (shown_at);
"""
_TO_VERSION_2 = (
    "ALTER TABLE feeds ADD COLUMN interval_s REAL NOT NULL DEFAULT 0",
    "ALTER TABLE feeds ADD COLUMN memory TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE feeds ADD COLUMN moved_to TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE feeds ADD COLUMN moved_times INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE feeds ADD COLUMN moved_since REAL NOT NULL DEFAULT 0",
)


class StoreError(BrinkwatchError):
    """The state of the connectors can't be read or written."""


class StoreBusyError(StoreError):
    """Another process has it."""


def open_or_renew(path: Path) -> sqlite3.Connection:
    """Open the file; a damaged one is moved aside, and what feeds show is then read anew rather than lost.

    Raises:
        StoreError: A later version wrote it.
        sqlite3.OperationalError: A full disk, a lacking permission: the file itself may be whole.
    """
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        aside = _move_aside(path)
        log.error(  # noqa: TRY400  # the damage is told, the trace says nothing more
            "the connectors' state is damaged and was moved to %s; feeds are read anew: %s: %s",
            aside, path, error,
        )  # fmt: skip
        return _open(path)


def _move_aside(path: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for suffix in ("-wal", "-shm", ""):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{path}{suffix}.damaged-{stamp}")
    return Path(f"{path}.damaged-{stamp}")


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=10, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        _check(db, path)
        _bring_up_to_date(db)
        db.executescript(_SCHEMA + ALIASES)
        db.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")
    except BaseException:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, path: Path) -> None:
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(str(verdict))
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version not in range(_SCHEMA_VERSION + 1):
        raise StoreError(
            f"opening the connectors' state failed: {path}: version {version}, this one knows {_SCHEMA_VERSION}"
        )


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == 1:
        with db:
            db.execute("BEGIN")
            for change in _TO_VERSION_2:
                db.execute(change)
            db.execute("PRAGMA user_version=2")
