"""What another version of the list changes."""

from __future__ import annotations

from dataclasses import replace

from config.feeds import Feed
from connectors.feed_list import Change, change, enabled

A = Feed(id="a", url="https://a.example/", interval_s=600.0)
B = Feed(id="b", url="https://b.example/", interval_s=600.0)


def changed(*after: Feed) -> Change:
    """From A and B to these."""
    return change(enabled([A, B]), enabled(after))


def test_what_is_the_same_stays():
    """An untouched feed keeps its due time whatever happens to the others."""
    new = Feed(id="c", url="https://c.example/")
    assert changed(A, B) == Change()
    assert changed(A, new) == Change(added=(new,), removed=("b",))


def test_another_address_begins_anew():
    """Validators and due time are of the old address."""
    moved = replace(A, url="https://other.example/")
    assert changed(moved, B) == Change(added=(moved,))


def test_a_shorter_interval_hurries_a_longer_one_does_not():
    """A shorter interval counts at once; a longer one from the next poll on, which is still to come when it was due."""
    shorter, longer, renamed = replace(A, interval_s=60.0), replace(A, interval_s=900.0), replace(B, title="B")
    assert changed(shorter, B) == Change(hurried=(shorter,))
    assert changed(longer, renamed) == Change(altered=(longer, renamed))


def test_disabled_is_removed_and_enabled_added():
    """`enabled: false` ends polls as taking the feed off the list does."""
    off = replace(A, enabled=False)
    assert changed(off, B) == Change(removed=("a",))
    assert change(enabled([off, B]), enabled([A, B])) == Change(added=(A,))
