"""The whole connector against a real broker and a real feed server."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import feedserver
import pytest
from prometheus_client import REGISTRY
from service import articles_on

from config import health
from config.feeds import Feed
from config.settings import load_settings
from connectors import deliver
from connectors.deliver import DeliveryError
from connectors.fetch import Limits
from connectors.outcome import Outcome
from connectors.poll import Poller
from connectors.service import _parts, run
from connectors.store import Store
from deploy.topics import apply_topics
from pipeline.records.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from brokers import Broker
    from feedserver import FeedServer

    from config.settings import Settings
    from connectors.poll import Poll

pytestmark = pytest.mark.slow


def feed(server: FeedServer, path: str = "/feed", **values: Any) -> Feed:
    """A feed of the server."""
    return Feed(id=path.strip("/").replace("/", "-"), url=server.url(path), **{"interval_s": 1.0, **values})


async def once(settings: Settings, feeds: Sequence[Feed]) -> list[tuple[str, Outcome, int]]:
    """Poll once: id, outcome and number of new articles of each."""
    polls = await run(settings, feeds, once=True)
    return [(poll.feed.id, poll.outcome, poll.handled.get("new", 0)) for poll in polls]  # type: ignore[call-overload]


async def test_articles_reach_the_topic_once(broker: Broker, server: FeedServer):
    """New entries are sent, known ones are not, neither after a 304 nor after a restart that reads the body anew."""
    settings = broker.settings("connect")
    feeds = [feed(server), feed(server, "/atom", drill=True), feed(server, "/404")]
    first = await once(settings, feeds)
    second = await once(settings, feeds)
    server.etag = '"new"'
    third = await once(settings, feeds)
    assert first == [("feed", Outcome.OK, 3), ("atom", Outcome.OK, 1), ("404", Outcome.NOT_FOUND, 0)]
    assert second == [("feed", Outcome.NOT_MODIFIED, 0), ("atom", Outcome.OK, 0), ("404", Outcome.NOT_FOUND, 0)]
    assert third == [("feed", Outcome.OK, 0), ("atom", Outcome.OK, 0), ("404", Outcome.NOT_FOUND, 0)]
    articles = await asyncio.to_thread(articles_on, settings)
    assert len(articles) == 4
    assert {article.url for article in articles if article.feed == "feed"} == {
        f"https://wire.example/story/{n}" for n in (1, 2, 3)
    }
    assert [article.text for article in articles if article.drill] == ["First.\nSecond < third."]


def value(name: str, **labels: str) -> float:
    """A sample of this process's metrics; 0 where there is none yet."""
    return REGISTRY.get_sample_value(f"brinkwatch_connect_{name}", {"kind": "feed", **labels} if labels else {}) or 0.0


async def test_polls_are_counted_from_their_begin_to_their_end(broker: Broker, server: FeedServer):
    """What was begun, how it ended, what it cost, and when a feed and an article came last: none looks like another."""
    ends = [("fetches_total", "ok"), ("fetches_total", "not_found"), ("fetches_total", "timeout")]

    def counts() -> list[float]:
        begun, size = (value(f"{name}_total", kind="feed") for name in ("fetch_attempts", "fetched_bytes"))
        return [begun, size, *(value(name, outcome=outcome) for name, outcome in ends)]

    before = counts()
    began = time.time()
    await once(broker.settings("connect"), [feed(server), feed(server, "/404")])
    begun, size, *ended = (now - then for now, then in zip(counts(), before, strict=True))
    assert (begun, ended) == (2, [1, 1, 0])
    assert size == len(server.body.encode())
    for last in ("poll", "success", "article"):
        assert began <= value(f"last_{last}_timestamp_seconds") <= time.time()


async def test_an_edit_is_an_update_of_the_same_article(broker: Broker, server: FeedServer):
    """A changed title comes again under the same id, with another content hash."""
    settings = broker.settings("connect")
    await once(settings, [feed(server)])
    server.etag, server.body = '"2"', server.body.replace("Story number 2", "Corrected: story number 2")
    polls = await run(settings, [feed(server)], once=True)
    articles = await asyncio.to_thread(articles_on, settings)
    assert {str(name): number for name, number in polls[0].handled.items() if number} == {"updated": 1, "seen": 2}
    assert len(articles) == 4
    assert len({article.article_id for article in articles}) == 3
    assert len({article.content_hash for article in articles}) == 4


