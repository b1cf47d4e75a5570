"""Heartbeat: an article of our own that goes the way of all articles, so that one can see whether the way is open."""

from __future__ import annotations

import asyncio
import hashlib
import time
from datetime import UTC, datetime
from typing import Protocol

from config import vitals
from connectors import metrics
from pipeline.records import Article

STAGE = "connect"
SOURCE = "heartbeat.invalid"
TEXT = "Dunmark deployed 300 soldiers to its border with Karvenia, the Dunmarkish army said."
"""Of states that the drill invented. It must pass the gate and give a signal, or extract does not work."""


class Sends(Protocol):
    """What takes articles: ``connectors.deliver.Delivery``."""

    async def ready(self) -> None:
        """Return when the broker is there."""

    async def send(self, articles: list[Article]) -> None:
        """Return when the broker has acknowledged every one."""


def heartbeat(sent: datetime) -> Article:
    """The heartbeat of a moment; each has an id of its own, and its time of sending in every time that it has."""
    digest = hashlib.sha256(f"heartbeat\0{sent.isoformat()}\0{time.monotonic_ns()}".encode()).hexdigest()[:32]
    return Article(
        article_id=digest,
        url="",
        title="",
        text=TEXT,
        language="en",
        source=SOURCE,
        feed="heartbeat",
        published_at=sent,
        fetched_at=sent,
        observed_at=sent,
        content_hash=digest,
        drill=True,
        heartbeat=True,
    )


async def beat(delivery: Sends, interval_s: float) -> None:
    """Send a heartbeat every ``interval_s`` seconds, for ever; with 0 none, but find out whether the broker is there.

    One at a time: where the broker is away, the one that waits goes when it is back, and counts as that late.
    """
    await delivery.ready()
    while interval_s:
        await asyncio.sleep(interval_s)
        article = heartbeat(datetime.now(UTC))
        await delivery.send([article])
        metrics.HEARTBEATS.inc()
        vitals.note_heartbeat(STAGE, article.published_at.timestamp())
