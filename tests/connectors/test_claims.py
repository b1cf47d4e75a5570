"""Who sends an article that two feeds show at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from config.feeds import Feed
from config.settings import load_settings
from config.spans import Span
from connectors.claims import Claims
from connectors.fetch import Fetched, Fetcher, user_agent
from connectors.outcome import Outcome
from connectors.parsers import Parsers
from connectors.poll import Parts, Poller
from connectors.stores import Stores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ITEM = """<rss version="2.0"><channel><title>Straits Wire</title><item><guid>{guid}</guid><link>{link}</link>
<title>Karvenia moves two brigades</title><description>They are to reach the river by night.</description>
<pubDate>Mon, 02 Nov 2026 09:14:31 GMT</pubDate></item></channel></rss>"""


class Broker:
    """A delivery that takes articles once all that may wish to send has had its turn."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.taken: list[str] = []

    async def send(self, articles: Sequence[Any], _: object = None) -> None:
        """Take them."""
        if articles:
            await self.open.wait()
        self.taken += [article.article_id for article in articles]


async def test_who_comes_second_waits_and_claims_nothing_meanwhile():
    """So two that want the same in another order can't wait for each other; afterwards all of it is free."""
    claims = Claims()
    async with claims.claimed() as first:
        assert not await first.waited(["a", "b"])
        assert not await first.waited(["b", "c"])
        async with claims.claimed() as second, claims.claimed() as third:
            waiting = asyncio.create_task(second.waited(["d", "b"]))
            await asyncio.sleep(0)
            assert not await third.waited(["d"])
            assert not waiting.done()
            first.end()
            assert await waiting
            assert not await second.waited(["b"])
    assert claims._held == {}


async def test_nobody_waits_for_ever():
    """Who has waited long enough in all goes on, and what others hold stays theirs."""
    claims = Claims(wait_s=0.05)
    async with claims.claimed() as first:
        assert not await first.waited(["a"])
        async with claims.claimed() as second:
            assert await second.waited(["a", "b"])
            assert not await second.waited(["a", "b"])
        assert set(claims._held) == {"a"}


async def test_a_poll_that_fails_lets_go():
    """Given up, its articles are the next one's."""
    claims = Claims()

    async def poll() -> None:
        async with claims.claimed() as claim:
            await claim.waited(["a"])
            await asyncio.sleep(3600)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(poll(), 0.02)
    assert claims._held == {}


@pytest.mark.parametrize("hosts", [("m.wire.example", "www.wire.example"), ("www.wire.example", "m.wire.example")])
async def test_two_feeds_at_once_with_two_addresses_of_one_article(tmp_path: Path, hosts: tuple[str, str]):
    """The mobile address in one feed, the other host's in the other: who comes second has nothing to send."""
    broker = Broker()
    with Stores(tmp_path) as store:
        async with Parsers() as parsers, Fetcher(user_agent()) as fetcher:
            poller = Poller(load_settings(data_dir=tmp_path), Parts(fetcher, parsers, broker, store))  # type: ignore[arg-type]  # what a poll uses of one
            polls = []
            for number, host in enumerate(hosts):
                body = ITEM.format(guid=number, link=f"https://{host}/2026/karvenia-moves-two-brigades").encode()
                feed = Feed(f"feed-{number}", f"https://{host}/rss")
                fetched = Fetched(Outcome.OK, body=body, final_url=feed.url)
                polls.append(asyncio.create_task(poller.take(feed, fetched, Span(0.0, 1.0), feed.url)))
                await asyncio.sleep(0.3)
            broker.open.set()
            assert sum(poll.handled["new"] for poll in await asyncio.gather(*polls)) == 1  # type: ignore[index]  # a StrEnum's member
    assert len(broker.taken) == 1


async def test_what_was_sent_while_it_was_sifted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Another feed has sent the article, and let go of it, since what is known was looked at: it is no new one."""
    broker, sifting, go_on = Broker(), asyncio.Event(), asyncio.Event()
    broker.open.set()
    link = "https://wire.example/2026/karvenia-moves-two-brigades"
    fetched = Fetched(Outcome.OK, body=ITEM.format(guid="g", link=link).encode(), final_url="https://wire.example/rss")
    with Stores(tmp_path) as store:
        async with Parsers() as parsers, Fetcher(user_agent()) as fetcher:
            poller = Poller(load_settings(data_dir=tmp_path), Parts(fetcher, parsers, broker, store))  # type: ignore[arg-type]  # what a poll uses of one
            sifted = poller._sifted

            async def slowly(feed: Feed, parsed: Any) -> Any:
                found = await sifted(feed, parsed)
                if feed.id == "slow" and not sifting.is_set():
                    sifting.set()
                    await go_on.wait()
                return found

            monkeypatch.setattr(poller, "_sifted", slowly)
            slow = asyncio.create_task(poller.take(Feed("slow", "https://a.example/rss"), fetched, Span(0.0, 1.0), "a"))
            await sifting.wait()
            await poller.take(Feed("quick", "https://b.example/rss"), fetched, Span(0.0, 1.0), "b")
            go_on.set()
            await slow
    assert len(broker.taken) == 1
