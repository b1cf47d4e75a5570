"""The real loop with WebSub beside it, and a delivery that takes everything, or nothing while it is told so."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loopback import NETWORKS
from prometheus_client import REGISTRY

from config.settings import load_settings
from connectors import metrics
from connectors.fetch import Fetcher, user_agent
from connectors.outcome import Outcome
from connectors.parsers import Parsers
from connectors.poll import Parts, Poller
from connectors.service import Connector
from connectors.store import FeedState, Store
from connectors.websub.service import subscribed
from connectors.websub.subscription import Terms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from config.feeds import Feed
    from config.settings import Settings
    from connectors.websub.subscriber import Subscriber

QUICK = Terms(retry_s=0.2, retry_cap_s=1.0, least_s=0.2, spread_s=0.0, change_s=0.0, grace_s=0.5)
"""Seconds where the real terms are minutes and hours."""


CODE = """
import functools, sys, typer
from connectors import service
from connectors.websub.subscription import Terms
service.subscribed = functools.partial(service.subscribed, terms=Terms(spread_s=0.0))
from pipeline.cli.connect import connect
sys.argv[0] = "connect"
typer.run(connect)
"""
"""``brinkwatch connect``, but that hubs are asked at once."""


def connect(settings: Settings, listing: Path, port: int) -> subprocess.Popen[bytes]:
    """The command as a process of its own, pushed on ``port``."""
    told = {
        "BRINKWATCH_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "BRINKWATCH_TOPIC_PREFIX": settings.topic_prefix,
        "BRINKWATCH_DATA_DIR": str(settings.data_dir),
        "BRINKWATCH_CONNECT_METRICS_PORT": "0",
        "BRINKWATCH_WEBSUB_CALLBACK_URL": f"http://127.0.0.1:{port}/websub",
        "BRINKWATCH_WEBSUB_PORT": str(port),
    }
    log = (settings.data_dir.parent / f"{settings.data_dir.name}.log").open("ab")
    with log:
        return subprocess.Popen(
            [sys.executable, "-c", CODE, "--feeds", str(listing)], env={**os.environ, **told}, stderr=log
        )


@dataclass
class Taken:
    """A delivery that remembers titles; while it is ``stuck`` its broker does not acknowledge."""

    titles: list[str] = field(default_factory=list)
    up: bool = True
    stuck: bool = False

    async def ready(self) -> None:
        """It always is."""

    async def send(self, articles: Sequence[Any], _: object = None) -> None:
        """Take them."""
        while self.stuck and articles:  # noqa: ASYNC110  # a flag that tests set
            await asyncio.sleep(0.01)
        self.titles += [article.title for article in articles]


@dataclass
class Live:
    """What a test looks at while the loop runs."""

    delivery: Taken
    poller: Poller
    subscriber: Subscriber
    polls: Counter[str]


@asynccontextmanager
async def live(folder: Path, feeds: Sequence[Feed], port: int, terms: Terms = QUICK) -> AsyncIterator[Live]:
    """The loop over ``feeds``, pushed on ``port``; everything that lasts is in ``folder``."""
    metrics.init()
    settings = load_settings(
        data_dir=folder, websub_callback_url=f"http://127.0.0.1:{port}/push/here", websub_port=port
    )
    stop = asyncio.Event()
    polls: Counter[str] = Counter()
    delivery = Taken()
    with Store(folder / "connectors") as store:
        for feed in feeds:  # a first poll is spread over half a minute, unless the feed is known already
            if feed.id not in store.feeds():
                store.record(FeedState(feed.id, feed.url, Outcome.OK, next_due=0.0))
        async with Parsers() as sandbox, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
            parts = Parts(fetcher, sandbox, delivery, store)  # type: ignore[arg-type]  # what the loop uses of one
            poller = Poller(settings, parts)
            connector = Connector(feeds, parts, poller, lambda poll: polls.update([poll.feed.id]))
            async with subscribed(settings, feeds, poller, delivery, terms=terms, turn_s=0.05) as subscriber:
                assert subscriber is not None
                task = asyncio.create_task(connector.follow(stop))
                try:
                    yield Live(delivery, poller, subscriber, polls)
                finally:
                    stop.set()
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)


def value(name: str, **labels: str) -> float:
    """A sample of this process's metrics."""
    return REGISTRY.get_sample_value(f"brinkwatch_connect_{name}", labels) or 0.0


async def until(condition: Any, timeout_s: float = 20.0) -> None:
    """Wait for ``condition()``."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # it becomes true elsewhere
            await asyncio.sleep(0.02)
