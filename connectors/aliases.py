"""Alias: under which article id an entry is known by other marks than its address."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass

IS_ELSEWHERE = "mark > 'shown'"
"""Of the marks that begin with ``ELSEWHERE``. A query finds them by their index where it has this very condition."""
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS aliases (
    feed TEXT NOT NULL, mark TEXT NOT NULL, article_id TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
    published REAL NOT NULL, shown_at REAL NOT NULL, PRIMARY KEY (feed, mark)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS aliases_elsewhere ON aliases (article_id) WHERE {IS_ELSEWHERE};
"""
ELSEWHERE = "shown:"
"""How marks begin that say of another feed's article that this feed shows it, too. All others are hex digits, so the
index, by which pruning asks who shows an article, holds these alone."""
_COLUMNS = "feed, mark, article_id, title, text, published, shown_at"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Alias:
    """A mark of an entry, and the article that the entry was.

    Attributes:
        feed: The feed of the entry; a mark means nothing elsewhere.
        mark: Digest of its guid, or of its content; of the id that the feed gives it, where it was sent under another.
            ``ELSEWHERE`` and the head of the article's id, where another feed brought it. Digest of
            its page's address, where articles share that.
        article_id: The article's id.
        title: Short digest of its title.
        text: Short digest of its text; empty where it has none. Where it was sent under another id, the address there.
        published: When it said that it was published (Unix seconds); 0 for not said, or not to the second.
        shown_at: When the feed showed it last (Unix seconds, a day's grain).
    """

    feed: str
    mark: str
    article_id: str
    title: str
    text: str
    published: float
    shown_at: float


def find(db: sqlite3.Connection, feed: str, marks: Sequence[str]) -> dict[str, Alias]:
    """Those of ``marks`` under which an entry of ``feed`` is known."""
    found = {}
    for start in range(0, len(marks), _BATCH):
        batch = marks[start : start + _BATCH]
        rows = db.execute(
            f"SELECT {_COLUMNS} FROM aliases WHERE feed = ? AND mark IN ({','.join('?' * len(batch))})",  # noqa: S608  # only question marks
            (feed, *batch),
        )
        found.update({row[1]: Alias(*row) for row in rows})
    return found


def of_article(db: sqlite3.Connection, feed: str, article_id: str) -> list[Alias]:
    """All under which an article of ``feed`` is known: it looks through the feed's."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM aliases WHERE feed = ? AND article_id = ?",  # noqa: S608  # names of our own
        (feed, article_id),
    )
    return [Alias(*row) for row in rows]


def every(db: sqlite3.Connection, most: int) -> Iterator[list[Alias]]:
    """All of them, at most so many at once."""
    last = ("", "")
    while rows := db.execute(
        f"SELECT {_COLUMNS} FROM aliases WHERE (feed, mark) > (?, ?) ORDER BY feed, mark LIMIT ?",  # noqa: S608  # names of our own
        (*last, most),
    ).fetchall():
        yield [Alias(*row) for row in rows]
        last = rows[-1][:2]


def write(db: sqlite3.Connection, aliases: Iterable[Alias]) -> None:
    """Write or replace; within the caller's transaction."""
    db.executemany(
        f"INSERT OR REPLACE INTO aliases ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # names of our own
        map(astuple, aliases),
    )
