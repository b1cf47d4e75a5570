"""Connector: the loop that polls each feed when it is due."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from config.errors import BrinkwatchError
from config.feeds import Feed
from config.health import board
from config.networks import networks
from config.settings import Settings
from connectors import metrics, schedule
from connectors.deliver import Delivery
from connectors.fetch import Fetcher, Limits, user_agent
from connectors.fulltext import Gate
from connectors.heartbeat import beat
from connectors.metrics import State
from connectors.pages import Pages
from connectors.pagestore import PageStore
from connectors.poll import Parts, Poll, Poller
from connectors.rota import MAX_POLLS, MAX_POLLS_A_HOST, Rota, host
from connectors.sandbox import Sandbox
from connectors.store import FeedState, Store
from connectors.websub.service import subscribed

log = logging.getLogger(__name__)
MAX_SLEEP_S = 5.0
"""Well below what the loop may take for a turn before the process counts as hung."""
COUNT_S = 1.0
PRUNE_S = 6 * 3600.0
GRACE_S = 8.0


async def run(
    settings: Settings,
    feeds: Sequence[Feed],
    *,
    once: bool = False,
    stop_event: asyncio.Event | None = None,
    on_poll: Callable[[Poll], None] | None = None,
    limits: Limits | None = None,
    gate: Callable[[], Gate] | None = None,
) -> tuple[Poll, ...]:
    """Poll ``feeds`` until ``stop_event`` is set, or each once.

    ``gate`` builds what says whether a text is worth its page; it is asked for where a feed's full text is wanted.

    Returns:
        With ``once``, how each poll went, in the order of ``feeds``; else nothing.

    Raises:
        BrinkwatchError: The state can't be used; or, with ``once``, Kafka is away.
    """
    metrics.init()
    if not settings.contact:
        log.warning("no contact is set: publishers can't reach whoever polls them (setting `contact`)")
    async with _parts(settings, limits or Limits(), patient=not once, gate=gate) as parts:
        poller = Poller(settings, parts)
        connector = Connector(feeds, parts, poller, on_poll or (lambda _: None))
        if once:
            return await connector.poll_all()
        board.watch_kafka(parts.delivery.answered_s)
        beating = asyncio.create_task(beat(parts.delivery, settings.heartbeat_interval_s))
        beating.add_done_callback(_tell)
        try:
            async with subscribed(settings, feeds, poller, parts.delivery):
                await connector.follow(stop_event or asyncio.Event())
        finally:
            await _finish({beating}, 0.0)
        return ()


async def run_until_signal(settings: Settings, feeds: Sequence[Feed], gate: Callable[[], Gate] | None = None) -> None:
    """``run`` until SIGTERM or SIGINT, then finish what is under way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, feeds, stop_event=stop, gate=gate)


@asynccontextmanager
async def _parts(
    settings: Settings, limits: Limits, *, patient: bool, gate: Callable[[], Gate] | None = None
) -> AsyncIterator[Parts]:
    async with contextlib.AsyncExitStack() as stack:
        store = stack.enter_context(Store(settings.data_dir / "connectors"))
        delivery = await stack.enter_async_context(Delivery(settings, patient=patient))
        sandbox = await stack.enter_async_context(Sandbox())
        fetcher = await stack.enter_async_context(
            Fetcher(
                user_agent(settings.contact),
                limits,
                allowed=networks(settings.fetch_allow_networks),
                proxy=settings.fetch_proxy,
            )
        )
        pages = await stack.enter_async_context(Pages(fetcher, PageStore(store.path.parent), store.seen, gate))
        yield Parts(fetcher, sandbox, delivery, store, pages)


