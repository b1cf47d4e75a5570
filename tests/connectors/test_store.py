"""The connectors' state."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connectors.aliases import Alias
from connectors.outcome import Outcome
from connectors.recognition import elsewhere_mark
from connectors.store import FeedState, Seen, Store, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DAY_S = 86400.0
STATE = FeedState("f", "https://f.example/", Outcome.OK, etag='"e"', last_modified="Mon", read_at=5.0, next_due=9.5)


def rows(count: int, shown_at: float = 0.0, feed: str = "f") -> list[Seen]:
    """Rows of ``count`` articles."""
    return [Seen(f"{feed}{n:06d}", feed, "h", 0, shown_at + n) for n in range(count)]


def test_what_was_written_is_read_after_a_restart(tmp_path: Path):
    """Validators, failures and articles survive, more articles than SQLite takes parameters at once too."""
    with Store(tmp_path) as store:
        store.record(STATE, rows(1200))
    with Store(tmp_path) as store:
        assert store.feeds() == {"f": STATE}
        assert len(store.seen([row.article_id for row in rows(1300)])) == 1200
        assert store.seen(["f000007"])["f000007"] == rows(8)[7]
        assert store.seen([]) == {}


def test_kill_9_loses_nothing_committed(tmp_path: Path):
    """A writer killed in mid-work leaves every transaction it had reported, and a file that opens."""
    code = (
        "import sys; from pathlib import Path; from connectors.outcome import Outcome; from connectors.store import *\n"
        "with Store(Path(sys.argv[1])) as store:\n"
        "    for n in range(10**6):\n"
        "        store.record(FeedState('f', 'u', Outcome.OK, failures=n), [Seen(f'a{n}', 'f', 'h', 0, 0.0)])\n"
        "        print(n, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(300):
            reported = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        tail = child.stdout.read().split()
    last = int(tail[-1]) if tail else reported
    with Store(tmp_path) as store:
        assert store.feeds()["f"].failures >= last
        assert len(store.seen([f"a{n}" for n in range(last + 1)])) == last + 1


@pytest.mark.parametrize("damage", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_damaged_file_is_moved_aside(tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture):
    """It is kept, an error says so, and the connector starts anew: articles are read again rather than lost."""
    (tmp_path / "state.sqlite").write_bytes(damage)
    with caplog.at_level(logging.ERROR), Store(tmp_path) as store:
        assert store.feeds() == {}
        store.record(STATE)
    assert "damaged and was moved to" in caplog.text
    (aside,) = tmp_path.glob("state.sqlite.damaged-*")
    assert aside.read_bytes() == damage


def test_damage_inside_is_found(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Pages overwritten in the middle are noticed at the start, not in the middle of the night."""
    with Store(tmp_path) as store:
        store.record(STATE, rows(5000))
    path = tmp_path / "state.sqlite"
    raw = bytearray(path.read_bytes())
    raw[8192:40960] = b"\x5a" * 32768
    path.write_bytes(raw)
    with caplog.at_level(logging.ERROR), Store(tmp_path) as store:
        assert store.seen(["f000001"]) == {}
    assert list(tmp_path.glob("state.sqlite.damaged-*"))


def test_a_file_of_version_1_keeps_what_it_knows(tmp_path):
    """An upgrade must not make every feed be read anew: its rows stand, what is new begins empty."""
    with sqlite3.connect(tmp_path / "state.sqlite") as db:
        db.execute(
            "CREATE TABLE feeds (id TEXT PRIMARY KEY, url TEXT NOT NULL, etag TEXT NOT NULL, "
            "last_modified TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, failures INTEGER NOT NULL, "
            "polled_at REAL NOT NULL, read_at REAL NOT NULL, next_due REAL) WITHOUT ROWID"
        )
        db.execute("INSERT INTO feeds VALUES ('f', 'https://f.example/', '\"e\"', 'Mon', 'ok', '', 0, 0, 5, 9.5)")
        db.execute("PRAGMA user_version=1")
    db.close()
    for _ in range(2):
        with Store(tmp_path) as store:
            assert store.feeds() == {"f": STATE}


