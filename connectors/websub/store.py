"""Subscriptions on disk, with their secrets: they survive kill -9, and only we may read them."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import IO, Any, Self

from connectors.state_file import StoreBusyError, StoreError
from connectors.websub.subscription import Subscription

log = logging.getLogger(__name__)
_VERSION = 1
_COLUMNS = tuple(column.name for column in fields(Subscription))
_SCHEMA = """
CREATE TABLE IF NOT EXISTS subscriptions (
    token TEXT PRIMARY KEY, feed TEXT NOT NULL, feed_url TEXT NOT NULL, topic TEXT NOT NULL, hub TEXT NOT NULL,
    callback TEXT NOT NULL, secret TEXT NOT NULL, base TEXT NOT NULL, made_at REAL NOT NULL, leaving INTEGER NOT NULL,
    asked_at REAL NOT NULL, next_ask REAL NOT NULL, failures INTEGER NOT NULL, verified_at REAL NOT NULL,
    lease_end REAL NOT NULL, denied_at REAL NOT NULL, delivered_at REAL NOT NULL, missed_at REAL NOT NULL,
    misses INTEGER NOT NULL, reason TEXT NOT NULL
) WITHOUT ROWID;
"""


class SubscriptionStore:
    """SQLite under ``<folder>/websub.sqlite``, mode 0600, of one process at a time; use it as a context manager.

    A process that polls but some shards has a file of their numbers, such as ``websub-0-of-2.sqlite``: it would end the
    subscriptions of feeds that are not its own.

    A file of its own: secrets do not belong into one that people copy to look at how feeds are. A damaged one is moved
    aside: nothing is lost but subscriptions, which are made anew when their feeds are read.
    """

    def __init__(self, folder: Path, pins: Sequence[int] = (), of: int = 1) -> None:
        """Those in ``folder`` of the feeds of the shards ``pins``, of ``of`` shards; without ``pins`` of all."""
        part = f"-{'.'.join(map(str, pins))}-of-{of}" if pins and of > 1 else ""
        self.path = folder / f"websub{part}.sqlite"
        self._lock: IO[bytes] | None = None
        self._db: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._db = self._open_or_renew()
        except StoreError:
            self.close()
            raise
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise StoreError(f"opening the subscriptions failed: {self.path}: {error}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let another process have it."""
        if self._db is not None:
            self._db.close()
            self._db = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def all(self) -> tuple[Subscription, ...]:
        """Every subscription."""
        rows = self._run(f"SELECT {', '.join(_COLUMNS)} FROM subscriptions")  # noqa: S608  # names of our own
        named = (dict(zip(_COLUMNS, row, strict=True)) for row in rows)
        return tuple(Subscription(**{**row, "leaving": bool(row["leaving"])}) for row in named)

    def put(self, subscription: Subscription) -> None:
        """Write one down, in place of what was known of it.

        Raises:
            StoreError: It can't be written.
        """
        marks = ", ".join("?" * len(_COLUMNS))
        statement = f"INSERT OR REPLACE INTO subscriptions ({', '.join(_COLUMNS)}) VALUES ({marks})"  # noqa: S608  # names of our own
        self._run(statement, astuple(subscription))

    def drop(self, token: str) -> None:
        """Forget one.

        Raises:
            StoreError: It can't be written.
        """
        self._run("DELETE FROM subscriptions WHERE token = ?", (token,))

    def _take_lock(self) -> None:
        """On a file beside: SQLite loses its own locks where the database is opened and closed besides."""
        self._lock = os.fdopen(os.open(f"{self.path}.lock", os.O_WRONLY | os.O_CREAT, 0o600), "wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusyError(
                f"opening the subscriptions failed: {self.path}: another `brinkwatch connect` uses them"
            ) from None

    def _open_or_renew(self) -> sqlite3.Connection:
        try:
            return _open(self.path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # a full disk, a lacking permission: the file itself may be whole
            aside = f"{self.path}.damaged"
            log.error("the subscriptions are damaged and were moved to %s: %s", aside, error)  # noqa: TRY400  # the trace says nothing more
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self.path.rename(aside)
        return _open(self.path)

    def _run(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        if self._db is None:
            raise StoreError(f"the subscriptions are not open: {self.path}")
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"writing or reading the subscriptions failed: {self.path}: {error}") from None


def _open(path: Path) -> sqlite3.Connection:
    # SQLite gives its journal the mode of the file, so that has to be right before there is one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    db = sqlite3.connect(path, timeout=10, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        _check(version)
        db.executescript(_SCHEMA)
        db.execute(f"PRAGMA user_version={_VERSION}")
    except BaseException:
        db.close()
        raise
    return db


def _check(version: int) -> None:
    if version not in range(_VERSION + 1):
        raise sqlite3.OperationalError(f"version {version}, this one knows {_VERSION}")
