"""``brinkwatch connect`` as a process, with a real broker, killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import aiohttp
import hub as hubs
import pytest
from subscribing import until

from connectors.websub.store import SubscriptionStore
from pipeline.records import Article, decode
from pipeline.records.topics import Topics

if TYPE_CHECKING:
    from pathlib import Path

    from brokers import Broker
    from hub import Hub

    from config.settings import Settings

pytestmark = pytest.mark.slow
CODE = """
import functools, sys, typer
from connectors import service
from connectors.websub.subscription import Terms
service.subscribed = functools.partial(service.subscribed, terms=Terms(spread_s=0.0))
from pipeline.cli.connect import connect
sys.argv[0] = "connect"
typer.run(connect)
"""


def connect(settings: Settings, listing: Path, port: int) -> subprocess.Popen[bytes]:
    """The process."""
    told = {
        "BRINKWATCH_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "BRINKWATCH_TOPIC_PREFIX": settings.topic_prefix,
        "BRINKWATCH_DATA_DIR": str(settings.data_dir),
        "BRINKWATCH_CONNECT_METRICS_PORT": "0",
        "BRINKWATCH_WEBSUB_CALLBACK_URL": f"http://127.0.0.1:{port}/websub",
        "BRINKWATCH_WEBSUB_PORT": str(port),
    }
    command = [sys.executable, "-c", CODE, "--feeds", str(listing)]
    return subprocess.Popen(command, env={**os.environ, **told}, stderr=subprocess.PIPE)


def titles(settings: Settings) -> list[str]:
    """Titles of the articles on the topic."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=settings.bootstrap_servers.split(","), enable_auto_commit=False)
    topic = Topics(settings.topic_prefix).articles.name
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    found = []
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        records = consumer.poll(timeout_ms=500).values()
        found += [decode(record.value, Article).title for batch in records for record in batch]
    consumer.close()
    return sorted(title for title in found if title)


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
    """After kill -9 the hub's next push is an article on the topic, and the hub was not asked again; SIGTERM is 0."""
    settings = broker.settings("websub")
    listing = tmp_path / "feeds.yaml"
    listing.write_text(f'feeds: [{{id: wire, url: "{hub.url("/feed")}", drill: true, interval: 1s}}]\n')
    first = connect(settings, listing, unused_tcp_port)
    try:
        await until(lambda: hub.confirmed, 60)
        assert await pushed(hub, hubs.rss(3, 4)) == 200
    finally:
        first.send_signal(signal.SIGKILL)
        said = (await asyncio.to_thread(first.communicate))[1]
    second = connect(settings, listing, unused_tcp_port)
    try:
        assert await pushed(hub, hubs.rss(4, 5)) == 200
        second.terminate()
        said += (await asyncio.to_thread(second.communicate, timeout=20))[1]
        assert second.returncode == 0
    finally:
        second.kill()
    assert len(hub.asked) == 1
    assert await asyncio.to_thread(titles, settings) == [f"Story number {n} of the day" for n in range(1, 6)]
    with SubscriptionStore(settings.data_dir / "connectors") as store:
        (one,) = store.all()
    assert one.secret.encode() not in said
    assert one.token.encode() not in said
