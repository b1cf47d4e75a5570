"""Store: what each feed gave last, and which articles the broker has acknowledged. It survives kill -9."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, Self

from connectors import aliases as alias_table
from connectors import pruning
from connectors.aliases import Alias
from connectors.outcome import Outcome
from connectors.shards import WHOLE, Shard
from connectors.state_file import StoreBusyError, StoreError, open_or_renew

__all__ = ["FeedState", "Seen", "Store", "StoreError"]
KEEP_S = 30 * 24 * 3600.0
GROUP = 200
"""Polls without articles that one commit may stand for."""
TOUCH_S = 24 * 3600.0
_BATCH = 500
_CHUNK = 5000


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
_values = attrgetter(*_COLUMNS)


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


_PUT_FEED = (
    f"INSERT OR REPLACE INTO feeds ({', '.join(_COLUMNS)}) "  # noqa: S608  # names of our own
    f"VALUES ({', '.join('?' * len(_COLUMNS))})"
)


_SEEN = "article_id, feed, content_hash, revision, shown_at"
_INTO_SEEN = f"INTO seen ({_SEEN}) VALUES (?, ?, ?, ?, ?)"
_OVER_SEEN = (
    f"INSERT {_INTO_SEEN} ON CONFLICT (article_id) DO UPDATE SET feed = excluded.feed, "
    "content_hash = excluded.content_hash, revision = excluded.revision, shown_at = excluded.shown_at "
    "WHERE excluded.revision >= seen.revision"
)
"""One feed's touch must not take back the update that another has sent since the touch was decided on."""
_seen_values = attrgetter(*_SEEN.split(", "))


