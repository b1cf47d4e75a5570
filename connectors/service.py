"""Service: the connector put together, from its parts to its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from config.errors import BrinkwatchError, ConfigError, Fault
from config.feed_lists import FeedLists
from config.feeds import Feed
from config.health import board
from config.settings import Settings
from connectors import identity, metrics
from connectors.deliver import Delivery
from connectors.fetch import Limits, fetcher_of
from connectors.following import Sharing, follow_lists
from connectors.hand import Hand
from connectors.heartbeat import beat
from connectors.loop import Connector, finish
from connectors.pages import BuildGate, Pages
from connectors.pagestore import PageStore
from connectors.parsers import Parsers
from connectors.poll import Parts, Poll, Poller
from connectors.rota import places
from connectors.shards import pinned
from connectors.stores import Stores
from connectors.websub.service import subscribed

log = logging.getLogger(__name__)
WORKERS = 64
"""Threads of the loop, for work that ends: names and files, which may not, are looked up and read in others."""
MAX_FILES = 65_536
GC_YOUNG = 20_000


async def run(
    settings: Settings,
    feeds: Sequence[Feed],
    *,
    once: bool = False,
    stop_event: asyncio.Event | None = None,
    on_poll: Callable[[Poll], None] | None = None,
    limits: Limits | None = None,
    lists: FeedLists | None = None,
    gate: BuildGate | None = None,
) -> tuple[Poll, ...]:
    """Poll ``feeds`` until ``stop_event`` is set, or each once.

    Args:
        settings: Of the process.
        feeds: What to poll, disabled ones too.
        once: Whether each is polled once, now.
        stop_event: Ends it.
        on_poll: Told of every poll.
        limits: Of an exchange.
        lists: Where ``feeds`` come from, and are read again when that changes.
        gate: Builds what says whether a text is worth its page; it is asked for where a feed's full text is wanted.

    Returns:
        With ``once``, how each poll went, in the order of ``feeds``; else nothing.

    Raises:
        BrinkwatchError: The state can't be used; a setting is wrong; or, with ``once``, Kafka is away.
    """
    metrics.init()
    if not settings.contact:
        log.warning("no contact is set: publishers can't reach whoever polls them (setting `contact`)")
    most = places(_more_files())
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(WORKERS, thread_name_prefix="work"))
    async with _parts(settings, limits or Limits(), patient=not once, gate=gate) as parts:
        if once:
            parts.store.hold_all()
        poller = Poller(settings, parts)
        connector = Connector(feeds, parts, poller, on_poll or (lambda _: None), most)
        if once:
            return await connector.poll_all()
        board.watch_kafka(parts.delivery.answered_s)
        if not parts.store.whole:
            connector.beside(Sharing(connector, poller, parts.store).follow())
        metrics.SHARDS.set(len(parts.store.held))
        connector.beside(asyncio.to_thread(identity.prepare))
        async with _beating(settings, parts.delivery), _pushed(settings, connector, poller, parts):
            if lists is not None:
                connector.beside(follow_lists(connector, lists))
                _spare_the_collector()
            await connector.follow(stop_event or asyncio.Event())
        return ()


async def run_until_signal(
    settings: Settings, feeds: Sequence[Feed], lists: FeedLists | None = None, gate: BuildGate | None = None
) -> None:
    """``run`` until SIGTERM or SIGINT, then finish what is under way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, feeds, stop_event=stop, lists=lists, gate=gate)


@asynccontextmanager
async def _parts(settings: Settings, limits: Limits, *, patient: bool, gate: BuildGate | None) -> AsyncIterator[Parts]:
    async with contextlib.AsyncExitStack() as stack:
        hand, pins = Hand(), _pins(settings)
        store = stack.enter_context(Stores(settings.data_dir / "connectors", settings.connect_shards, pins))
        delivery = await stack.enter_async_context(Delivery(settings, patient=patient))
        sandbox = await stack.enter_async_context(Parsers())
        fetcher = await stack.enter_async_context(fetcher_of(settings, limits, hand))
        pages = Pages(fetcher, PageStore(settings.data_dir / "connectors"), store, gate)
        yield Parts(fetcher, sandbox, delivery, store, hand, await stack.enter_async_context(pages))


@asynccontextmanager
async def _beating(settings: Settings, delivery: Delivery) -> AsyncIterator[None]:
    """Heartbeats go out meanwhile."""
    beating = asyncio.create_task(beat(delivery, settings.heartbeat_interval_s))
    beating.add_done_callback(_tell)
    try:
        yield
    finally:
        await finish({beating}, 0.0)


@asynccontextmanager
async def _pushed(settings: Settings, connector: Connector, poller: Poller, parts: Parts) -> AsyncIterator[None]:
    """Hubs push meanwhile, where WebSub is on; subscriptions follow the list."""

    def own() -> tuple[Feed, ...]:
        return tuple(feed for feed in connector.listed.values() if parts.store.owns(feed.id))

    async with subscribed(settings, own(), poller, parts.delivery) as subscriber:
        if subscriber is not None:
            connector.on_feeds = lambda: subscriber.follow(own())
        yield


def _tell(beating: asyncio.Task[None]) -> None:
    """Say why heartbeats ended, if it was neither asked for nor set: polling goes on without them."""
    if not beating.cancelled() and (error := beating.exception()) is not None:
        known = isinstance(error, BrinkwatchError)  # its text says it all
        log.error("heartbeats have ended: %s", error, exc_info=None if known else error)


def _spare_the_collector() -> None:
    """Have the garbage collector leave alone what lives as long as the process: of many feeds a million objects.

    It took an eighth of the time that 50,000 feeds cost.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG, 20, 20)


def _pins(settings: Settings) -> tuple[int, ...]:
    if settings.websub_callback_url and settings.connect_shards > 1 and not settings.connect_shard:
        why = "connect_shard beside it: where processes share a list as they come and go, no hub can know whom to push"
        raise ConfigError([Fault("settings", "websub_callback_url", why)])
    try:
        return pinned(settings.connect_shard, settings.connect_shards)
    except ValueError as error:
        raise ConfigError([Fault("settings", "connect_shard", str(error))]) from None


def _more_files() -> int:
    """How many files this process may have open; more than usual, where the system grants it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return MAX_FILES if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):  # macOS grants less than it says
        return soft
    return most
