"""When and where a feed is polled next, over real sockets, with a delivery that takes everything."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loopback import NETWORKS
from prometheus_client import REGISTRY

from config.feeds import Feed
from config.networks import Networks, networks
from config.settings import load_settings
from connectors import files, metrics
from connectors.fetch import Fetcher, user_agent
from connectors.moves import LEAST_S, TIMES
from connectors.outcome import Outcome
from connectors.parsers import Parsers
from connectors.poll import Parts, Poller
from connectors.store import FeedState
from connectors.stores import Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    import pytest
    from feedserver import FeedServer


class Taken:
    """A delivery to nowhere."""

    async def send(self, articles: Sequence[Any], fetched: object = None) -> None:
        """Take them."""


@asynccontextmanager
async def polling(folder: Path, *states: FeedState, allowed: Networks = NETWORKS) -> AsyncIterator[Poller]:
    """A poller that knows these states."""
    with Stores(folder) as store:
        for state in states:
            store.record(state)
        async with Parsers() as sandbox, Fetcher(user_agent(), allowed=allowed) as fetcher:
            parts = Parts(fetcher, sandbox, Taken(), store)  # type: ignore[arg-type]  # what a poll uses of one
            yield Poller(load_settings(data_dir=folder), parts)


def moved(feed: Feed, to: str) -> FeedState:
    """The state of a feed that permanent redirects have led elsewhere for long enough."""
    since = time.time() - LEAST_S - 1
    return FeedState(feed.id, feed.url, Outcome.OK, moved_to=to, moved_times=TIMES, moved_since=since, polled_at=since)


async def test_a_feed_that_has_moved_is_asked_there_and_one_that_is_gone_there_comes_back(
    server: FeedServer, tmp_path: Path
):
    """The old address is not asked while the new one answers; after a 404 there, it is, and is not stopped."""
    here = Feed("here", server.url("/moved/feed"))
    there = Feed("there", server.url("/feed"))
    states = moved(here, server.url("/feed")), moved(there, server.url("/410"))
    async with polling(tmp_path, *states) as poller:
        assert (await poller.poll(here)).outcome is Outcome.OK
        assert (await poller.poll(there)).outcome is Outcome.GONE
        assert (await poller.poll(there)).outcome is Outcome.OK
        kept, back = poller.state(here), poller.state(there)
    assert [path for path, _ in server.requests] == ["/feed", "/410", "/feed"]
    assert kept
    assert (kept.moved_to, kept.moved_times) == (server.url("/feed"), TIMES)
    assert back
    assert (back.moved_to, back.failures) == ("", 0)


async def test_a_new_address_on_another_host_must_be_public(server: FeedServer, tmp_path: Path):
    """A publisher who has moved a feed can't have a service of our network asked years later."""
    feed = Feed("feed", server.url("/feed"))
    inside = server.url("/feed").replace("127.0.0.1", "127.0.0.2")
    async with polling(tmp_path, moved(feed, inside), allowed=networks("127.0.0.1")) as poller:
        assert (await poller.poll(feed)).outcome is Outcome.BLOCKED
    assert not server.requests


async def test_a_host_that_asked_to_be_left_alone_is_so_after_a_restart(server: FeedServer, tmp_path: Path):
    """Its other feeds are not asked by the next process either."""
    async with polling(tmp_path) as poller:
        assert (await poller.poll(Feed("limited", server.url("/429")))).outcome is Outcome.RATE_LIMITED
    feed = Feed("feed", server.url("/feed"))
    async with polling(tmp_path) as poller:
        poll = await poller.poll(feed)
        assert poller.state(feed) is None
    assert [path for path, _ in server.requests] == ["/429"]
    assert (poll.outcome, poll.rest_s > 110) == (Outcome.RATE_LIMITED, True)


async def test_a_feed_that_is_not_asked_has_not_failed(server: FeedServer, tmp_path: Path):
    """While its host rests a feed stands as it stood, is counted as no fetch, and is due when the rest is over."""
    feed = Feed("feed", server.url("/feed"))
    before = FeedState(feed.id, feed.url, Outcome.OK, etag='"1"', polled_at=time.time() - 900, next_due=time.time())
    async with polling(tmp_path, before) as poller:
        await poller.poll(Feed("limited", server.url("/429")))
        counted = fetches()
        for _ in range(3):
            poll = await poller.poll(feed)
        assert fetches() == counted
        state = poller.state(feed)
    assert state
    assert "asked to be left alone" in poll.detail
    assert replace(state, next_due=before.next_due) == before
    assert state.next_due
    assert 110 < state.next_due - time.time() < 140


