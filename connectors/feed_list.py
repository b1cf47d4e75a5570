"""Feed list: what is to be polled, and what another version of the list changes. Decisions only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config.feeds import Feed


@dataclass(frozen=True, slots=True)
class Change:
    """From one list to another, of feeds that are enabled.

    Attributes:
        added: Not polled before, or under another address: they begin anew.
        removed: Ids that are polled no more.
        hurried: Polled more often than before.
        altered: Anything else is different.
    """

    added: tuple[Feed, ...] = ()
    removed: tuple[str, ...] = ()
    hurried: tuple[Feed, ...] = ()
    altered: tuple[Feed, ...] = ()


def enabled(feeds: Iterable[Feed]) -> dict[str, Feed]:
    """Those that are to be polled, by id."""
    return {feed.id: feed for feed in feeds if feed.enabled}


def change(before: Mapping[str, Feed], after: Mapping[str, Feed]) -> Change:
    """What is different; both by id."""
    added, hurried, altered = [], [], []
    for name, feed in after.items():
        known = before.get(name)
        if known is None or known.url != feed.url:
            added.append(feed)
        elif feed.interval_s < known.interval_s:
            hurried.append(feed)
        elif feed != known:
            altered.append(feed)
    removed = tuple(name for name in before if name not in after)
    return Change(tuple(added), removed, tuple(hurried), tuple(altered))
