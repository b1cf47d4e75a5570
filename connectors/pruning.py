"""Pruning: what may be forgotten of the connectors' state, found and deleted in slices that hold nobody up.

Of two million articles a look at all takes seconds. So each step looks at two hundred rows in a transaction of its
own, and whoever runs the steps lets others have their turn in between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from connectors.aliases import IS_ELSEWHERE

SLICE = 200
"""Rows that a step looks at; a millisecond."""
PAGES = 200
"""Of the log, after which SQLite writes them where they belong: deletes strike pages all over the file."""
USUAL_PAGES = 1_000
COUNTED = 5_000
"""Rows that a step counts, which is cheaper."""
MAX_SEEN = 2_000_000
SEEN_A_FEED = 400
"""Of many feeds more are kept: what a feed still shows must not be forgotten, or it would be sent again and again."""
LAPSE_S = 30 * 24 * 3600.0
"""A feed that was polled last so long before the others counts as removed."""
SHOWN_S = 2 * 24 * 3600.0
"""What was shown so long before its feed was read last was not in it then: times have a day's grain."""
_AFTER = "(shown_at, article_id) > (?, ?) ORDER BY shown_at, article_id LIMIT 1 OFFSET ?"
_WITHIN = "(shown_at, article_id) > (:last_at, :last_id) AND (shown_at, article_id) <= (:at, :id)"
_LIVE = "next_due IS NOT NULL AND polled_at >= :lately AND url NOT LIKE 'file:%'"
_NOT_ELSEWHERE = (
    "NOT EXISTS (SELECT 1 FROM aliases JOIN feeds ON feeds.id = aliases.feed "  # noqa: S608  # names of our own
    f"WHERE aliases.article_id = seen.article_id AND aliases.{IS_ELSEWHERE} "
    f"AND aliases.shown_at >= feeds.read_at - {LAPSE_S:.0f} AND {_LIVE})"
)
"""No other feed than the one that brought it shows it, as far as its marks tell: they are not written at every poll."""
_AGED = (
    "shown_at < :now - :keep AND shown_at < "  # noqa: S608  # names of our own
    "coalesce((SELECT read_at FROM feeds WHERE feeds.id = seen.feed AND next_due IS NOT NULL), :now) - :keep "
    f"AND {_NOT_ELSEWHERE}"
)
_NEEDED_NO_MORE = f"NOT EXISTS (SELECT 1 FROM feeds WHERE feeds.id = seen.feed AND {_LIVE}) AND {_NOT_ELSEWHERE}"  # noqa: S608  # names of our own
_SHOWN_NO_MORE = (
    f"shown_at < coalesce((SELECT read_at FROM feeds WHERE feeds.id = seen.feed), 0) - {SHOWN_S:.0f} "  # noqa: S608  # a number of our own
    f"AND {_NOT_ELSEWHERE}"
)
_GIVEN_UP = (_NEEDED_NO_MORE, _SHOWN_NO_MORE, "1")
"""What goes first where there is too much: what nobody asks for again, then what is shown no more, then the oldest."""


def aged(db: sqlite3.Connection, now: float, keep_s: float) -> Iterator[int]:
    """Forget articles that no feed has shown for ``keep_s``; how many went, step by step.

    An entry that stood in the feed when it was read last is kept, however long ago that was: a feed may answer 304 for
    months and still show it. So is one that another feed, which is polled yet, has shown in the same way.
    """
    yield from _delete(db, _AGED, {"now": now, "keep": keep_s, "lately": _lately(db)}, until=now - keep_s)


def excess(db: sqlite3.Connection, most: int | None) -> Iterator[int]:
    """Forget articles beyond ``most`` (two million, or 400 a feed, whichever is more); how many went, step by step.

    First those of feeds that are removed, and of files, which are never read again. Then those that their feed did not
    show when it was read last. What it or another feed still shows would be sent anew, and goes only where nothing else
    is left.
    """
    (feeds,) = db.execute("SELECT count(*) FROM feeds").fetchone()
    lately = _lately(db)
    left = -(max(MAX_SEEN, SEEN_A_FEED * feeds) if most is None else most)
    for count in _counts(db):
        left += count
        yield 0
    for which in _GIVEN_UP:
        if left <= 0:
            return
        for went in _delete(db, which, {"lately": lately}, left):
            left -= went
            yield went


def orphans(db: sqlite3.Connection, keep_s: float) -> Iterator[int]:
    """Forget marks of articles that are forgotten, and those that an entry has not borne for ``keep_s``.

    A feed that gives an entry a new guid at every poll leaves one each day. Those that an entry bore when its feed was
    read last are kept for as long as that answers 304.
    """
    last, lately = ("", ""), _lately(db)
    while last is not None:
        end = db.execute(
            "SELECT feed, mark FROM aliases WHERE (feed, mark) > (?, ?) ORDER BY feed, mark LIMIT 1 OFFSET ?",
            (*last, SLICE - 1),
        ).fetchone()
        bound = "" if end is None else "AND (feed, mark) <= (:end_feed, :end_mark)"
        ends = {} if end is None else {"end_feed": end[0], "end_mark": end[1]}
        with db:
            db.execute(
                f"DELETE FROM aliases WHERE (feed, mark) > (:feed, :mark) {bound} AND shown_at < coalesce("  # noqa: S608  # names of our own
                "(SELECT min(seen.shown_at, coalesce((SELECT read_at FROM feeds WHERE feeds.id = aliases.feed "
                f"AND {_LIVE}), seen.shown_at)) - :keep "
                "FROM seen WHERE seen.article_id = aliases.article_id), 9e99)",
                {"feed": last[0], "mark": last[1], "keep": keep_s, "lately": lately, **ends},
            )
        last = end
        yield 0


def _lately(db: sqlite3.Connection) -> float:
    """When a feed that is not removed was polled last at the earliest (Unix seconds)."""
    (polled,) = db.execute("SELECT max(polled_at) FROM feeds").fetchone()
    return (polled or 0.0) - LAPSE_S


def _counts(db: sqlite3.Connection) -> Iterator[int]:
    """How many articles there are, in parts."""
    last: tuple[float, str] | None = (float("-inf"), "")
    while last is not None:
        end = db.execute(f"SELECT shown_at, article_id FROM seen WHERE {_AFTER}", (*last, COUNTED - 1)).fetchone()  # noqa: S608  # names of our own
        if end is None:
            (rest,) = db.execute("SELECT count(*) FROM seen WHERE (shown_at, article_id) > (?, ?)", last).fetchone()
        yield rest if end is None else COUNTED
        last = end


def _delete(
    db: sqlite3.Connection, which: str, values: dict[str, float], most: int = -1, until: float = float("inf")
) -> Iterator[int]:
    """Delete articles of which ``which`` holds, the oldest first, at most so many, shown before ``until``."""
    last_at, last_id = float("-inf"), ""
    while most and last_at < until:
        row = db.execute(f"SELECT shown_at, article_id FROM seen WHERE {_AFTER}", (last_at, last_id, SLICE - 1))  # noqa: S608  # names of our own
        at, name = row.fetchone() or (float("inf"), "")
        given = {**values, "last_at": last_at, "last_id": last_id, "at": at, "id": name, "most": most}
        with db:
            went = db.execute(
                "DELETE FROM seen WHERE article_id IN (SELECT article_id FROM seen "  # noqa: S608  # names of our own
                f"WHERE {_WITHIN} AND {which} ORDER BY shown_at, article_id LIMIT :most)",
                given,
            ).rowcount
        most -= went if most > 0 else 0
        last_at, last_id = at, name
        yield went
