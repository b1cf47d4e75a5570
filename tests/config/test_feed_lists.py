"""The lists of feeds of a process, read again when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config import feed_lists
from config.errors import ConfigError
from config.feed_lists import FeedLists

if TYPE_CHECKING:
    from pathlib import Path


def listing(path: Path, *names: str, interval: str = "5m") -> Path:
    """A list of feeds of such names."""
    rows = [f'  - {{id: {name}, url: "https://{name}.example/", interval: {interval}}}' for name in names]
    path.write_text("\n".join(("feeds:", *rows)) + "\n")
    return path


def looks(lists: FeedLists, times: int = 3) -> list[bool]:
    """What so many looks see."""
    return [lists.changed() for _ in range(times)]


def test_a_change_is_seen_once_it_stands_still(tmp_path: Path):
    """What is half written when one looks first is not taken for the list; once it is read, it is no change."""
    path = listing(tmp_path / "feeds.yaml", "a")
    lists = FeedLists([path])
    assert [feed.id for feed in lists.read()] == ["a"]
    assert looks(lists) == [False, False, False]
    listing(path, "a", "b")
    assert lists.changed() is False
    listing(path, "a", "b", "c")
    assert looks(lists) == [False, True, True]
    assert [feed.id for feed in lists.read()] == ["a", "b", "c"]
    assert looks(lists) == [False, False, False]


def test_a_file_put_in_the_place_of_another_is_a_change(tmp_path: Path):
    """Editors and deployments write a new file and rename it; one that is gone is a fault until it comes back."""
    path = listing(tmp_path / "feeds.yaml", "a")
    lists = FeedLists([path, listing(tmp_path / "more.yaml", "z")])
    lists.read()
    listing(tmp_path / "new.yaml", "b").replace(path)
    assert looks(lists, 2) == [False, True]
    assert [feed.id for feed in lists.read()] == ["b", "z"]
    path.unlink()
    assert looks(lists, 2) == [False, True]
    with pytest.raises(ConfigError, match=r"feeds.yaml: a readable file"):
        lists.read()
    assert looks(lists, 2) == [False, False]
    listing(path, "b")
    assert looks(lists, 2) == [False, True]


def test_a_long_list_is_read_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """From a child come the same feeds as from this process, and the same faults."""
    path = listing(tmp_path / "feeds.yaml", "a", "b")
    near = FeedLists([path]).read()
    monkeypatch.setattr(feed_lists, "LONG_BYTES", 10)
    assert FeedLists([path]).read() == near
    path.write_text("feeds: [{id: a, url: 'ftp://a.example/'}, {id: b}]\n")
    with pytest.raises(ConfigError) as caught:
        FeedLists([path]).read()
    assert [(fault.key, fault.line) for fault in caught.value.faults] == [("feeds[0].url", 1), ("feeds[1].url", 1)]


def test_a_child_that_fails_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the child can't say anything the old list stays: it is a fault of the list, not the end of the process."""
    path = listing(tmp_path / "feeds.yaml", "a")
    monkeypatch.setattr(feed_lists, "LONG_BYTES", 10)
    monkeypatch.setattr(feed_lists, "_CHILD", "import sys; sys.exit(3)")
    with pytest.raises(ConfigError, match="a list that can be read"):
        FeedLists([path]).read()
