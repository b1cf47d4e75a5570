"""The built-in drill: its story, its feeds, and what the connectors make of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import BrinkwatchError, ConfigError
from config.feeds import load_feeds
from connectors import identity
from connectors.fetch import Fetched, Fetcher
from connectors.formats import Source, parse
from connectors.metrics import Handling
from connectors.outcome import Outcome
from connectors.service import run
from deploy.local.drill.server import Drill, DrillServer, feeds, write_feeds
from deploy.local.drill.story import load_story
from pipeline.records.minhash import jaccard

if TYPE_CHECKING:
    from pathlib import Path

    from brokers import Broker

    from config.feeds import Feed
    from pipeline.records import Article

START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The time."""
        return self.now


async def read(server: DrillServer, now: datetime) -> list[Article]:
    """Every article that the feeds show."""
    articles = []
    async with Fetcher("test") as fetcher:
        for feed in feeds(server.port, server.story):
            fetched = await fetcher.fetch(feed.url, way=feed.way)
            articles += articles_of(feed, fetched, now)
    return articles


def articles_of(feed: Feed, fetched: Fetched, now: datetime) -> list[Article]:
    """The articles of one feed."""
    assert fetched.outcome is Outcome.OK
    parsed = parse(fetched.body, Source(fetched.final_url, fetched.content_type))
    assert parsed.outcome is Outcome.OK
    assert not parsed.warnings
    return [identity.article(entry, feed, now, "wall") for entry in parsed.entries]


async def test_feeds_bring_exactly_the_story():
    """Through RSS, Atom and JSON Feed each article arrives whole: title, text, time, outlet, and the drill's mark."""
    clock = Clock()
    story = load_story()
    async with DrillServer(clock=clock) as server:
        clock.now = START + timedelta(seconds=story.seconds)
        articles = await read(server, clock.now)
    outlets = {outlet.id: outlet.domain for outlet in story.outlets}
    told = {(a.title, a.text, a.source, a.published_at) for a in articles}
    meant = {(a.title, a.text.strip(), outlets[a.outlet], START + timedelta(seconds=a.after)) for a in story.articles}
    assert told == meant
    assert len({a.article_id for a in articles}) == len(story.articles)
    assert all(a.drill for a in articles)
    assert {a.language for a in articles} == {"en"}


async def test_articles_appear_as_their_time_comes():
    """At the start only the first article shows; later all that are due; an unchanged feed answers 304."""
    clock = Clock()
    async with DrillServer(clock=clock) as server:
        at_start = await read(server, clock.now)
        clock.now = START + timedelta(seconds=30)
        later = await read(server, clock.now)
        async with Fetcher("test") as fetcher:
            feed = feeds(server.port)[0]
            first = await fetcher.fetch(feed.url, way=feed.way)
            again = await fetcher.fetch(feed.url, first.validators, way=feed.way)
    assert [a.title for a in at_start] == [a.title for a in server.story.articles if a.after == 0]
    assert {a.title for a in later} == {a.title for a in server.story.articles if a.after <= 30}
    assert again.outcome is Outcome.NOT_MODIFIED


async def test_each_performance_is_news():
    """A second drill in the same installation is not taken for the first one seen again."""
    story = load_story()
    clock = Clock()
    clock.now = START + timedelta(hours=1)
    ids = []
    for start in (START, START + timedelta(minutes=10)):
        async with DrillServer(start=start, clock=clock) as server:
            ids += [a.article_id for a in await read(server, clock.now)]
    assert len(set(ids)) == 2 * len(story.articles)


async def test_syndicated_copies_are_near_duplicates():
    """The shelling is told three times in nearly the same words; other articles are told once."""
    clock = Clock()
    story = load_story()
    async with DrillServer(clock=clock) as server:
        clock.now = START + timedelta(seconds=story.seconds)
        articles = await read(server, clock.now)
    pairs = {
        tuple(sorted((one.source, other.source)))
        for one in articles
        for other in articles
        if one.article_id < other.article_id and jaccard(one.minhash, other.minhash) > 0.5
    }
    assert pairs == {
        ("sarrincourier.example", "straitswire.example"),
        ("northerndispatch.example", "straitswire.example"),
        ("northerndispatch.example", "sarrincourier.example"),
    }


@pytest.mark.slow
async def test_connectors_bring_the_drill_to_kafka(broker: Broker):
    """Polled for real, a performance that goes on meanwhile arrives whole and once, each article as a drill's."""
    settings = broker.settings("drill")
    stop = asyncio.Event()
    sent: list[int] = []
    begun = datetime.now(UTC) - timedelta(seconds=load_story().seconds - 4)
    async with DrillServer(start=begun) as server:
        task = asyncio.create_task(
            run(
                settings,
                feeds(server.port),
                stop_event=stop,
                on_poll=lambda poll: sent.append(poll.handled.get(Handling.NEW, 0)),
            )
        )
        async with asyncio.timeout(60):
            while sum(sent) < len(server.story.articles):  # noqa: ASYNC110  # the loop under test has no event for it
                await asyncio.sleep(0.1)
        stop.set()
        await task
    assert sum(sent) == len(server.story.articles)


def test_list_of_feeds_can_be_read_back(tmp_path: Path):
    """What the drill writes for `brinkwatch connect --feeds` is what it serves."""
    write_feeds(4321, tmp_path / "new" / "drill.yaml")
    assert list(load_feeds(tmp_path / "new" / "drill.yaml")) == feeds(4321)


def test_story_with_an_unknown_outlet_is_refused(tmp_path: Path):
    """A slip in the story is told with its line."""
    path = tmp_path / "articles.yaml"
    path.write_text(
        "outlets: [{id: a, title: A, domain: a.example, format: rss}]\n"
        "articles:\n  - {outlet: b, after: 1, title: T, text: X}\n"
    )
    with pytest.raises(ConfigError, match=r"articles.yaml:3: articles\[0\].outlet: one of the outlets"):
        load_story(path)


async def test_drill_in_a_thread():
    """A process without an event loop can serve it; a port that is taken is a clear error."""
    drill = Drill()
    await asyncio.to_thread(drill.begin)
    try:
        async with Fetcher("test") as fetcher:
            feed = feeds(drill.port)[0]
            fetched = await fetcher.fetch(feed.url, way=feed.way)
        assert fetched.outcome is Outcome.OK
        with pytest.raises(BrinkwatchError, match=f"starting the drill failed: 127.0.0.1:{drill.port}"):
            await asyncio.to_thread(Drill(drill.port).begin)
    finally:
        await asyncio.to_thread(drill.end)


def test_drill_as_a_process(tmp_path: Path):
    """It prints the port it got, writes its list, and SIGTERM ends it cleanly."""
    listing = tmp_path / "drill.yaml"
    command = [sys.executable, "-m", "deploy.local.drill.server", "--feeds", str(listing)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        assert list(load_feeds(listing)) == feeds(port)
        child.terminate()
        assert child.wait(10) == 0