def test_a_newer_file_is_left_alone(tmp_path: Path):
    """A file of a later version is no damage: it is refused and stays where it is."""
    with Store(tmp_path) as store:
        store.record(STATE)
    with sqlite3.connect(tmp_path / "state.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreError, match="version 99, this one knows 2"), Store(tmp_path):
        pass
    assert not list(tmp_path.glob("*.damaged-*"))


def test_one_process_at_a_time(tmp_path: Path):
    """Two connectors on one folder would poll every feed twice: the second one is told."""
    with Store(tmp_path), pytest.raises(StoreError, match="another `brinkwatch connect` uses it"), Store(tmp_path):
        pass
    with Store(tmp_path):
        pass


def test_a_folder_that_can_not_be_made(tmp_path: Path):
    """The error names the place and the reason."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StoreError, match=r"opening the connectors' state failed: .*state.sqlite: "),
        Store(tmp_path / "file"),
    ):
        pass


def test_a_full_disk_is_an_error_and_nothing_is_half_written(tmp_path: Path):
    """Where the state can't grow, the poll is an error; what stood before still stands."""
    with Store(tmp_path) as store:
        store.record(STATE, rows(10))
        db = store._connection()
        db.execute(f"PRAGMA max_page_count={db.execute('PRAGMA page_count').fetchone()[0]}")
        with pytest.raises(StoreError, match=r"writing the connectors' state failed: .*full"):
            store.record(FeedState("f", "other", Outcome.OK), rows(20_000))
        assert store.feeds() == {"f": STATE}
        assert len(store.seen([row.article_id for row in rows(20)])) == 10


def test_a_touch_takes_no_update_back(tmp_path: Path):
    """A feed that shows another's article, and looked at it before that one sent an update, leaves the update alone."""
    before = Seen("a", "f", "h", 0, 1.0)
    updated = Seen("a", "f", "new", 1, 2.0)
    with Store(tmp_path) as store:
        for row in (before, updated, replace(before, shown_at=3.0)):
            store.record(STATE, [row])
        assert store.seen(["a"])["a"] == updated
        store.record(STATE, [replace(updated, shown_at=4.0)])
        assert store.seen(["a"])["a"].shown_at == 4.0


def test_prune_by_age_keeps_what_a_feed_still_shows(tmp_path: Path):
    """Old entries go once their feed was read without them; not while the feed answers 304 for months."""
    now = 100 * DAY_S
    quiet = FeedState("quiet", "u", Outcome.NOT_MODIFIED, read_at=10 * DAY_S, next_due=now)
    busy = FeedState("busy", "u", Outcome.OK, read_at=now, next_due=now)
    with Store(tmp_path) as store:
        store.record(quiet, rows(3, 10 * DAY_S, "quiet"))
        store.record(busy, rows(3, 10 * DAY_S, "busy"))
        store.record(FeedState("removed", "u", Outcome.GONE, read_at=10 * DAY_S), rows(3, 10 * DAY_S, "removed"))
        assert store.prune(now) == 6
        assert len(store.seen([row.article_id for row in rows(3, 0, "quiet")])) == 3


def elsewhere(feed: str, names: Iterable[str], shown_at: float) -> list[Alias]:
    """That ``feed`` shows what another one brought."""
    return [Alias(feed, elsewhere_mark(name), name, "", "", 0.0, shown_at) for name in names]


def test_what_another_feed_still_shows_is_kept(tmp_path: Path):
    """The feed that brought it first has dropped it; a quiet one that answers 304 for months would send it anew."""
    now = 100 * DAY_S
    names = [row.article_id for row in rows(8)]
    busy = replace(STATE, polled_at=now, read_at=now, next_due=now)
    quiet = replace(busy, id="quiet", url="https://q.example/", read_at=10 * DAY_S)
    with Store(tmp_path) as store:
        store.record(busy, rows(8, 10 * DAY_S))
        store.record(quiet, (), elsewhere("quiet", names[:2], 10 * DAY_S))
        store.record(replace(busy, id="also"), (), elsewhere("also", names[2:4], 10 * DAY_S))
        stopped = replace(quiet, id="stopped", next_due=None)
        removed = replace(quiet, id="removed", polled_at=now - 40 * DAY_S)
        for state, some in ((stopped, names[4:6]), (removed, names[6:])):
            store.record(state, (), elsewhere(state.id, some, 10 * DAY_S))
        assert store.prune(now) == 6
        assert sorted(store.seen(names)) == names[:2]
        assert len(store.aliases("quiet", [elsewhere_mark(name) for name in names])) == 2


def test_what_another_feed_shows_is_forgotten_last(tmp_path: Path):
    """Where there is too much, what a live feed shows of a removed one's stays until nothing else is left."""
    now = 100 * DAY_S
    live = replace(STATE, id="live", polled_at=now, read_at=now - DAY_S, next_due=now)
    gone = replace(STATE, id="gone", polled_at=now - 40 * DAY_S, read_at=now - 40 * DAY_S, next_due=now)
    names = [row.article_id for row in rows(6, 0.0, "gone")]
    with Store(tmp_path) as store:
        store.record(gone, rows(6, now - 5 * DAY_S, "gone"))
        store.record(live, (), elsewhere("live", names[:2], now - 5 * DAY_S))
        store.prune(now, most=2)
        assert sorted(store.seen(names)) == names[:2]
        store.prune(now, most=1)
        assert len(store.seen(names)) == 1


def test_marks_are_kept_while_their_feed_is_quiet(tmp_path: Path):
    """Another feed touches the article for months: what the quiet one calls it is not forgotten before it is read."""
    now = 100 * DAY_S
    busy = replace(STATE, polled_at=now, read_at=now, next_due=now)
    with Store(tmp_path) as store:
        store.record(busy, rows(1, now), [Alias("f", "m", "f000000", "t", "x", 0.0, 10 * DAY_S)])
        quiet = replace(busy, id="quiet", read_at=10 * DAY_S)
        store.record(quiet, (), [Alias("quiet", "m", "f000000", "t", "x", 0.0, 10 * DAY_S)])
        store.prune(now)
        assert (list(store.aliases("quiet", ["m"])), list(store.aliases("f", ["m"]))) == (["m"], [])


def test_prune_by_count_drops_the_oldest(tmp_path: Path):
    """The state is bounded however much is published."""
    with Store(tmp_path) as store:
        store.record(STATE, rows(50))
        assert store.prune(0.0, most=20) == 30
        assert set(store.seen([row.article_id for row in rows(50)])) == {row.article_id for row in rows(50)[30:]}


def test_what_a_feed_shows_is_forgotten_last(tmp_path: Path):
    """Files of millions of lines and feeds that are gone make room first: what a quiet feed shows would go out anew."""
    now = 100 * DAY_S
    quiet = FeedState("quiet", "https://q.example/", Outcome.NOT_MODIFIED, polled_at=now, read_at=10.0, next_due=now)
    archive = FeedState("archive", "file:///a.jsonl", Outcome.OK, polled_at=now, read_at=now, next_due=now)
    gone = FeedState("gone", "https://g.example/", Outcome.OK, polled_at=now - 40 * DAY_S, read_at=now, next_due=now)
    busy = FeedState("busy", "https://b.example/", Outcome.OK, polled_at=now, read_at=now, next_due=now)
    with Store(tmp_path) as store:
        store.record(quiet, rows(10, 10.0, "quiet"))
        for state in (archive, gone):
            store.record(state, rows(20, now, state.id))
        store.record(busy, rows(10, now - 5 * DAY_S, "busy"))
        store.record(replace(busy, id="busynow"), rows(10, now, "busynow"))
        for most, left in ((30, {"quiet", "busy", "busynow"}), (20, {"quiet", "busynow"}), (10, {"busynow"})):
            store.prune(now, most=most)
            kept = store.seen([row.article_id for name in ("quiet", "archive", "gone", "busy", "busynow")
                               for row in rows(20, 0.0, name)])  # fmt: skip
            assert len(kept) == most
            assert {name.rstrip("0123456789") for name in kept} == left


def test_pruning_never_does_much_at_once(tmp_path: Path):
    """However many rows there are, a step is short, so that polls have their turn; one recorded in between stays."""
    work = 0

    def count() -> int:
        nonlocal work
        work += 1
        return 0

    with Store(tmp_path) as store:
        store.record(
            STATE, rows(8_000), [Alias("f", f"m{n:06d}", f"f{n:06d}", "t", "x", 0.0, 0.0) for n in range(8_000)]
        )
        store._connection().set_progress_handler(count, 1_000)
        steps = []
        for went in store.pruning(0.0, most=1_000):
            steps.append((went, work))
            work = 0
            store.record(FeedState("late", "https://late.example/", Outcome.OK))
        assert "late" in store.feeds()
        assert sum(went for went, _ in steps) == 7_000
        assert max(done for _, done in steps) < 60
        assert len(store.aliases("f", [f"m{n:06d}" for n in range(8_000)])) == 1_000
