"""The loop over real feeds, with a delivery that takes everything."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from feedserver import rss
from loopback import NETWORKS

from config.feeds import Feed
from config.settings import load_settings
from connectors.fetch import Fetcher, Limits, user_agent
from connectors.hand import Hand
from connectors.loop import Connector
from connectors.outcome import Outcome
from connectors.parsers import Parsers
from connectors.poll import Parts, Poller
from connectors.stores import Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    import pytest
    from feedserver import FeedServer


class Taken:
    """A delivery to nowhere."""

    up = True

    async def ready(self) -> None:
        """It always is."""

    async def send(self, articles: Sequence[Any], fetched: object = None) -> None:
        """Take them."""


@asynccontextmanager
async def following(folder: Path, feeds: Sequence[Feed]) -> AsyncIterator[Counter[tuple[str, Outcome]]]:
    """How often each feed was polled, by outcome, while the loop runs."""
    polls: Counter[tuple[str, Outcome]] = Counter()
    stop = asyncio.Event()
    with Stores(folder) as store:
        async with Parsers() as parsers, Fetcher(user_agent(), Limits(total_s=60.0), allowed=NETWORKS) as fetcher:
            parts = Parts(fetcher, parsers, Taken(), store)  # type: ignore[arg-type]  # what the loop uses of one
            poller = Poller(load_settings(data_dir=folder), parts)
            connector = Connector(feeds, parts, poller, lambda poll: polls.update([(poll.feed.id, poll.outcome)]))
            task = asyncio.create_task(connector.follow(stop))
            try:
                yield polls
            finally:
                stop.set()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def until(condition: Any, timeout_s: float = 30.0) -> None:
    """Wait for ``condition()``."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # many polls make it true, none of them alone
            await asyncio.sleep(0.02)


async def test_a_clock_set_back_silences_no_feed(server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """After the host's clock jumps a day back, feeds are polled on as if nothing had been."""
    feed = Feed(id="feed", url=server.url("/feed"), interval_s=0.2)
    wall, back = time.time, 0.0
    monkeypatch.setattr(time, "time", lambda: wall() - back)
    async with following(tmp_path, [feed]) as polls:
        await until(lambda: polls.total() >= 2)
        back, before = 86_400.0, polls.total()
        await until(lambda: polls.total() >= before + 3)


async def test_a_request_to_wait_ends_though_the_clock_is_set_back(
    server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A host that asked for two minutes is not left alone for a day and two minutes."""
    wall, back = time.time, 0.0
    monkeypatch.setattr(time, "time", lambda: wall() - back)
    with Stores(tmp_path) as store:
        async with Parsers() as parsers, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
            parts = Parts(fetcher, parsers, Taken(), store)  # type: ignore[arg-type]  # what a poll uses of one
            poller = Poller(load_settings(data_dir=tmp_path), parts)
            await poller.poll(Feed(id="limited", url=server.url("/429")))
            back = 86_400.0
            feed = Feed(id="feed", url=server.url("/feed"))
            assert (await poller.poll(feed)).outcome is Outcome.RATE_LIMITED
            state = poller.state(feed)
    assert state
    assert state.next_due
    assert state.next_due - state.polled_at < 3600


async def test_a_slow_host_holds_no_other_host_up(server: FeedServer, tmp_path: Path):
    """Forty feeds of a host that accepts and never answers leave the feeds of other hosts their rhythm."""
    silent = server.url("/silent").replace("127.0.0.1", "localhost")
    feeds = [Feed(id=f"silent-{number}", url=f"{silent}?{number}", interval_s=0.1) for number in range(40)]
    feeds.append(Feed(id="quick", url=server.url("/feed"), interval_s=0.5))
    async with following(tmp_path, feeds) as polls:
        await until(lambda: any(path == "/silent" for path, _ in server.requests))
        before = polls.total()
        await until(lambda: polls.total() >= before + 4)
    assert {feed for feed, _ in polls} == {"quick"}
    assert sum(path == "/silent" for path, _ in server.requests) == 2


class Away(Taken):
    """A delivery that takes nothing until it may."""

    def __init__(self) -> None:
        self.back = asyncio.Event()
        self.waiting = 0

    async def send(self, articles: Sequence[Any], fetched: object = None) -> None:
        """Wait, then take them."""
        self.waiting += 1
        await super().send(articles, fetched)
        await self.back.wait()


async def test_while_nothing_can_be_sent_few_bodies_are_in_hand(server: FeedServer, tmp_path: Path):
    """A broker that goes away while every feed changes costs the memory of a few bodies, not of all; none is lost."""
    server.body = rss(60)
    delivery, hand = Away(), Hand(2 * len(server.body))
    feeds = [Feed(id=f"feed-{number}", url=f"{server.url('/feed')}?{number}") for number in range(12)]
    with Stores(tmp_path) as stores:
        async with Parsers() as parsers, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
            parts = Parts(fetcher, parsers, delivery, stores, hand=hand)  # type: ignore[arg-type]  # what a poll uses of one
            poller = Poller(load_settings(data_dir=tmp_path), parts)
            polls = [asyncio.create_task(poller.poll(feed)) for feed in feeds[:2]]
            await until(lambda: delivery.waiting == 2)
            polls += [asyncio.create_task(poller.poll(feed)) for feed in feeds[2:]]
            await asyncio.sleep(0.3)
            assert (delivery.waiting, len(server.requests)) == (2, 2)
            delivery.back.set()
            outcomes = {poll.outcome for poll in await asyncio.gather(*polls)}
    assert (outcomes, hand.held) == ({Outcome.OK}, 0)


async def test_pruning_leaves_polls_their_turn(server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A look at millions of articles goes on beside the polls, and ends with them."""

    def endless(*_: object) -> Iterator[int]:
        while True:
            yield 0

    monkeypatch.setattr(Stores, "pruning", endless)
    async with following(tmp_path, [Feed(id="feed", url=server.url("/feed"), interval_s=0.1)]) as polls:
        await until(lambda: polls.total() >= 3)