async def test_the_loop_follows_a_feed_and_stops(broker: Broker, server: FeedServer):
    """What appears while it runs is sent, and a stop ends it; a bad feed beside it changes nothing."""
    settings = broker.settings("connect")
    stop = asyncio.Event()
    polls: list[Poll] = []
    feeds = [feed(server), feed(server, "/reset"), feed(server, "/page")]
    delays = value("poll_delay_seconds_count")
    task = asyncio.create_task(run(settings, feeds, stop_event=stop, on_poll=polls.append))
    await until(lambda: any(poll.feed.id == "feed" for poll in polls))
    server.etag, server.body = '"2"', feedserver.rss(5)
    await until(lambda: sum(poll.handled.get("new", 0) for poll in polls) == 5)  # type: ignore[call-overload]
    stop.set()
    await asyncio.wait_for(task, 15)
    assert len(await asyncio.to_thread(articles_on, settings)) == 5
    assert {poll.outcome for poll in polls if poll.feed.id == "reset"} == {Outcome.TRUNCATED}
    assert REGISTRY.get_sample_value("brinkwatch_connect_feeds", {"state": "failing"}) is not None
    assert value("poll_delay_seconds_count") - delays >= len(polls)


async def test_without_kafka_nothing_is_marked_as_seen(server: FeedServer, tmp_path: Path, unused_tcp_port: int):
    """Where no broker answers, once is an error that names it, and no entry is taken for sent."""
    settings = load_settings(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}", data_dir=tmp_path)
    with pytest.raises(DeliveryError, match=rf"delivering articles failed: 127.0.0.1:{unused_tcp_port}"):
        await once(settings, [feed(server)])
    with Store(tmp_path / "connectors") as store:
        assert store.feeds() == {}
    assert not server.requests


async def test_kafka_away_and_back(broker: Broker, server: FeedServer):
    """While the broker is dead nothing is lost and nothing more is fetched than it could take; then it goes on."""
    settings = broker.settings("connect")
    stop = asyncio.Event()
    polls: list[Poll] = []
    task = asyncio.create_task(run(settings, [feed(server)], stop_event=stop, on_poll=polls.append))
    await until(lambda: polls)
    await asyncio.to_thread(broker.kafka.kill)
    try:
        server.etag, server.body = '"2"', feedserver.rss(5)
        await until(lambda: REGISTRY.get_sample_value("brinkwatch_connect_unacknowledged_articles") == 2)
        asked = len(server.requests)
        await asyncio.sleep(2)
        assert len(server.requests) == asked
    finally:
        await asyncio.to_thread(broker.kafka.start)
    await until(lambda: sum(poll.handled.get("new", 0) for poll in polls) == 5, 90)  # type: ignore[call-overload]
    stop.set()
    await asyncio.wait_for(task, 20)
    articles = await asyncio.to_thread(articles_on, settings)
    assert len({article.article_id for article in articles}) == 5
    assert REGISTRY.get_sample_value("brinkwatch_connect_unacknowledged_articles") == 0


async def test_given_up_by_the_producer_they_are_sent_again(
    broker: Broker, server: FeedServer, monkeypatch: pytest.MonkeyPatch
):
    """Away for longer than a producer waits, the broker gets the same articles from a new one; polls wait meanwhile."""
    monkeypatch.setattr(deliver, "REQUEST_MS", 1000)
    monkeypatch.setattr(deliver, "ACKNOWLEDGE_MS", 1500)
    settings = broker.settings("connect")
    stop = asyncio.Event()
    polls: list[Poll] = []
    feeds = [feed(server), feed(server, "/page")]
    task = asyncio.create_task(run(settings, feeds, stop_event=stop, on_poll=polls.append))
    await until(lambda: len({poll.feed.id for poll in polls}) == 2)
    await asyncio.to_thread(broker.kafka.kill)
    try:
        server.etag, server.body = '"2"', feedserver.rss(5)
        await until(lambda: not health.kafka_up(health.board.snapshot()), 60)
        await asyncio.sleep(0.5)
        asked = len(server.requests)
        await asyncio.sleep(3)
        assert len(server.requests) == asked
    finally:
        await asyncio.to_thread(broker.kafka.start)
    await until(lambda: sum(poll.handled.get("new", 0) for poll in polls) == 5, 90)  # type: ignore[call-overload]
    stop.set()
    await asyncio.wait_for(task, 30)
    assert len({article.article_id for article in await asyncio.to_thread(articles_on, settings)}) == 5


async def test_fetching_waits_for_the_topic(broker: Broker, server: FeedServer):
    """Before the topic is there no publisher is asked for anything; once it is, everything goes."""
    settings = broker.settings("connect", topics=False)
    stop = asyncio.Event()
    polls: list[Poll] = []
    task = asyncio.create_task(run(settings, [feed(server)], stop_event=stop, on_poll=polls.append))
    await asyncio.sleep(2)
    assert not server.requests
    await asyncio.to_thread(apply_topics, settings, Topics(settings.topic_prefix))
    await until(lambda: polls, 60)
    stop.set()
    await asyncio.wait_for(task, 20)
    assert len(await asyncio.to_thread(articles_on, settings)) == 3