class Connector:
    """The loop over the feeds: when each is due, and how many polls run at once."""

    def __init__(self, feeds: Sequence[Feed], parts: Parts, poller: Poller, on_poll: Callable[[Poll], None]) -> None:
        self._feeds = {feed.id: feed for feed in feeds if feed.enabled}
        self._disabled = len(feeds) - len(self._feeds)
        self._parts = parts
        self._poller = poller
        self._on_poll = on_poll
        self._rota = Rota()
        self._due: dict[str, float] = {}
        self._under_way: set[asyncio.Task[Any]] = set()
        self._slots = asyncio.Semaphore(MAX_POLLS)
        self._hosts: dict[str, asyncio.Semaphore] = {}

    async def poll_all(self) -> tuple[Poll, ...]:
        """Poll every feed once, now."""
        await self._parts.delivery.ready()
        tasks = [asyncio.create_task(self._poll_in_turn(feed)) for feed in self._feeds.values()]
        try:
            return tuple(await asyncio.gather(*tasks))
        finally:
            await _finish(set(tasks), 0.0)
            self._count_states()

    async def follow(self, stop: asyncio.Event) -> None:
        """Poll each feed when it is due, until ``stop`` is set; then let polls under way end, for 8 s at most."""
        self._line_all_up(time.time(), time.monotonic())
        log.info("polling", extra={"fields": {"feeds": len(self._feeds), "disabled": self._disabled}})
        stopping = asyncio.create_task(stop.wait())
        next_prune = next_count = 0.0
        try:
            while not stop.is_set():
                board.turn()
                now = time.monotonic()  # only what outlives the process is told in the time of the wall clock
                if now >= next_prune:
                    self._parts.store.prune(time.time())
                    next_prune = now + PRUNE_S
                if now >= next_count:
                    self._count_states()
                    next_count = now + COUNT_S
                self._start_due(now)
                await self._wait(stopping)
        finally:
            stopping.cancel()
            self._count_states()
            await _finish(self._under_way, GRACE_S if self._parts.delivery.up else 0.0)

    def _start_due(self, now: float) -> None:
        while feed := self._rota.take(now):
            self._under_way.add(asyncio.create_task(self._poll(feed), name=feed.id))

    async def _wait(self, stopping: asyncio.Task[Any]) -> None:
        """Wait for a poll to end, for the next to be due, or for the stop; then line the ended ones up again."""
        wait_s = self._rota.wait_s(time.monotonic())
        done, _ = await asyncio.wait(
            {stopping, *self._under_way},
            timeout=MAX_SLEEP_S if wait_s is None else min(max(wait_s, 0.01), MAX_SLEEP_S),
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in done - {stopping}:
            self._under_way.discard(task)
            feed = task.result().feed  # what a poll can't handle, such as a full disk, ends the process
            self._rota.release(feed)
            self._line_up(feed)

    def _line_up(self, feed: Feed) -> None:
        state = self._poller.state(feed)
        if state and state.next_due is not None:
            self._add(time.monotonic() + state.next_due - state.polled_at, feed)

    def _add(self, due: float, feed: Feed) -> None:
        self._due[feed.id] = due
        self._rota.add(due, feed)

    def _line_all_up(self, wall: float, now: float) -> None:
        dice = random.Random()  # noqa: S311  # spreads polls, guards nothing
        for feed in self._feeds.values():
            state = self._poller.state(feed)
            if state is None or (state.next_due is not None and state.next_due <= wall):
                self._add(now + schedule.first_wait_s(feed.interval_s, dice.random(), len(self._feeds)), feed)
            elif state.next_due is not None:
                self._add(now + schedule.resumed_wait_s(state.next_due, state.polled_at, wall), feed)

    async def _poll_in_turn(self, feed: Feed) -> Poll:
        turn = self._hosts.setdefault(host(feed), asyncio.Semaphore(MAX_POLLS_A_HOST))
        async with turn, self._slots:
            return await self._poll(feed)

    async def _poll(self, feed: Feed) -> Poll:
        await self._parts.delivery.ready()  # while Kafka is away nothing more is fetched
        if (due := self._due.pop(feed.id, None)) is not None:
            metrics.POLL_DELAY.observe(max(0.0, time.monotonic() - due))
        poll = await self._poller.poll(feed)
        self._on_poll(poll)
        return poll

    def _count_states(self) -> None:
        counts = Counter(_standing(self._poller.state(feed)) for feed in self._feeds.values())
        counts[State.DISABLED] = self._disabled
        for standing in State:
            metrics.FEEDS.labels(standing.value).set(counts[standing])


def _standing(state: FeedState | None) -> State:
    if state is None:
        return State.WAITING
    if state.next_due is None:
        return State.STOPPED
    return State.FAILING if state.failures else State.OK


def _tell(beating: asyncio.Task[None]) -> None:
    """Say why heartbeats ended, if it was neither asked for nor set: polling goes on without them."""
    if not beating.cancelled() and (error := beating.exception()) is not None:
        known = isinstance(error, BrinkwatchError)  # its text says it all
        log.error("heartbeats have ended: %s", error, exc_info=None if known else error)


async def _finish(under_way: set[asyncio.Task[Any]], grace_s: float) -> None:
    """Let polls end; those that still wait after the grace are given up unrecorded, and read anew by the next start."""
    if not under_way:
        return
    _, late = await asyncio.wait(under_way, timeout=grace_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