def fetches() -> list[float | None]:
    """How many polls were begun and ended."""
    metrics.init()
    begun = REGISTRY.get_sample_value("brinkwatch_connect_fetch_attempts_total", {"kind": "feed"})
    labels = {"kind": "feed", "outcome": "rate_limited"}
    return [begun, REGISTRY.get_sample_value("brinkwatch_connect_fetches_total", labels)]


async def test_a_host_that_asks_for_rest_while_there_is_no_room_is_left_alone(server: FeedServer, tmp_path: Path):
    """A poll may wait for hours while Kafka is away: what was asked meanwhile counts, and the poll as none."""
    feed = Feed("feed", server.url("/feed"))
    async with polling(tmp_path) as poller:
        counted = fetches()
        with poller._parts.hand.holding(10**9):
            polling_it = asyncio.create_task(poller.poll(feed))
            await asyncio.sleep(0)
            poller._rests.ask("127.0.0.1", 3600, time.monotonic())
        poll = await polling_it
        assert fetches() == counted
    assert "asked to be left alone" in poll.detail
    assert not server.requests


async def test_a_page_that_is_gone_stops_no_feed_that_a_redirect_leads_there_for_now(
    server: FeedServer, tmp_path: Path
):
    """The list's address never said 410: it is polled on. Where it has moved there for good, it is not."""
    now, good = Feed("now", server.url("/now-but-gone")), Feed("good", server.url("/good-but-gone"))
    async with polling(tmp_path) as poller:
        assert (await poller.poll(now)).outcome is Outcome.NOT_FOUND
        assert (await poller.poll(good)).outcome is Outcome.GONE
        led, stopped = poller.state(now), poller.state(good)
    assert led
    assert led.next_due
    assert stopped
    assert stopped.next_due is None


async def test_a_redirector_does_not_rest_for_whom_it_leads_to(server: FeedServer, tmp_path: Path):
    """It is the host that answered which is left alone, by each feed that is known to be led there."""
    elsewhere = server.url("").replace("127.0.0.1", "localhost")
    led = Feed("led", f"{elsewhere}/away?to={server.url('/429')}")
    moving = Feed("moving", f"{elsewhere}/moved/feed")
    other = Feed("other", f"{elsewhere}/feed")
    states = FeedState(moving.id, moving.url, Outcome.OK, moved_to=server.url("/feed"), moved_times=1, polled_at=1.0)
    async with polling(tmp_path, states) as poller:
        assert (await poller.poll(led)).outcome is Outcome.RATE_LIMITED
        assert (await poller.poll(other)).outcome is Outcome.OK
        asked = len(server.requests)
        for feed in (led, moving, Feed("there", server.url("/feed"))):
            assert (await poller.poll(feed)).outcome is Outcome.RATE_LIMITED
    assert len(server.requests) == asked


async def test_the_log_says_why_the_next_poll_is_when_it_is(
    server: FeedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """Each kind of reason reaches the line of its poll."""
    caplog.set_level(logging.INFO)
    feeds = [
        Feed("adapts", server.url("/feed"), adapts=True),
        Feed("fixed", server.url("/atom")),
        Feed("lost", server.url("/404")),
        Feed("gone", server.url("/410")),
        Feed("limited", server.url("/429")),
    ]
    async with polling(tmp_path) as poller:
        for feed in feeds:
            await poller.poll(replace(feed, interval_s=10.0))
    told = {fields["feed"]: (fields["next_why"], fields["next_s"]) for fields in _fields(caplog)}
    assert {feed: why for feed, (why, _) in told.items()} == {
        "adapts": "rhythm", "fixed": "interval", "lost": "backoff", "gone": "gone", "limited": "retry_after",
    }  # fmt: skip
    assert told["gone"][1] is None
    assert told["limited"][1] >= 120


async def test_the_log_tells_pushes_and_portions_from_intervals(
    server: FeedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """Where a hub pushes the next poll is put off, and where a file has more it is at once: both are said."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(files, "has_more", lambda fetched: fetched.final_url.endswith("/atom"))
    feeds = [Feed(name, server.url(path), interval_s=10.0) for name, path in (
        ("pushed", "/feed"), ("more", "/atom"), ("lost", "/404"),
    )]  # fmt: skip
    async with polling(tmp_path) as poller:
        poller.net_s = lambda _: 3600.0
        for feed in feeds:
            await poller.poll(feed)
    told = {fields["feed"]: (fields["next_why"], fields["next_s"]) for fields in _fields(caplog)}
    assert (told["pushed"], told["more"]) == (("pushed", 3600.0), ("more", 0.0))
    assert told["lost"][0] == "backoff"


def _fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.fields for record in caplog.records if hasattr(record, "fields") and "next_why" in record.fields]
