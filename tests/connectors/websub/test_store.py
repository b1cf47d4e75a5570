"""Subscriptions on disk."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from connectors.store import StoreError
from connectors.websub.store import SubscriptionStore
from connectors.websub.subscription import Subscription

if TYPE_CHECKING:
    from pathlib import Path

ONE = Subscription(
    token="t", feed="wire", feed_url="https://wire.example/feed", topic="https://wire.example/feed",
    hub="https://hub.example/", callback="https://us.example/t", secret="s", base="https://wire.example/feed",
    made_at=1.0, leaving=True, misses=3, reason="x",
)  # fmt: skip


def test_what_is_put_is_there_again(tmp_path: Path):
    """Every field, through a closed and opened file; what is dropped is gone."""
    with SubscriptionStore(tmp_path) as store:
        store.put(ONE)
    with SubscriptionStore(tmp_path) as store:
        assert store.all() == (ONE,)
        store.drop("t")
    with SubscriptionStore(tmp_path) as store:
        assert store.all() == ()


def test_only_we_may_read_it(tmp_path: Path):
    """The file and SQLite's journals beside it: whatever the umask, and also a file that was open to others."""
    (tmp_path / "websub.sqlite").touch(mode=0o666)
    mask = os.umask(0)
    try:
        with SubscriptionStore(tmp_path) as store:
            store.put(ONE)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(mask)
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}


def test_it_survives_kill_9(tmp_path: Path):
    """What was put is there after the process was killed right behind it."""
    code = (
        "import os, signal, sys; from pathlib import Path; from connectors.websub.store import SubscriptionStore; "
        "from connectors.websub.subscription import Subscription; store = SubscriptionStore(Path(sys.argv[1])); "
        "store.__enter__(); store.put(Subscription('t', 'wire', 'u', 'u', 'h', 'c', 's', 'b', 1.0)); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -signal.SIGKILL
    with SubscriptionStore(tmp_path) as store:
        assert [one.secret for one in store.all()] == ["s"]


def test_a_damaged_file_costs_subscriptions_and_nothing_else(tmp_path: Path):
    """Polling must go on, so it is moved aside, still closed to others, and a new one begun."""
    path = tmp_path / "websub.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with SubscriptionStore(tmp_path) as store:
        assert store.all() == ()
        store.put(ONE)
    aside = tmp_path / "websub.sqlite.damaged"
    assert aside.read_bytes().startswith(b"no database")
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path):
    """It is no damage: the error says which file, and which version is known."""
    with SubscriptionStore(tmp_path) as store:
        assert store._db
        store._db.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match=r"opening the subscriptions failed: .*websub.sqlite: version 99"):
        SubscriptionStore(tmp_path).__enter__()
    assert {path.name for path in tmp_path.iterdir()} == {"websub.sqlite", "websub.sqlite.lock"}


def test_processes_of_other_shards_have_subscriptions_of_their_own(tmp_path: Path):
    """Two on one folder would end each other's; and of one file's two processes the second is told."""
    with SubscriptionStore(tmp_path, (0,), 2) as one, SubscriptionStore(tmp_path, (1,), 2) as two:
        one.put(ONE)
        assert two.all() == ()
        with pytest.raises(StoreError, match=r"websub-0-of-2.sqlite: another `brinkwatch connect` uses them"):
            SubscriptionStore(tmp_path, (0,), 2).__enter__()
        assert one.all() == (ONE,)
    with SubscriptionStore(tmp_path, (0,), 2) as again, SubscriptionStore(tmp_path, (0,), 1) as whole:
        assert again.all() == (ONE,)
        assert whole.path.name == "websub.sqlite"
