"""Shown: what a body of a feed showed, for whoever wants to know: polled by us, or pushed to us."""

from __future__ import annotations

from dataclasses import dataclass

from config.feeds import Feed
from connectors.entry import Parsed
from connectors.fetch import Fetched


@dataclass(frozen=True, slots=True)
class Shown:
    """A body that was read.

    Attributes:
        feed: Whose.
        fetched: How it came.
        parsed: What stands in it.
        ids: The ids of the articles in it, where it was pushed; of a poll, none. As the feed has them, which is not
            always as they are sent: a page may give its article another address.
        fresh: The ids of articles that nobody had shown before, as the feed has them.
        before: When the feed was polled the time before (Unix seconds); 0 for never.
        pushed: Whether a hub brought it.
    """

    feed: Feed
    fetched: Fetched
    parsed: Parsed
    ids: frozenset[str]
    fresh: frozenset[str]
    before: float
    pushed: bool
