"""``brinkwatch connect`` as a process, with a real broker, killed."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import aiohttp
import hub as hubs
import pytest
from service import articles_on
from subscribing import connect, until

from connectors.websub.store import SubscriptionStore

if TYPE_CHECKING:
    from pathlib import Path

    from brokers import Broker
    from hub import Hub

    from config.settings import Settings

pytestmark = pytest.mark.slow


def titles(settings: Settings) -> list[str]:
    """Titles of the articles on the topic."""
    return sorted(article.title for article in articles_on(settings) if article.title)


async def pushed(hub: Hub, body: bytes) -> int:
    """Push as a hub does, again and again until it is taken."""
    async with asyncio.timeout(60):
        while True:
            try:
                status = await hub.push(body)
            except aiohttp.ClientConnectionError:
                status = 0
            if status not in {0, 503}:
                return status
            await asyncio.sleep(0.1)


async def test_a_killed_process_goes_on_being_pushed(broker: Broker, hub: Hub, tmp_path: Path, unused_tcp_port: int):
    """After kill -9 the hub's next push is an article on the topic, and the hub was not asked again; SIGTERM is 0.

    The log says what was pushed, and neither secret nor path.
    """
    settings = broker.settings("websub")
    listing = tmp_path / "feeds.yaml"
    listing.write_text(f'feeds: [{{id: wire, url: "{hub.url("/feed")}", drill: true, interval: 1s}}]\n')
    first = connect(settings, listing, unused_tcp_port)
    try:
        await until(lambda: hub.confirmed, 60)
        assert await pushed(hub, hubs.rss(3, 4)) == 200
    finally:
        first.send_signal(signal.SIGKILL)
        await asyncio.to_thread(first.wait)
    second = connect(settings, listing, unused_tcp_port)
    try:
        assert await pushed(hub, hubs.rss(4, 5)) == 200
        second.terminate()
        assert await asyncio.to_thread(second.wait, 20) == 0
    finally:
        second.kill()
    assert len(hub.asked) == 1
    assert await asyncio.to_thread(titles, settings) == [f"Story number {n} of the day" for n in range(1, 6)]
    with SubscriptionStore(settings.data_dir / "connectors") as store:
        (one,) = store.all()
    said = settings.data_dir.with_name(f"{settings.data_dir.name}.log").read_text(encoding="utf-8")
    assert "wire: pushed: delivered" in said
    assert one.secret not in said
    assert one.token not in said
