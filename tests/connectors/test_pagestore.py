"""The cache of pages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from connectors.outcome import Outcome
from connectors.page import Page
from connectors.pagestore import KEEP_S, Kept, PageStore

if TYPE_CHECKING:
    from pathlib import Path


def kept(number: int, text: str = "text") -> Kept:
    """A page read at that second."""
    return Kept("wording", float(number), Page(outcome=Outcome.OK, text=text))


def test_a_page_comes_back_as_it_was(tmp_path: Path):
    """Over a restart."""
    store = PageStore(tmp_path)
    store.put("a", kept(1))
    store.close()
    assert PageStore(tmp_path).get("a") == Kept("wording", 1.0, Page(outcome=Outcome.OK, text="text"))
    assert PageStore(tmp_path).get("b") is None


def test_it_stays_small(tmp_path: Path):
    """What is old goes, and of the rest the oldest beyond the bound."""
    store = PageStore(tmp_path)
    for number in range(1, 11):
        store.put(str(number), kept(number, os.urandom(500).hex()))
    store.prune(KEEP_S + 3.5, most=4_000)
    assert [number for number in range(1, 11) if store.get(str(number))] == [8, 9, 10]
    store.prune(KEEP_S + 8.5)
    assert [number for number in range(1, 11) if store.get(str(number))] == [9, 10]


def test_a_file_of_another_version_is_made_anew(tmp_path: Path):
    """A later version's cache is no use to this one, and no reason to fail."""
    store = PageStore(tmp_path)
    store.put("a", kept(1))
    assert store._db
    store._db.execute("PRAGMA user_version=9")
    store.close()
    later = PageStore(tmp_path)
    assert later.get("a") is None
    later.put("a", kept(2))
    assert later.get("a") == kept(2)