async def test_stop_while_kafka_is_away_is_quick(tmp_path: Path, server: FeedServer, unused_tcp_port: int):
    """A stop does not wait for a broker that may never come."""
    settings = load_settings(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}", data_dir=tmp_path)
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, [feed(server)], stop_event=stop))
    await asyncio.sleep(1)
    stop.set()
    assert await asyncio.wait_for(task, 20) == ()


async def test_a_request_to_wait_counts_for_the_whole_host(broker: Broker, server: FeedServer):
    """After a 429 with Retry-After no other feed of the host is asked either."""
    settings = broker.settings("connect")
    async with _parts(settings, Limits(), patient=False, gate=None) as parts:
        poller = Poller(settings, parts)
        first = await poller.poll(feed(server, "/429"))
        second = await poller.poll(feed(server, "/feed"))
    assert (first.outcome, second.outcome) == (Outcome.RATE_LIMITED, Outcome.RATE_LIMITED)
    assert [path for path, _ in server.requests] == ["/429"]
    with Store(settings.data_dir / "connectors") as store:
        states = store.feeds()
    assert set(states) == {first.feed.id}  # the other one was not polled yet
    assert second.rest_s > 118


async def test_what_a_server_says_can_not_forge_log_lines(
    broker: Broker, server: FeedServer, caplog: pytest.LogCaptureFixture
):
    """A server's words are quoted without the characters that move a cursor or begin a line."""
    with caplog.at_level("INFO"):
        await once(broker.settings("connect"), [feed(server, "/escape")])
    (line,) = [record.getMessage() for record in caplog.records if record.name == "connectors.polled"]
    assert line.startswith("escape: bad_response: ")
    assert line.isprintable()


async def test_gone_is_not_asked_again(broker: Broker, server: FeedServer):
    """410 stops a feed, over restarts too; under a new address it starts anew."""
    settings = broker.settings("connect")
    await once(settings, [feed(server, "/410")])
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, [feed(server, "/410")], stop_event=stop))
    await asyncio.sleep(2)
    stop.set()
    await task
    assert len(server.requests) == 1
    assert REGISTRY.get_sample_value("brinkwatch_connect_feeds", {"state": "stopped"}) == 1


async def test_kill_at_any_moment_loses_nothing(broker: Broker, server: FeedServer, tmp_path: Path):
    """Killed three times while it polls, the connector still brings every entry; repeats have equal ids."""
    settings = broker.settings("connect")
    listing = tmp_path / "feeds.yaml"
    listing.write_text(f'feeds: [{{id: feed, url: "{server.url("/feed")}", drill: true, interval: 1s}}]\n')
    for round_ in range(1, 4):
        server.etag, server.body = f'"{round_}"', feedserver.rss(200 * round_)
        asked = len(server.requests)
        child = start_connect(settings, listing)
        try:
            await until(lambda asked=asked: len(server.requests) > asked, 60)
            await asyncio.sleep(0.15 * round_)
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
    await once(settings, [feed(server, drill=True)])
    articles = await asyncio.to_thread(articles_on, settings)
    assert len({article.article_id for article in articles}) == 600


async def test_sigterm_ends_it_cleanly(broker: Broker, server: FeedServer, tmp_path: Path):
    """An orchestrator's stop is exit code 0, and what was sent is remembered."""
    settings = broker.settings("connect")
    listing = tmp_path / "feeds.yaml"
    listing.write_text(f'feeds: [{{id: feed, url: "{server.url("/feed")}", drill: true, interval: 1s}}]\n')
    child = start_connect(settings, listing)
    try:
        await until(lambda: len(server.requests) > 1, 60)
        child.terminate()
        assert await asyncio.to_thread(child.wait, 20) == 0
    finally:
        child.kill()
    with Store(settings.data_dir / "connectors") as store:
        assert store.feeds()["feed"].outcome in {Outcome.OK, Outcome.NOT_MODIFIED}


def start_connect(settings: Settings, listing: Path) -> subprocess.Popen[bytes]:
    """``brinkwatch connect`` as a process of its own."""
    code = "import sys, typer; from pipeline.cli.connect import connect; sys.argv[0] = 'connect'; typer.run(connect)"
    command = [sys.executable, "-c", code, "--feeds", str(listing)]
    told = {
        "BRINKWATCH_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "BRINKWATCH_TOPIC_PREFIX": settings.topic_prefix,
        "BRINKWATCH_DATA_DIR": str(settings.data_dir),
        "BRINKWATCH_CONNECT_METRICS_PORT": "0",
    }
    return subprocess.Popen(command, env={**os.environ, **told}, stderr=subprocess.DEVNULL)


async def until(condition: Any, timeout_s: float = 30.0) -> None:
    """Wait for ``condition()``."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in another process
            await asyncio.sleep(0.05)
