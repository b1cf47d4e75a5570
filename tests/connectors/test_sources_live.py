"""Sources through the whole connector, a real broker at its end: nothing lost, nothing twice, the same ids."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import feedserver
import pytest
from service import articles_on

from config.feeds import Feed
from connectors.outcome import Outcome
from connectors.service import run
from connectors.status import read_states
from pipeline.records import Article

if TYPE_CHECKING:
    from pathlib import Path

    from brokers import Broker
    from feedserver import FeedServer

    from config.settings import Settings
    from connectors.poll import Poll

pytestmark = pytest.mark.slow
LINES = 9_000
PROGRAM = "from pipeline.cli.main import main; main()"


def delivered(settings: Settings) -> list[Article]:
    """Every article on the topic, but for heartbeats."""
    return [article for article in articles_on(settings) if not article.heartbeat]


@pytest.mark.timeout(240)
async def test_an_archive_survives_kills(broker: Broker, tmp_path: Path):
    """A connector that is killed three times in the middle of an archive has sent every line when it is through."""
    settings = broker.settings("archive")
    archive = tmp_path / "archive.jsonl"
    with archive.open("w") as file:
        for number in range(LINES):
            told = {"published": "2026-11-02", "title": f"Story {number}", "url": f"https://a.example/story/{number}"}
            file.write(json.dumps(told) + "\n")
    listing = tmp_path / "feeds.yaml"
    listing.write_text(f'feeds: [{{id: archive, url: "{archive.as_uri()}"}}]\n')
    environment = {
        **os.environ,
        "BRINKWATCH_DATA_DIR": str(settings.data_dir),
        "BRINKWATCH_TOPIC_PREFIX": settings.topic_prefix,
        "BRINKWATCH_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "BRINKWATCH_CONNECT_METRICS_PORT": "0",
    }

    def killed_after_a_portion() -> None:
        def place() -> str:
            state = read_states(settings.data_dir / "connectors").get("archive")
            return state.etag if state else ""

        before = place()
        command = [sys.executable, "-c", PROGRAM, "connect", "--feeds", str(listing)]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as child:
            while place() == before and child.poll() is None:
                time.sleep(0.02)
            child.send_signal(signal.SIGKILL)

    for _ in range(3):
        await asyncio.to_thread(killed_after_a_portion)
    stop, ends = asyncio.Event(), []

    def on_poll(poll: Poll) -> None:
        ends.append(poll.outcome)
        if poll.outcome is Outcome.NOT_MODIFIED:
            stop.set()

    await run(settings, [Feed("archive", archive.as_uri(), interval_s=1.0)], stop_event=stop, on_poll=on_poll)
    assert Outcome.OK in ends
    articles = await asyncio.to_thread(delivered, settings)
    assert {article.title for article in articles} == {f"Story {number}" for number in range(LINES)}
    assert len({article.article_id for article in articles}) == LINES
    assert len(articles) <= LINES + 3 * 2_000  # a kill costs at most its portion once more, under the same ids


async def test_a_story_that_moves_with_its_title(broker: Broker, server: FeedServer):
    """Address, title and guid change from poll to poll, as with publishers: one id, and each wording once."""
    settings = broker.settings("moving")
    item = (
        '<item><guid isPermaLink="false">{guid}</guid><link>https://wire.example/{slug}</link><title>{title}</title>'
        "<description>Two brigades left their barracks on Monday, the ministry said in the evening.</description>"
        "<pubDate>Mon, 02 Nov 2026 10:00:07 GMT</pubDate></item>"
    )
    wordings = [
        {"guid": "4711", "slug": "brigade-leaves", "title": "Brigade leaves"},
        {"guid": "4711", "slug": "brigade-leaves", "title": "Brigade leaves"},
        {"guid": "4711", "slug": "two-brigades-leave", "title": "Two brigades leave"},
        {"guid": "new-guid", "slug": "two-brigades-leave", "title": "Two brigades leave"},
        {"guid": "4711", "slug": "two-brigades-leave?utm_source=rss", "title": "Two brigades leave"},
    ]
    for number, wording in enumerate(wordings):
        server.body = feedserver.RSS.format(encoding="utf-8", items=item.format(**wording))
        server.etag = f'"{number}"'
        address = server.url("/feed") + ("?moved" if number == len(wordings) - 1 else "")  # the feed itself moves, too
        await run(settings, [Feed("wire", address)], once=True)
    articles = await asyncio.to_thread(delivered, settings)
    assert [article.title for article in articles] == ["Brigade leaves", "Two brigades leave"]
    assert len({article.article_id for article in articles}) == 1
