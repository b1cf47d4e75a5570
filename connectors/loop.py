"""Loop: polls each feed when it is due, while the list and the shards change."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from config.feeds import Feed
from config.health import board
from connectors import metrics, progress, schedule
from connectors.feed_list import change, enabled
from connectors.poll import Parts, Poll, Poller
from connectors.rota import MAX_POLLS, MAX_POLLS_A_HOST, Rota, Turn
from connectors.standings import Standings
from connectors.store import FeedState, StoreError

log = logging.getLogger(__name__)
MAX_SLEEP_S = 5.0
"""Well below what the loop may take for a turn before the process counts as hung."""
SETTLE_S = 0.2
"""How long polls without articles may stand uncommitted."""
TELL_S = 1.0
PRUNE_S = 6 * 3600.0
PRUNE_PAUSE_S = 0.01
"""Between two steps of a few milliseconds each."""
GRACE_S = 8.0


class Connector:
    """The loop over the feeds: when each is due, and how many polls run at once."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        parts: Parts,
        poller: Poller,
        on_poll: Callable[[Poll], None],
        most: int = MAX_POLLS,
    ) -> None:
        self._parts = parts
        self._poller = poller
        self._on_poll = on_poll
        self._listed = enabled(feeds)
        self._standings = Standings()
        self._standings.disabled = len(feeds) - len(self._listed)
        self._most = most
        self._rota = Rota(most)
        self._under_way: dict[asyncio.Task[Poll], Turn] = {}
        self._beside: set[asyncio.Task[None]] = set()
        self._ended: deque[asyncio.Task[Any]] = deque()
        self._wake = asyncio.Event()
        self._dice = random.Random()  # noqa: S311  # spreads polls, guards nothing
        self.on_feeds: Callable[[], None] = lambda: None
        """Is called whenever the list or the shards that are held have changed."""

    @property
    def listed(self) -> Mapping[str, Feed]:
        """The enabled feeds of the list, by id, whoever polls them."""
        return self._listed

    @property
    def feeds(self) -> dict[str, Feed]:
        """The feeds that this process polls, by id: the list's, of the shards that it holds."""
        return {name: feed for name, feed in self._listed.items() if self._parts.store.holds(name)}

    async def poll_all(self) -> tuple[Poll, ...]:
        """Poll every feed once, now."""
        await self._parts.delivery.ready()
        places = asyncio.Semaphore(self._most)
        hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MAX_POLLS_A_HOST))

        async def in_turn(feed: Feed) -> Poll:
            async with hosts[self._poller.host(feed)], places:
                return await self._poll(feed)

        tasks = [asyncio.create_task(in_turn(feed)) for feed in self.feeds.values()]
        try:
            return tuple(await asyncio.gather(*tasks))
        finally:
            await finish(set(tasks), 0.0)
            for feed in self.feeds.values():
                self._standings.set(feed.id, self._poller.state(feed))
            self._standings.tell()

    async def follow(self, stop: asyncio.Event) -> None:
        """Poll each feed when it is due, until ``stop`` is set; then let polls under way end, for 8 s at most.

        Raises:
            BrinkwatchError: What a poll can't handle, such as state that can't be written, ends them all.
        """
        self.line_up(self.feeds)
        log.info("polling", extra={"fields": {"feeds": len(self._rota), "disabled": self._standings.disabled}})
        self.beside(_until(stop))
        self.beside(self._prune())
        next_tell = next_settle = 0.0
        try:
            while not stop.is_set():
                board.turn()
                now = time.monotonic()  # only what outlives the process is told in the time of the wall clock
                if now >= next_tell:
                    self._standings.tell()
                    next_tell = now + TELL_S
                if now >= next_settle:
                    self._parts.store.settle()
                    next_settle = now + SETTLE_S
                self._start_due(now)
                await self._wait()
        finally:
            self._standings.tell()
            lost = await finish(self._beside, 0.0)
            lost += await finish(set(self._under_way), GRACE_S if self._parts.delivery.up else 0.0)
        if lost:
            raise lost[0]

    def beside(self, work: Any) -> None:
        """Run a coroutine beside the polls, until they end; what it raises ends them."""
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._end)

    def adopt(self, feeds: Sequence[Feed]) -> None:
        """Poll by another list from now on. A poll under way ends as it began."""
        listed = enabled(feeds)
        changed = change(self._listed, listed)
        self._listed = listed
        self._standings.disabled = len(feeds) - len(listed)
        self.drop(changed.removed)
        self.line_up(feed.id for feed in changed.added)
        altered = (*changed.hurried, *changed.altered)
        for feed in altered:
            if (turn := self._rota.turn(feed.id)) is not None:
                self._alter(turn, feed, len(altered))
        self.tell_feeds()
        counts = {name: len(getattr(changed, name)) for name in ("added", "removed", "hurried", "altered")}
        log.info("the list of feeds has changed", extra={"fields": {"feeds": len(listed), **counts}})

    def tell_feeds(self) -> None:
        """Tell whoever wants to know that other feeds are polled now."""
        self.on_feeds()

    def line_up(self, feed_ids: Iterable[str]) -> None:
        """Have these polled: those that are new spread out, the others when the state says."""
        busy = self.polling()  # these are lined up when their poll ends
        feeds = [self._listed[name] for name in feed_ids if self._parts.store.holds(name) and name not in busy]
        for feed in feeds:
            state = self._poller.resumed(feed)
            self._standings.set(feed.id, state)
            self._line_by(state, feed, len(feeds))
        self._wake.set()

    def _line_by(self, state: FeedState | None, feed: Feed, feeds: int) -> None:
        """Have ``feed`` polled when ``state`` says; where that is over, it is one of so many ``feeds`` that are due."""
        wall, now = time.time(), time.monotonic()
        if state is None or (state.next_due is not None and state.next_due <= wall):
            self._line(now + schedule.first_wait_s(feed.interval_s, self._dice.random(), feeds), feed)
        elif state.next_due is not None:
            self._line(now + schedule.resumed_wait_s(state.next_due, state.polled_at, wall), feed)

    def _alter(self, turn: Turn, feed: Feed, feeds: int) -> None:
        """Poll ``feed`` as it is now, in place of how it was lined up: where its intervals are others, by those."""
        state = self._poller.state(feed)
        if state is None:
            self._line(min(turn.due, time.monotonic() + feed.interval_s), feed)
        elif progress.pace(feed) == progress.pace(turn.feed):
            self._line(turn.due, feed)
        else:
            self._line_by(self._poller.resumed(feed, turn.feed), feed, feeds)

    def _line(self, due: float, feed: Feed) -> None:
        self._rota.add(due, feed, self._poller.host(feed))

    def drop(self, feed_ids: Iterable[str]) -> None:
        """Have these polled no more."""
        for name in feed_ids:
            self._rota.drop(name)
            self._standings.drop(name)

    def polling(self) -> set[str]:
        """Ids of the feeds of which a poll is under way."""
        return {turn.feed.id for turn in self._under_way.values()}

    async def _prune(self) -> None:
        """Forget what may be forgotten, for ever, in steps between which polls have their turn."""
        while True:
            for _ in self._parts.store.pruning(time.time()):
                await asyncio.sleep(PRUNE_PAUSE_S)
            await asyncio.sleep(PRUNE_S)

    def _start_due(self, now: float) -> None:
        while turn := self._rota.take(now):
            task = asyncio.create_task(self._poll_turn(turn), name=turn.feed.id)
            self._under_way[task] = turn
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._ended.append(task)
        self._wake.set()

    async def _wait(self) -> None:
        """Wait for a poll to end, or for the next to be due; then line the ended ones up again."""
        wait_s = self._rota.wait_s(time.monotonic())
        with contextlib.suppress(TimeoutError):
            most = SETTLE_S if self._parts.store.unsettled else MAX_SLEEP_S
            async with asyncio.timeout(most if wait_s is None else min(max(wait_s, 0.01), most)):
                await self._wake.wait()
        self._wake.clear()
        while self._ended:
            task = self._ended.popleft()
            if task in self._beside:
                self._beside.discard(task)
                task.result()
            elif (turn := self._under_way.pop(task, None)) is not None:
                self._rota.release(turn)
                self._line_up_again(turn, task.result())

    def _line_up_again(self, turn: Turn, poll: Poll) -> None:
        feed = self._listed.get(turn.feed.id)
        if feed is None or not self._parts.store.holds(feed.id):
            return  # it was removed meanwhile, or its shard is given up
        state = self._poller.resumed(feed, turn.feed)
        if poll.rest_s and feed.url == turn.feed.url:
            self._standings.set(feed.id, state)
            self._line(time.monotonic() + poll.rest_s, feed)
            return
        if state is None:
            self.line_up([feed.id])  # its address was changed meanwhile
            return
        self._standings.set(feed.id, state)
        if state.next_due is not None:
            self._line(time.monotonic() + state.next_due - state.polled_at, feed)

    async def _poll_turn(self, turn: Turn) -> Poll:
        await self._parts.delivery.ready()  # while Kafka is away nothing more is fetched
        metrics.POLL_DELAY.observe(max(0.0, time.monotonic() - turn.due))
        return await self._poll(turn.feed)

    async def _poll(self, feed: Feed) -> Poll:
        await self._parts.delivery.ready()
        poll = await self._poller.poll(feed)
        self._on_poll(poll)
        return poll


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


async def finish(under_way: set[asyncio.Task[Any]], grace_s: float) -> list[Exception]:
    """Let polls end; those that still wait after the grace are given up unrecorded, and read anew by the next start.

    Returns:
        Why something could not be written down.
    """
    if not under_way:
        return []
    _, late = await asyncio.wait(under_way, timeout=grace_s)
    for task in late:
        task.cancel()
    ended = await asyncio.gather(*under_way, return_exceptions=True)
    return [error for error in ended if isinstance(error, (StoreError, OSError))]
