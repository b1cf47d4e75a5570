"""Feeds checked once."""

from __future__ import annotations

from typing import Any

from config.feeds import Feed
from connectors.check import Checker
from connectors.fetch import Fetched
from connectors.outcome import Outcome

FEEDS = [Feed("odd", "https://odd.example/rss"), Feed("gone", "https://gone.example/rss")]


class Surprising:
    """A fetcher that meets what nobody foresaw at one feed."""

    async def fetch(self, url: str, **_: object) -> Fetched:
        """Raise, or say 410."""
        if "odd" in url:
            raise UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")
        return Fetched(Outcome.GONE, error="HTTP 410")


async def test_what_nobody_foresaw_is_one_feed_s_row():
    """A check of many feeds shows the others too."""
    fetcher: Any = Surprising()
    sandbox: Any = None
    told: list[int] = []
    found = await Checker(fetcher, sandbox).check_all(FEEDS, told.append)
    assert [each.outcome for each in found] == [Outcome.PARSE_FAILED, Outcome.GONE]
    assert found[0].detail.startswith("UnicodeEncodeError: ")
    assert told == [1, 1]
