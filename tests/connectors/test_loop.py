"""The loop over real feeds, with a delivery that takes everything."""

from __future__ import annotations

import asyncio
import errno
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from feedserver import rss
from loopback import NETWORKS
from rawserver import FEED, answering, raw

from config.feeds import Feed
from config.settings import load_settings
from connectors import loop
from connectors import poll as poll_module
from connectors.fetch import Fetcher, Limits, user_agent
from connectors.hand import Hand
from connectors.loop import Connector
from connectors.moves import LEAST_S, TIMES
from connectors.outcome import Outcome
from connectors.parsers import Parsers
from connectors.poll import RESTS, Parts, Poll, Poller
from connectors.rests import Rests
from connectors.store import FeedState, StoreError
from connectors.stores import Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

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
            poll = await poller.poll(Feed(id="feed", url=server.url("/feed")))
    assert poll.outcome is Outcome.RATE_LIMITED
    assert 100 < poll.rest_s < 3600


async def test_a_feed_of_a_host_that_rests_waits_until_that_is_over(server: FeedServer, tmp_path: Path):
    """It is put off once, not again and again; then it is polled."""
    rests = Rests()
    rests.ask("127.0.0.1", 2.5, 0.0)
    with Stores(tmp_path) as store:
        store.part("feed").note(RESTS, rests.saved(time.time(), 0.0))
    async with following(tmp_path, [Feed(id="feed", url=server.url("/feed"), interval_s=0.1)]) as polls:
        await until(lambda: polls.total() == 1)
        await asyncio.sleep(0.3)
        assert polls == {("feed", Outcome.RATE_LIMITED): 1}
        assert not server.requests
        await until(lambda: polls["feed", Outcome.OK])
    assert polls["feed", Outcome.RATE_LIMITED] == 1


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


