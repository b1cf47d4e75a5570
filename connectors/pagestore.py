"""Page store: pages that were read, so that each is asked once. A cache: what is lost of it is asked again."""

from __future__ import annotations

import logging
import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from connectors.outcome import Outcome
from connectors.page import Page

log = logging.getLogger(__name__)
KEEP_S = 30 * 24 * 3600.0
MAX_BYTES = 64 * 1024 * 1024
PRUNE_EVERY = 200
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pages (
    url TEXT PRIMARY KEY, wording TEXT NOT NULL, read_at REAL NOT NULL, size INTEGER NOT NULL, page BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pages_by_time ON pages (read_at);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A page as it was read.

    Attributes:
        wording: Hash of what the feed showed of it then.
        read_at: When (Unix seconds).
        page: What reading it gave.
    """

    wording: str
    read_at: float
    page: Page


class PageStore:
    """SQLite under ``<folder>/pages.sqlite``, made when it is first used; a damaged file is made anew."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "pages.sqlite"
        self._db: sqlite3.Connection | None = None
        self._writes = 0

    def get(self, url: str) -> Kept | None:
        """The page of ``url``; None where it was not read, or is forgotten."""
        try:
            row = self._opened().execute("SELECT wording, read_at, page FROM pages WHERE url = ?", (url,)).fetchone()
            if row is None:
                return None
            packed = zlib.decompressobj().decompress(row[2], 16 * 1024 * 1024)
            return Kept(row[0], row[1], msgspec.msgpack.decode(packed, type=Page))
        except UnicodeEncodeError:  # no text: it can't have been kept
            return None
        except (sqlite3.Error, zlib.error, msgspec.MsgspecError) as error:
            self._renew(error)
            return None

    def put(self, url: str, kept: Kept) -> None:
        """Keep a page in place of what was kept of it; one that is no text, with lone surrogates in it, is not kept."""
        try:
            url.encode()
            packed = zlib.compress(msgspec.msgpack.encode(kept.page), 3)
        except UnicodeEncodeError:
            return
        self._write(
            "INSERT OR REPLACE INTO pages (url, wording, read_at, size, page) VALUES (?, ?, ?, ?, ?)",
            (url, kept.wording, kept.read_at, len(packed), packed),
        )
        self._writes += 1
        if self._writes % PRUNE_EVERY == 1:
            self.prune(kept.read_at)

    def prune(self, now: float, most: int = MAX_BYTES) -> None:
        """Forget what is older than 30 days, and the oldest beyond ``most`` bytes."""
        self._write("DELETE FROM pages WHERE read_at < ?", (now - KEEP_S,))
        self._write(
            "DELETE FROM pages WHERE url IN (SELECT url FROM "
            "(SELECT url, sum(size + 500) OVER (ORDER BY read_at DESC, url) AS total FROM pages) WHERE total > ?)",
            (most,),
        )

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _write(self, sql: str, values: tuple[object, ...]) -> None:
        try:
            with self._opened() as db:
                db.execute(sql, values)
        except sqlite3.Error as error:
            self._renew(error)

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = sqlite3.connect(self._path, timeout=10, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version not in {0, _VERSION}:
                raise sqlite3.DatabaseError(f"version {version}")
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version={_VERSION}")
        return self._db

    def _renew(self, error: Exception) -> None:
        """Go on without what was kept; nothing of it is needed. A full disk is not mended by that, nor made worse."""
        log.warning("the cache of pages can't be used: %s: %s: %s", self._path, type(error).__name__, error)
        self.close()
        if not isinstance(error, sqlite3.OperationalError):
            for suffix in ("-wal", "-shm", ""):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)


TRANSIENT = frozenset(Outcome) - {Outcome.OK, Outcome.PAYWALL, Outcome.NO_TEXT, Outcome.NOT_FOUND, Outcome.GONE}
"""Endings of a page that may be others an hour later."""
