"""The list that is read again while polls go on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from loopback import NETWORKS
from prometheus_client import REGISTRY

from config.feed_lists import FeedLists
from config.settings import load_settings
from connectors import following, metrics, schedule
from connectors.fetch import Fetcher, user_agent
from connectors.loop import Connector
from connectors.parsers import Parsers
from connectors.poll import Parts, Poller
from connectors.stores import Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from feedserver import FeedServer


class Taken:
    """A delivery to nowhere."""

    up = True

    async def ready(self) -> None:
        """It always is."""

    async def send(self, articles: Sequence[Any], fetched: object = None) -> None:
        """Take them."""


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks come often, and first polls at once."""
    metrics.init()
    monkeypatch.setattr(following, "LIST_S", 0.05)
    monkeypatch.setattr(schedule, "first_wait_s", lambda *_: 0.0)


@asynccontextmanager
async def polling(folder: Path, *rows: str) -> AsyncIterator[tuple[Path, Counter[str], Connector]]:
    """A connector that follows a list of these rows: the list, how often each address was asked for, the connector."""
    path = listing(folder / "feeds.yaml", *rows)
    lists = FeedLists([path])
    polls: Counter[str] = Counter()
    stop = asyncio.Event()
    with Stores(folder / "state") as stores:
        async with Parsers() as parsers, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
            parts = Parts(fetcher, parsers, Taken(), stores)  # type: ignore[arg-type]  # what the loop uses of one
            poller = Poller(load_settings(data_dir=folder), parts)
            connector = Connector(lists.read(), parts, poller, lambda poll: polls.update([poll.feed.url]))
            connector.beside(following.follow_lists(connector, lists))
            task = asyncio.create_task(connector.follow(stop))
            try:
                yield path, polls, connector
            finally:
                stop.set()
                await asyncio.wait_for(task, 20)


def listing(path: Path, *rows: str) -> Path:
    """Put a list of these rows in the place of the one that is there."""
    fresh = path.with_suffix(".new")
    fresh.write_text("\n".join(("feeds:", *(f"  - {{{row}, drill: true}}" for row in rows))) + "\n")
    return fresh.replace(path)


def row(name: str, url: str, interval: str = "1s", rest: str = "") -> str:
    """A row of a list."""
    return f"id: {name}, url: '{url}', interval: {interval}{rest}"


async def until(condition: Any, timeout_s: float = 30.0) -> None:
    """Wait for ``condition()``."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # many polls make it true, none of them alone
            await asyncio.sleep(0.02)


async def test_feeds_come_and_go_while_others_go_on(server: FeedServer, tmp_path: Path):
    """Added, moved and removed feeds take effect without a restart; the one that stays is polled on."""
    stays, goes, moves = server.url("/feed"), server.url("/atom"), server.url("/json")
    async with polling(tmp_path, row("stays", stays), row("goes", goes), row("moves", moves)) as (
        path,
        polls,
        connector,
    ):
        await until(lambda: {stays, goes, moves} <= set(polls))
        told: list[set[str]] = []
        connector.on_feeds = lambda: told.append(set(connector.feeds))
        comes, elsewhere = server.url("/gzip"), server.url("/latin")
        listing(path, row("stays", stays), row("comes", comes), row("moves", elsewhere))
        await until(lambda: {comes, elsewhere} <= set(polls))
        before = Counter(polls)
        await until(lambda: polls[stays] >= before[stays] + 2 and polls[elsewhere] >= before[elsewhere] + 2)
        assert (polls[goes], polls[moves]) == (before[goes], before[moves])
        assert told == [{"stays", "comes", "moves"}]
        listing(path, row("stays", stays, rest=", enabled: false"))
        await until(lambda: REGISTRY.get_sample_value("brinkwatch_connect_feeds", {"state": "disabled"}) == 1)
        assert REGISTRY.get_sample_value("brinkwatch_connect_feeds", {"state": "ok"}) == 0


async def test_a_shorter_interval_counts_at_once_and_nothing_else_moves(server: FeedServer, tmp_path: Path):
    """A feed that is to be polled each second instead of each day is; its neighbour keeps the time it was due."""
    hurried, kept = server.url("/feed"), server.url("/atom")
    async with polling(tmp_path, row("hurried", hurried, "1d"), row("kept", kept, "1h")) as (path, polls, connector):
        await until(lambda: len(polls) == 2 and len(connector._rota) == 2)
        turn = connector._rota.turn("kept")
        assert turn
        listing(path, row("hurried", hurried), row("kept", kept, "1h", ", title: Kept"))
        await until(lambda: polls[hurried] >= 3)
        now = connector._rota.turn("kept")
        assert now
        assert now.due == turn.due
        assert now.feed.title == "Kept"
        assert polls[kept] == 1


async def test_a_shorter_interval_does_not_overrule_the_publisher(server: FeedServer, tmp_path: Path):
    """What the server calls fresh for an hour is not asked each second because the list says so."""
    server.headers = {"Cache-Control": "max-age=3600"}
    fresh, free = server.url("/feed"), server.url("/atom")
    async with polling(tmp_path, row("fresh", fresh, "1d"), row("free", free, "1d")) as (path, polls, connector):
        await until(lambda: len(polls) == 2 and len(connector._rota) == 2)
        listing(path, row("fresh", fresh), row("free", free))
        await until(lambda: polls[free] >= 3)
        turn = connector._rota.turn("fresh")
        assert polls[fresh] == 1
    assert turn
    assert 3500 < turn.due - time.monotonic() < 4000


async def test_a_list_that_is_wrong_changes_nothing(
    server: FeedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """Its faults are told once, a metric says that it is not in use, the feeds go on; mended, it counts."""

    def good() -> float | None:
        return REGISTRY.get_sample_value("brinkwatch_connect_list_last_reload_successful")

    address = server.url("/feed")
    async with polling(tmp_path, row("feed", address)) as (path, polls, connector):
        await until(lambda: polls[address])
        with caplog.at_level(logging.ERROR):
            path.write_text("feeds: [{id: feed, url: 'ftp://x.example/'}, {id: feed, url: 'https://y.example/'}]\n")
            await until(lambda: good() == 0)
            await asyncio.sleep(0.3)
        told = [record.getMessage() for record in caplog.records if "list of feeds is not used" in record.getMessage()]
        assert len(told) == len(set(told)) == 2
        before = polls[address]
        await until(lambda: polls[address] >= before + 2)
        assert set(connector.feeds) == {"feed"}
        listing(path, row("feed", address), row("more", server.url("/atom")))
        await until(lambda: polls[server.url("/atom")])
        assert good() == 1


async def test_a_feed_that_moves_during_its_poll_is_polled_once_at_a_time(server: FeedServer, tmp_path: Path):
    """Its address changed while the old one is being asked, the feed is not polled twice at once."""
    slow, quick = server.url("/silent"), server.url("/feed")
    async with polling(tmp_path, row("feed", slow)) as (path, polls, connector):
        await until(lambda: connector.polling() == {"feed"})
        listing(path, row("feed", quick))
        await until(lambda: connector.feeds["feed"].url == quick)
        await asyncio.sleep(0.3)
        assert not polls
        assert [path for path, _ in server.requests] == ["/silent"]
        await server.stop()
        await server.start()
        await until(lambda: polls[slow])
