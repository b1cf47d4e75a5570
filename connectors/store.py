"""Store: what each feed gave last, and which articles the broker has acknowledged. It survives kill -9."""

from __future__ import annotations

import fcntl
import logging
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import IO, Any, Self

from config.errors import BrinkwatchError
from connectors import aliases as alias_table
from connectors.aliases import Alias
from connectors.outcome import Outcome

log = logging.getLogger(__name__)
KEEP_S = 30 * 24 * 3600.0
MAX_SEEN = 2_000_000
TOUCH_S = 24 * 3600.0
_SCHEMA_VERSION = 2
_BATCH = 500
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


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is known of one feed; times are Unix seconds.

    Attributes:
        id: The feed's id.
        url: The address that this is known of: another one starts anew.
        etag: Validator for the next request.
        last_modified: Validator for the next request.
        outcome: How the last poll ended.
        detail: The same in words; empty where all was well.
        failures: Failures in a row.
        polled_at: When it was polled last.
        read_at: When its entries were read last; 0 for never.
        next_due: When to poll next; None where polling has stopped.
        interval_s: Seconds between two polls that were found to fit what the feed publishes; 0 for not known.
        memory: What the schedule remembers of when the feed published, in a form of its own.
        moved_to: Where permanent redirects have led lately; empty for nowhere.
        moved_times: How many polls in a row they led there.
        moved_since: When they did so first.
    """

    id: str
    url: str
    outcome: Outcome
    etag: str = ""
    last_modified: str = ""
    detail: str = ""
    failures: int = 0
    polled_at: float = 0.0
    read_at: float = 0.0
    next_due: float | None = None
    interval_s: float = 0.0
    memory: str = ""
    moved_to: str = ""
    moved_times: int = 0
    moved_since: float = 0.0


_COLUMNS = tuple(column.name for column in fields(FeedState))


@dataclass(frozen=True, slots=True)
class Seen:
    """An article that the broker has acknowledged.

    Attributes:
        article_id: The article's id.
        feed: The feed that brought it first; only that feed's changes are updates.
        content_hash: Of what was sent last.
        revision: 0 at first, one more with every update.
        shown_at: When a feed showed it last (Unix seconds, a day's grain).
    """

    article_id: str
    feed: str
    content_hash: str
    revision: int
    shown_at: float


class Store:
    """SQLite under ``<folder>/state.sqlite``, owned by one process at a time; use it as a context manager.

    Write-ahead log with ``synchronous=NORMAL``: a killed process loses nothing that was committed. A power cut may
    lose the last commits, and the file stays whole; the articles in them are then sent once more under the same id,
    which changes nothing downstream. ``FULL`` would pay an fsync a poll to avoid that.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "state.sqlite"
        self._lock: IO[bytes] | None = None
        self._db: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._db = self._open_or_renew()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise StoreError(f"opening the connectors' state failed: {self.path}: {error}") from None
        except StoreError:
            self.close()
            raise
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

    def feeds(self) -> dict[str, FeedState]:
        """What is known of every feed, by id."""
        rows = self._run(f"SELECT {', '.join(_COLUMNS)} FROM feeds")  # noqa: S608  # names of our own
        return {row[0]: FeedState(row[0], row[1], _outcome(row[2]), *row[3:]) for row in rows}

    def seen(self, article_ids: Sequence[str]) -> Mapping[str, Seen]:
        """Those of ``article_ids`` that were acknowledged before."""
        found = {}
        for start in range(0, len(article_ids), _BATCH):
            batch = article_ids[start : start + _BATCH]
            marks = ",".join("?" * len(batch))
            rows = self._run(
                f"SELECT article_id, feed, content_hash, revision, shown_at FROM seen WHERE article_id IN ({marks})",  # noqa: S608  # only question marks
                batch,
            )
            found.update({row[0]: Seen(*row) for row in rows})
        return found

    def aliases(self, feed: str, marks: Sequence[str]) -> Mapping[str, Alias]:
        """Those of ``marks`` under which an entry of ``feed`` is known."""
        try:
            return alias_table.find(self._connection(), feed, marks)
        except sqlite3.Error as error:
            raise StoreError(f"reading the connectors' state failed: {self.path}: {error}") from None

    def record(self, state: FeedState, seen: Iterable[Seen] = (), aliases: Iterable[Alias] = ()) -> None:
        """Write a poll's result in one transaction: a validator never gets ahead of the articles it stands for.

        Raises:
            StoreError: The disk is full, or the file is damaged.
        """
        db = self._connection()
        try:
            with db:
                db.executemany(
                    "INSERT OR REPLACE INTO seen (article_id, feed, content_hash, revision, shown_at) "
                    "VALUES (?, ?, ?, ?, ?)",
                    ((s.article_id, s.feed, s.content_hash, s.revision, s.shown_at) for s in seen),
                )
                alias_table.write(db, aliases)
                db.execute(
                    f"INSERT OR REPLACE INTO feeds ({', '.join(_COLUMNS)}) "  # noqa: S608  # names of our own
                    f"VALUES ({', '.join('?' * len(_COLUMNS))})",
                    astuple(state),
                )
        except sqlite3.Error as error:
            raise StoreError(f"writing the connectors' state failed: {self.path}: {error}") from None

    def note(self, name: str, text: str) -> None:
        """Keep a text under a name, in place of what was kept there.

        Raises:
            StoreError: It can't be written.
        """
        with self._connection():
            self._run("INSERT OR REPLACE INTO notes (name, text) VALUES (?, ?)", (name, text))

    def noted(self, name: str) -> str:
        """The text kept under a name; empty where there is none."""
        rows = self._run("SELECT text FROM notes WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def prune(self, now: float, keep_s: float = KEEP_S, most: int = MAX_SEEN) -> int:
        """Forget articles that no feed has shown for ``keep_s``, then the oldest beyond ``most``; how many went.

        An entry that stood in the feed when it was read last is kept, however long ago that was: a feed may answer
        304 for months and still show it.
        """
        db = self._connection()
        try:
            with db:
                aged = db.execute(
                    "DELETE FROM seen WHERE shown_at < ? AND shown_at < "
                    "coalesce((SELECT read_at FROM feeds WHERE feeds.id = seen.feed AND next_due IS NOT NULL), ?) - ?",
                    (now - keep_s, now, keep_s),
                ).rowcount
                (count,) = db.execute("SELECT count(*) FROM seen").fetchone()
                over = db.execute(
                    "DELETE FROM seen WHERE article_id IN (SELECT article_id FROM seen ORDER BY shown_at LIMIT ?)",
                    (max(count - most, 0),),
                ).rowcount
                alias_table.prune(db, keep_s)
        except sqlite3.Error as error:
            raise StoreError(f"pruning the connectors' state failed: {self.path}: {error}") from None
        return aged + over

    def _run(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            return self._connection().execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"reading the connectors' state failed: {self.path}: {error}") from None

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreError(f"the connectors' state is not open: {self.path}")
        return self._db

    def _take_lock(self) -> None:
        self._lock = (self._folder / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"opening the connectors' state failed: {self._folder}: another `brinkwatch connect` uses it"
            ) from None

    def _open_or_renew(self) -> sqlite3.Connection:
        """Open the file; a damaged one is moved aside, and what feeds show is then read anew rather than lost."""
        try:
            return _open(self.path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # a full disk, a lacking permission: the file itself may be whole
            aside = self._move_aside()
            log.error(  # noqa: TRY400  # the damage is told, the trace says nothing more
                "the connectors' state is damaged and was moved to %s; feeds are read anew: %s: %s",
                aside, self.path, error,
            )  # fmt: skip
            return _open(self.path)

    def _move_aside(self) -> Path:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        for suffix in ("-wal", "-shm", ""):
            part = Path(f"{self.path}{suffix}")
            if part.exists():
                part.rename(f"{self.path}{suffix}.damaged-{stamp}")
        return Path(f"{self.path}.damaged-{stamp}")


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=10, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        _check(db, path)
        _bring_up_to_date(db)
        db.executescript(_SCHEMA + alias_table.SCHEMA)
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


def _outcome(name: str) -> Outcome:
    """The outcome of that name; one that a later version wrote counts as passing."""
    try:
        return Outcome(name)
    except ValueError:
        return Outcome.CONNECT_ERROR
