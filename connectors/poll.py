"""Poller: one poll of one feed, from the socket to the store.

fetch ─▶ sandbox: parse ─▶ sift ─▶ deliver ─▶ store ─▶ schedule
(socket)   (process)       (pure)   (Kafka)   (SQLite)   (pure)
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from config.clock import WallClock
from config.feeds import Feed
from config.settings import Settings
from config.spans import Span
from connectors import metrics, schedule
from connectors.deliver import Delivery
from connectors.entry import Parsed
from connectors.fetch import Fetched, Fetcher, Validators
from connectors.flows import Flows
from connectors.formats import Source
from connectors.hand import Hand
from connectors.metrics import Handling, Kind
from connectors.outcome import Outcome
from connectors.parsers import Parsers
from connectors.plaintext import one_line
from connectors.sift import Reading, Sifted, identify, sift
from connectors.store import FeedState
from connectors.stores import Stores

log = logging.getLogger(__name__)
MAX_DETAIL = 500
SIFTERS = 2


@dataclass(frozen=True, slots=True)
class Poll:
    """How one poll of a feed went.

    Attributes:
        feed: Which feed.
        outcome: How it ended.
        handled: How many entries met which end.
        detail: What was off, in words; empty where nothing was.
        seconds: How long the fetch took.
    """

    feed: Feed
    outcome: Outcome
    handled: Mapping[Handling, int] = field(default_factory=dict)
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The effects that a connector works with."""

    fetcher: Fetcher
    sandbox: Parsers
    delivery: Delivery
    store: Stores
    hand: Hand = field(default_factory=Hand)