class Store:
    """The SQLite file of one shard in a folder, owned by one process at a time; use it as a context manager.

    Write-ahead log with ``synchronous=NORMAL``: a killed process loses nothing that was committed. A power cut may
    lose the last commits, and the file stays whole; the articles in them are then sent once more under the same id,
    which changes nothing downstream. ``FULL`` would pay an fsync a poll to avoid that.

    Polls that brought articles are committed at once. The others, nearly all a 304, share a commit, which ``settle``
    makes: a kill may lose the last few, whose feeds are then asked once more.
    """

    def __init__(self, folder: Path, shard: Shard = WHOLE, *, lock: bool = True) -> None:
        """The state of ``shard`` in ``folder``; without ``lock`` for who has locked the folder otherwise."""
        self._folder = folder
        self.shard = shard
        self.path = folder / shard.file_name
        self._pending = 0
        self._locks = lock
        self._lock: IO[bytes] | None = None
        self._db: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._locks:
                self._take_lock()
            self._db = open_or_renew(self.path)
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
            with contextlib.suppress(StoreError):  # what is lost is a few 304
                self.settle()
            self._db.close()
            self._db = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def feeds(self) -> dict[str, FeedState]:
        """What is known of every feed, by id."""
        rows = self._run(f"SELECT {', '.join(_COLUMNS)} FROM feeds")  # noqa: S608  # names of our own
        return {row[0]: FeedState(row[0], row[1], _outcome(row[2]), *row[3:]) for row in rows}

    @property
    def unsettled(self) -> bool:
        """Whether something is not committed yet."""
        return self._pending > 0

    def holds(self, feed_id: str) -> bool:  # noqa: ARG002  # as ``Stores``
        """Whether a feed's state is here."""
        return True

    def part(self, feed_id: str) -> Store:  # noqa: ARG002  # as ``Stores``
        """Where a feed's state is."""
        return self

    def seen(self, article_ids: Sequence[str], feed_id: str = "") -> Mapping[str, Seen]:  # noqa: ARG002  # as ``Stores``
        """Those of ``article_ids`` that were acknowledged before."""
        found = {}
        for start in range(0, len(article_ids), _BATCH):
            batch = article_ids[start : start + _BATCH]
            marks = ",".join("?" * len(batch))
            rows = self._run(
                f"SELECT {_SEEN} FROM seen WHERE article_id IN ({marks})",  # noqa: S608  # only question marks
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

    def aliases_of(self, feed: str, article_id: str) -> Sequence[Alias]:
        """All marks under which an article of ``feed`` is known."""
        try:
            return alias_table.of_article(self._connection(), feed, article_id)
        except sqlite3.Error as error:
            raise StoreError(f"reading the connectors' state failed: {self.path}: {error}") from None

    def record(self, state: FeedState, seen: Iterable[Seen] = (), aliases: Iterable[Alias] = ()) -> None:
        """Write a poll's result in one transaction: a validator never gets ahead of the articles it stands for.

        Raises:
            StoreError: The disk is full, or the file is damaged.
        """
        db = self._connection()
        rows, marks = [_seen_values(row) for row in seen], list(aliases)
        try:
            if rows or marks:  # a 304, which nearly every poll is, brings none
                db.executemany(_OVER_SEEN, rows)
                alias_table.write(db, marks)
            db.execute(_PUT_FEED, _values(state))
        except sqlite3.Error as error:
            raise self._undone(error) from None
        self._pending += 1
        if rows or marks or self._pending >= GROUP:
            self.settle()

    def settle(self) -> None:
        """Commit what is not committed yet.

        Raises:
            StoreError: The disk is full, or the file is damaged.
        """
        if not self._pending:
            return
        try:
            self._connection().commit()
            self._pending = 0
        except sqlite3.Error as error:
            raise self._undone(error) from None

    def _undone(self, error: sqlite3.Error) -> StoreError:
        self._pending = 0
        with contextlib.suppress(sqlite3.Error):  # the first error tells the cause
            self._connection().rollback()
        return StoreError(f"writing the connectors' state failed: {self.path}: {error}")

    def note(self, name: str, text: str) -> None:
        """Keep a text under a name, in place of what was kept there.

        Raises:
            StoreError: It can't be written.
        """
        self._run("INSERT OR REPLACE INTO notes (name, text) VALUES (?, ?)", (name, text))
        self._pending += 1
        self.settle()

    def noted(self, name: str) -> str:
        """The text kept under a name; empty where there is none."""
        rows = self._run("SELECT text FROM notes WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def notes(self) -> dict[str, str]:
        """Every text that is kept, by its name."""
        return {str(name): str(text) for name, text in self._run("SELECT name, text FROM notes")}

    def all_seen(self) -> Iterator[list[Seen]]:
        """All articles that were acknowledged, so many at a time that they fit into memory.

        Raises:
            StoreError: The file is damaged.
        """
        last = ""
        while rows := self._run(f"SELECT {_SEEN} FROM seen WHERE article_id > ? ORDER BY 1 LIMIT ?", (last, _CHUNK)):  # noqa: S608  # names of our own
            yield [Seen(*row) for row in rows]
            last = rows[-1][0]

    def all_aliases(self) -> Iterator[list[Alias]]:
        """All marks under which entries are known, so many at a time that they fit into memory.

        Raises:
            StoreError: The file is damaged.
        """
        try:
            yield from alias_table.every(self._connection(), _CHUNK)
        except sqlite3.Error as error:
            raise StoreError(f"reading the connectors' state failed: {self.path}: {error}") from None

    def keep(self, seen: Iterable[Seen], aliases: Iterable[Alias] = ()) -> None:
        """Write articles down that are not known yet, and under which marks.

        Raises:
            StoreError: The disk is full, or the file is damaged.
        """
        try:
            self._connection().executemany(f"INSERT OR IGNORE {_INTO_SEEN}", map(_seen_values, seen))
            alias_table.write(self._connection(), aliases)
        except sqlite3.Error as error:
            raise self._undone(error) from None
        self._pending += 1
        self.settle()

    def prune(self, now: float, keep_s: float = KEEP_S, most: int | None = None) -> int:
        """As ``pruning``, at one go, which may take a minute; how many articles went."""
        return sum(self.pruning(now, keep_s, most))

    def pruning(self, now: float, keep_s: float = KEEP_S, most: int | None = None) -> Iterator[int]:
        """Forget articles that no feed has shown for ``keep_s``, then what is beyond ``most``: see ``pruning``.

        Each step takes milliseconds, is written down, and tells how many articles went; polls may be recorded between
        two of them.

        Raises:
            StoreError: The disk is full, or the file is damaged.
        """
        db = self._connection()
        steps = itertools.chain(pruning.aged(db, now, keep_s), pruning.excess(db, most), pruning.orphans(db, keep_s))
        db.execute(f"PRAGMA wal_autocheckpoint={pruning.PAGES}")
        try:
            while (went := self._step(steps)) is not None:
                yield went
        finally:
            with contextlib.suppress(sqlite3.Error):  # it may be closed
                db.execute(f"PRAGMA wal_autocheckpoint={pruning.USUAL_PAGES}")

    def _step(self, steps: Iterator[int]) -> int | None:
        self.settle()  # a step ends the transaction
        try:
            return next(steps, None)
        except sqlite3.Error as error:
            raise StoreError(f"pruning the connectors' state failed: {self.path}: {error}") from None

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
        self._lock = (self._folder / self.shard.lock_name).open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusyError(
                f"opening the connectors' state failed: {self._folder}: another `brinkwatch connect` uses it"
            ) from None


def _outcome(name: str) -> Outcome:
    """The outcome of that name; one that a later version wrote counts as passing."""
    try:
        return Outcome(name)
    except ValueError:
        return Outcome.CONNECT_ERROR
