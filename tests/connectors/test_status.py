"""What is known of feeds, read beside whoever writes it."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from config.feeds import Feed
from connectors.outcome import Outcome
from connectors.status import Standing, read_states, statuses
from connectors.store import FeedState, Store, StoreError

if TYPE_CHECKING:
    from pathlib import Path

STATE = FeedState("f", "https://f.example/", Outcome.OK, polled_at=5.0, next_due=9.5)


def test_nothing_there(tmp_path: Path):
    """No folder, an empty one, or a file of nothing: no states, and nothing is made."""
    assert read_states(tmp_path / "none") == {}
    (tmp_path / "state.sqlite").touch()
    assert read_states(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["state.sqlite"]


def test_a_file_of_the_version_before(tmp_path: Path):
    """Columns that it does not have yet count as not known; the file is not changed."""
    with sqlite3.connect(tmp_path / "state.sqlite") as db:
        db.execute(
            "CREATE TABLE feeds (id TEXT, url TEXT, outcome TEXT, etag TEXT, last_modified TEXT, detail TEXT, "
            "failures INTEGER, polled_at REAL, read_at REAL, next_due REAL)"
        )
        db.execute("INSERT INTO feeds VALUES ('f', 'https://f.example/', 'ok', '', '', '', 0, 5.0, 0.0, 9.5)")
        db.execute("INSERT INTO feeds VALUES ('g', 'https://g.example/', 'unheard_of', '', '', 'x', 1, 5.0, 0.0, NULL)")
    db.close()
    found = read_states(tmp_path)
    assert found["f"] == STATE
    assert found["g"].outcome is Outcome.CONNECT_ERROR


def test_reading_holds_up_no_writer(tmp_path: Path):
    """A connector writes on while its state is read again and again, and each reading is one moment's."""
    with Store(tmp_path) as store:
        for number in range(200):
            store.record(FeedState("f", "https://f.example/", Outcome.OK, failures=number, polled_at=float(number)))
            store.settle()
            assert read_states(tmp_path)["f"].failures == number


def test_how_a_feed_stands(tmp_path: Path):
    """Paused, stopped, failing, well, or waiting: under another address nothing is known of it."""
    now = time.time()
    states = {
        "ok": FeedState("ok", "https://ok.example/", Outcome.OK, next_due=now),
        "bad": FeedState("bad", "https://bad.example/", Outcome.TIMEOUT, failures=2, next_due=now),
        "gone": FeedState("gone", "https://gone.example/", Outcome.GONE, failures=1),
        "moved": FeedState("moved", "https://old.example/", Outcome.OK, next_due=now),
    }
    feeds = [Feed(name, f"https://{name}.example/") for name in (*states, "new")]
    feeds.append(Feed("ok", "https://ok.example/", enabled=False))
    assert [status.standing for status in statuses(feeds, states)] == [
        Standing.OK, Standing.FAILING, Standing.STOPPED, Standing.WAITING, Standing.WAITING, Standing.PAUSED,
    ]  # fmt: skip


def test_a_file_that_is_none(tmp_path: Path):
    """It is said which."""
    (tmp_path / "state-7.sqlite").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(StoreError, match=r"state-7\.sqlite"):
        read_states(tmp_path)