class Poller:
    """Polls a feed and keeps what is known of each. What to do is decided in ``schedule`` and ``sift``."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self._settings = settings
        self._parts = parts
        self._states = parts.store.feeds()
        self._rests: dict[str, float] = {}
        self._flows = Flows(parts.store)
        # Threads of its own: those of the loop may all wait for the names of hosts.
        self._sifters = ThreadPoolExecutor(SIFTERS, thread_name_prefix="sift")
        self._clock = WallClock()
        self._dice = random.Random()  # noqa: S311  # spreads polls, guards nothing

    def state(self, feed: Feed) -> FeedState | None:
        """What is known of ``feed``; nothing where it was not polled, or under another address only."""
        state = self._states.get(feed.id)
        return state if state and state.url == feed.url else None

    def adopt(self, states: Mapping[str, FeedState]) -> None:
        """Know these too, by id, from now on."""
        self._states.update(states)

    def forget(self, feed_ids: Iterable[str]) -> None:
        """Know no more of these: another process polls them."""
        for feed_id in feed_ids:
            self._states.pop(feed_id, None)

    async def poll(self, feed: Feed) -> Poll:
        """Poll ``feed`` now; it ends when the broker has taken what was new and the store has written it down.

        Raises:
            BrinkwatchError: The state can't be written, or Kafka is away and the delivery not patient.
        """
        metrics.ATTEMPTS.labels(Kind.FEED.value).inc()
        host = urlsplit(feed.url).hostname or ""
        state = self.state(feed)
        rest = self._rests.get(host, 0.0) - time.monotonic()
        if rest > 0:  # the host has asked, on behalf of another feed
            return self._conclude(
                feed, Fetched(Outcome.RATE_LIMITED, retry_after_s=rest, error="the host asked to wait")
            )
        await self._parts.hand.room()
        validators = Validators(state.etag, state.last_modified) if state else Validators()
        begun = time.time()
        fetched = await self._parts.fetcher.fetch(feed.url, validators)
        metrics.FETCH_SECONDS.labels(Kind.FEED.value).observe(fetched.seconds)
        if fetched.retry_after_s and not fetched.outcome.success:
            self._rests[host] = time.monotonic() + fetched.retry_after_s
        if fetched.outcome is not Outcome.OK:
            return self._conclude(feed, fetched)
        return await self.take(feed, fetched, Span(begun, begun + fetched.seconds))

    async def take(self, feed: Feed, fetched: Fetched, span: Span) -> Poll:
        """Read a body of ``feed`` that came with outcome ``ok``; as ``poll``, from there on.

        From here to the broker its bytes are in hand, and while those are many no feed is asked.
        """
        with self._parts.hand.holding(len(fetched.body)):
            parsed = await self._parts.sandbox.parse(fetched.body, Source(fetched.final_url, fetched.content_type))
            sifted = await self._sift(feed, parsed)
            sifted = replace(sifted, articles=self._flows.measured(feed.id, sifted.articles))
            await self._parts.delivery.send(sifted.articles, span)
            return self._conclude(feed, fetched, parsed, sifted)

    async def _sift(self, feed: Feed, parsed: Parsed) -> Sifted:
        """In a thread: a feed of two thousand new entries would hold up every other poll for a second."""
        reading = Reading(feed, self._clock.now(), len(parsed.entries), self._settings.clock)
        identified = identify(feed, parsed.entries)
        known = self._parts.store.seen(list(identified), feed.id)
        return await asyncio.get_running_loop().run_in_executor(self._sifters, sift, reading, identified, known)

    def _conclude(
        self, feed: Feed, fetched: Fetched, parsed: Parsed | None = None, sifted: Sifted | None = None
    ) -> Poll:
        """Write down how the poll ended and when the next one is; everything to be sent has been acknowledged."""
        outcome = parsed.outcome if parsed else fetched.outcome
        said = (parsed.error or "; ".join(parsed.warnings)) if parsed else fetched.error
        detail = one_line(said, MAX_DETAIL)  # it may quote the server, whose control characters must not reach a log
        before = self.state(feed)
        state = _next_state(feed, before, outcome, detail, fetched, self._dice.random())
        self._parts.store.record(state, sifted.seen if sifted else ())
        if sifted and sifted.articles:
            self._flows.save(feed.id)
        self._states[feed.id] = state
        poll = Poll(feed, outcome, sifted.handled if sifted else {}, detail, fetched.seconds)
        _count(poll, sifted, first=before is None or not before.read_at)
        _log(poll, state, fetched, before)
        return poll


def _next_state(
    feed: Feed, before: FeedState | None, outcome: Outcome, detail: str, fetched: Fetched, dice: float
) -> FeedState:
    """What is known of ``feed`` after a poll. Validators change only with a body that was read to its end."""
    now = time.time()
    before = before or FeedState(feed.id, feed.url, outcome)
    failures = 0 if outcome.success else before.failures + 1
    wait = schedule.wait_s(outcome, feed.interval_s, failures, fetched.retry_after_s, dice)
    read = outcome is Outcome.OK
    return FeedState(
        id=feed.id,
        url=feed.url,
        outcome=outcome,
        etag=fetched.validators.etag if read else before.etag,
        last_modified=fetched.validators.last_modified if read else before.last_modified,
        detail=detail,
        failures=failures,
        polled_at=now,
        read_at=now if read else before.read_at,
        next_due=None if wait is None else now + wait,
    )


def _count(poll: Poll, sifted: Sifted | None, *, first: bool) -> None:
    metrics.FETCHES.labels(Kind.FEED.value, poll.outcome.value).inc()
    metrics.LAST_POLL.set_to_current_time()
    if poll.outcome.success:
        metrics.LAST_SUCCESS.set_to_current_time()
    for handling, number in poll.handled.items():
        metrics.ARTICLES.labels(handling.value).inc(number)
    if sifted and not first:  # a first poll finds days of old articles: they tell nothing of the delay
        fresh = {row.article_id for row in sifted.seen if not row.revision}
        for article in (article for article in sifted.articles if article.article_id in fresh):
            delay = (article.fetched_at - article.published_at).total_seconds()
            metrics.PUBLISHED_TO_FETCHED.observe(max(delay, 0.0))


def _log(poll: Poll, state: FeedState, fetched: Fetched, before: FeedState | None) -> None:
    level = _level(poll, before)
    if not log.isEnabledFor(level):
        return
    fields = {
        "feed": poll.feed.id,
        "outcome": poll.outcome.value,
        "status": fetched.status,
        "bytes": len(fetched.body),
        "seconds": round(poll.seconds, 3),
        **{handling.value: number for handling, number in poll.handled.items() if number},
        "failures": state.failures,
        "next_s": None if state.next_due is None else round(state.next_due - state.polled_at, 1),
        "detail": poll.detail,
    }
    said = f"{poll.feed.id}: {poll.outcome.value}" + (f": {poll.detail}" if poll.detail else "")
    log.log(level, said, extra={"fields": fields})


def _level(poll: Poll, before: FeedState | None) -> int:
    """Info is for what changes: of tens of thousands of feeds nearly every poll finds nothing."""
    if not poll.outcome.success:
        return logging.WARNING
    news = any(poll.handled.get(kind) for kind in (Handling.NEW, Handling.UPDATED, Handling.TOO_LARGE))
    return logging.INFO if news or before is None or not before.outcome.success else logging.DEBUG
