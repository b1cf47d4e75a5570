"""Pushes of a hub: how long one takes until the broker has it, and how many there may be."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import Any

import aiohttp
import hub as hubs
from brokers import Broker
from subscribing import connect

from config.settings import Settings, load_settings
from deploy.local.kafka import EmbeddedKafka
from deploy.local.process import Port

FEEDS = 40
ROUNDS = 10
OLD = 9
"""Entries of a push that are known already, beside a new one."""
AT_ONCE = 8


def measure(folder: Path) -> dict[str, Any]:
    """Milliseconds from a push to its 200 one after another, and pushes a second where eight are under way."""
    with EmbeddedKafka(folder, load_settings().cache_dir) as kafka:
        return asyncio.run(_measure(folder, Broker(kafka, folder).settings("pushes")))


async def _measure(folder: Path, settings: Settings) -> dict[str, Any]:
    with Port() as port:
        number = port.number
    async with hubs.running() as hub:
        hub.body = hubs.rss(*range(1, OLD + 1))
        process = connect(settings, _listing(folder, hub), number)
        try:
            async with asyncio.timeout(120):
                while len(hub.confirmed) < FEEDS:  # noqa: ASYNC110  # another process makes it true
                    await asyncio.sleep(0.1)
            async with aiohttp.ClientSession() as session:
                return await _pushed(session, list(hub.confirmed.items()))
        finally:
            process.terminate()
            process.wait(20)


async def _pushed(session: aiohttp.ClientSession, subscribed: list[tuple[tuple[str, str], str]]) -> dict[str, Any]:
    numbers = count(1000)

    async def push(at: int) -> float:
        (_, callback), secret = subscribed[at % FEEDS]
        body = hubs.rss(next(numbers), *range(1, OLD + 1))
        begun = time.perf_counter()
        headers = {"X-Hub-Signature": hubs.signed(secret, body), "Content-Type": "application/rss+xml"}
        async with session.post(callback, data=body, headers=headers) as response:
            if response.status != HTTPStatus.OK:
                raise SystemExit(f"a push was answered with {response.status}")
        return time.perf_counter() - begun

    for at in range(FEEDS):
        await push(at)  # the first reads of a process are slower
    single = [await push(at) for at in range(FEEDS * ROUNDS)]
    begun = time.perf_counter()
    for at in range(0, FEEDS * ROUNDS, AT_ONCE):
        await asyncio.gather(*(push(at + n) for n in range(AT_ONCE)))
    cuts = quantiles(single, n=100)
    return {
        "p50_ms": round(cuts[49] * 1000, 1),
        "p95_ms": round(cuts[94] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
        "pushes_s": round(FEEDS * ROUNDS / (time.perf_counter() - begun), 1),
    }


def _listing(folder: Path, hub: hubs.Hub) -> Path:
    feeds = (f'{{id: wire-{n}, url: "{hub.url(f"/feed{n}")}", drill: true, interval: 10s}}' for n in range(FEEDS))
    listing = folder / "feeds.yaml"
    listing.write_text(f"feeds: [{', '.join(feeds)}]\n", encoding="utf-8")
    return listing