async def test_feeds_that_moved_to_one_host_are_asked_there_two_at_a_time(
    server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """However many sites' feeds a platform has taken over, it is asked as one host is."""
    monkeypatch.setattr(loop, "GRACE_S", 0.0)
    feeds = [Feed(id=f"site-{number}", url=f"http://127.0.1.{number}:1/feed", interval_s=0.1) for number in range(6)]
    since = time.time() - LEAST_S - 1
    with Stores(tmp_path) as store:
        for feed in feeds:
            move = {"moved_to": f"{server.url('/silent')}?{feed.id}", "moved_times": TIMES, "moved_since": since}
            store.record(FeedState(feed.id, feed.url, Outcome.OK, polled_at=since, next_due=since, **move))  # type: ignore[arg-type]  # names of fields
    async with following(tmp_path, feeds):
        await until(lambda: len(server.requests) >= 2)
        await asyncio.sleep(0.3)
        assert [path for path, _ in server.requests] == ["/silent"] * 2


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
            await until(lambda: delivery.waiting and hand.held == 2 * len(server.body))
            polls += [asyncio.create_task(poller.poll(feed)) for feed in feeds[2:]]
            await asyncio.sleep(0.3)
            assert (delivery.waiting, len(server.requests)) == (1, 2)  # they show the same, which only one sends
            delivery.back.set()
            outcomes = {poll.outcome for poll in await asyncio.gather(*polls)}
    assert (outcomes, hand.held) == ({Outcome.OK}, 0)


@pytest.mark.parametrize("kind", [b"text/xml; charset=\xff", b"text/xml\x1b[2J"])
async def test_a_header_that_is_no_text_is_read_past(tmp_path: Path, kind: bytes):
    """Bytes that are no UTF-8 in a Content-Type neither end the loop nor cost the feed its articles."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(FEED))
    async with (
        raw({"/feed": answering(head + FEED)}) as wire,
        following(tmp_path, [Feed(id="odd", url=wire.url("/feed"))]) as polls,
    ):
        await until(lambda: polls.total() == 1)
    ((_, outcome),) = polls
    assert outcome in {Outcome.OK, Outcome.BAD_RESPONSE}  # a control character is no HTTP to begin with


class Full(Away):
    """A delivery that waits, of a process whose disk is full by then."""

    async def send(self, articles: Sequence[Any], fetched: object = None) -> None:
        """Wait, then fail as the store does."""
        await super().send(articles, fetched)
        raise StoreError("writing the connectors' state failed: disk full")


async def test_state_that_can_not_be_written_at_the_end_is_told(server: FeedServer, tmp_path: Path):
    """A poll that ends during the grace and can't be written down ends the process with its reason, not with 0."""
    delivery, stop = Full(), asyncio.Event()
    with Stores(tmp_path) as store:
        async with Parsers() as parsers, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
            parts = Parts(fetcher, parsers, delivery, store)  # type: ignore[arg-type]  # what the loop uses of one
            poller = Poller(load_settings(data_dir=tmp_path), parts)
            feed = Feed(id="feed", url=server.url("/feed"), interval_s=0.1)
            task = asyncio.create_task(Connector([feed], parts, poller, lambda _: None).follow(stop))
            await until(lambda: delivery.waiting)
            stop.set()
            await asyncio.sleep(0.1)
            delivery.back.set()
            with pytest.raises(StoreError, match="disk full"):
                await task


class Odd(Taken):
    """A delivery that raises what nobody foresaw."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def send(self, *_: object) -> None:
        """Raise it."""
        raise self._error


async def polled(folder: Path, server: FeedServer, error: Exception) -> tuple[Poll, Poller]:
    """A poll of the feed ``odd`` that meets ``error``, and who polled."""
    with Stores(folder) as store:
        async with Parsers() as parsers, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
            parts = Parts(fetcher, parsers, Odd(error), store)  # type: ignore[arg-type]  # what a poll uses of one
            poller = Poller(load_settings(data_dir=folder), parts)
            return await poller.poll(Feed(id="odd", url=server.url("/feed"))), poller


async def test_what_nobody_foresaw_is_one_feed_s_failure(
    server: FeedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """It is labelled, backs off, is told with its trace, and does not come out of the poll."""
    poll, poller = await polled(tmp_path, server, ValueError("\udcff\x1b"))
    state = poller.state(poll.feed)
    assert state
    assert (poll.outcome, state.failures) == (Outcome.PARSE_FAILED, 1)
    assert poll.detail.startswith("ValueError: ")
    assert poll.detail.isprintable()
    assert state.next_due
    assert state.next_due - state.polled_at > 3000
    assert any(record.exc_info for record in caplog.records)


async def test_what_is_known_of_a_feed_and_can_not_be_gone_on_from_is_dropped(
    server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A state that makes each decision fail costs that feed its memory, not the process its life."""
    decide = poll_module.after

    def after(feed: Feed, before: FeedState | None, *others: Any) -> Any:
        assert before is None or before.memory != "bad"
        return decide(feed, before, *others)

    monkeypatch.setattr(poll_module, "after", after)
    feed = Feed(id="odd", url=server.url("/feed"))
    with Stores(tmp_path) as store:
        store.record(FeedState(feed.id, feed.url, Outcome.OK, memory="bad", failures=2))
    poll, poller = await polled(tmp_path, server, ValueError("odd"))
    state = poller.state(poll.feed)
    assert state
    assert (poll.outcome, state.failures, state.memory != "bad") == (Outcome.PARSE_FAILED, 3, True)


@pytest.mark.parametrize("error", [StoreError("full"), OSError(errno.ENOSPC, "No space left on device")])
async def test_what_is_not_of_one_feed_ends_the_process(server: FeedServer, tmp_path: Path, error: Exception):
    """State that can't be written is no label of a feed: all others would meet it too."""
    with pytest.raises(type(error)):
        await polled(tmp_path, server, error)


async def test_pruning_leaves_polls_their_turn(server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A look at millions of articles goes on beside the polls, and ends with them."""

    def endless(*_: object) -> Iterator[int]:
        while True:
            yield 0

    monkeypatch.setattr(Stores, "pruning", endless)
    async with following(tmp_path, [Feed(id="feed", url=server.url("/feed"), interval_s=0.1)]) as polls:
        await until(lambda: polls.total() >= 3)
