"""Poller: one poll of one feed, from the socket to the store.

fetch ─▶ sandbox: parse ─▶ sift ─▶ deliver ─▶ progress ─▶ store
(socket)   (process)       (pure)   (Kafka)    (pure)     (SQLite)
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from msgspec import structs

from config.clock import WallClock
from config.feeds import Feed
from config.settings import Settings
from config.spans import Span
from connectors import metrics, moves
from connectors.deliver import Delivery
from connectors.entry import Parsed
from connectors.fetch import Fetched, Fetcher, Validators
from connectors.metrics import Handling, Kind
from connectors.outcome import Outcome
from connectors.plaintext import one_line
from connectors.progress import Ended, after, told
from connectors.rests import Rests
from connectors.sandbox import Sandbox
from connectors.schedule import Next
from connectors.shown import Shown
from connectors.sift import Reading, Sifted, identify, sift
from connectors.recognition import Memory, all_marks, identify, ids
from connectors.sandbox import Sandbox
from connectors.sift import Reading, Sifted, sift
from connectors.store import FeedState, Store
from pipeline.records import Article
from pipeline.records.flow import FlowMeter

log = logging.getLogger(__name__)
MAX_DETAIL = 500
SAVE_METER_S = 60.0


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
    sandbox: Sandbox
    delivery: Delivery
    store: Store


class Poller:
    """Polls a feed and keeps what is known of each. What to do is decided in ``progress`` and ``sift``."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self._settings = settings
        self._parts = parts
        self._states = parts.store.feeds()
        self._rests = Rests(parts.store.noted("rests"), time.time(), time.monotonic())
        self._meter = FlowMeter.restored(parts.store.noted("flow"))
        self._meter_due = 0.0
        self._clock = WallClock()
        self._dice = random.Random()  # noqa: S311  # spreads polls, guards nothing
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.on_shown: Callable[[Shown], None] = lambda _: None
        """Is told of each body that was read and whose articles the broker has, before that is written down."""
        self.net_s: Callable[[Feed], float] = lambda _: 0.0
        """The least seconds to the next poll of a feed that is pushed; 0 for one that is not."""

    def state(self, feed: Feed) -> FeedState | None:
        """What is known of ``feed``; nothing where it was not polled, or under another address only."""
        state = self._states.get(feed.id)
        return state if state and state.url == feed.url else None

    async def poll(self, feed: Feed) -> Poll:
        """Poll ``feed`` now; it ends when the broker has taken what was new and the store has written it down.

        Raises:
            BrinkwatchError: The state can't be written, or Kafka is away and the delivery not patient.
        """
        metrics.ATTEMPTS.labels(Kind.FEED.value).inc()
        state = self.state(feed)
        address = moves.address(feed, state, time.time())
        host = urlsplit(address).hostname or ""
        if rest := self._rests.left_s(host, time.monotonic()):  # the host has asked, on behalf of another feed
            resting = Fetched(Outcome.RATE_LIMITED, retry_after_s=rest, error="the host asked to wait")
            return self._conclude(feed, "", resting)
        validators = Validators(state.etag, state.last_modified) if state else Validators()
        begun = time.time()
        fetched = await self._parts.fetcher.fetch(address, validators, home=feed.url)
        metrics.FETCH_SECONDS.labels(Kind.FEED.value).observe(fetched.seconds)
        if fetched.retry_after_s and not fetched.outcome.success:
            self._rests.ask(host, fetched.retry_after_s, time.monotonic())
            self._parts.store.note("rests", self._rests.saved(time.time(), time.monotonic()))
        if fetched.outcome is not Outcome.OK:
            return self._conclude(feed, address, fetched)
        return await self.take(feed, fetched, Span(begun, begun + fetched.seconds), address)

    async def take(self, feed: Feed, fetched: Fetched, span: Span, asked: str = "") -> Poll:
        """Read a body of ``feed`` that came with outcome ``ok``; as ``poll``, from there on.

        One body of a feed at a time: two that show the same new entry would both send it. One that was pushed changes
        nothing of what polling goes by: validators, failures, when the next poll is due.

        Args:
            feed: The feed.
            fetched: The body, and what came with it.
            span: From when to when it was fetched.
            asked: The address that was asked for it; empty where it was pushed.
        """
        async with self._turns.setdefault(feed.id, asyncio.Lock()):
            parsed = await self._parts.sandbox.parse(fetched.body, Source(fetched.final_url, fetched.content_type))
            sifted = self._measured(await self._sift(feed, parsed))
            await self._parts.delivery.send(sifted.articles, span)
            if parsed.outcome is Outcome.OK:
                before = self.state(feed)
                polled_at = before.polled_at if before else 0.0
                self.on_shown(_shown(feed, fetched, parsed, sifted, polled_at, pushed=not asked))
            if not asked:
                return self._conclude_push(feed, fetched, parsed, sifted)
            return self._conclude(feed, asked, fetched, parsed, sifted)

    async def _sift(self, feed: Feed, parsed: Parsed) -> Sifted:
        """In a thread: a feed of two thousand new entries would hold up every other poll for a second."""
        reading = Reading(feed, self._clock.now(), len(parsed.entries), self._settings.clock)
        store, entries = self._parts.store, parsed.entries
        aliases = store.aliases(feed.id, await asyncio.to_thread(all_marks, entries))
        known = store.seen(await asyncio.to_thread(ids, feed, entries, aliases))
        identified = await asyncio.to_thread(identify, feed, entries, Memory(aliases, known))
        return await asyncio.to_thread(sift, reading, identified, known)

    def _measured(self, sifted: Sifted) -> Sifted:
        """With how much news comes in, by all feeds of this process, told in every article; the drill is no news."""

        def measured(article: Article) -> Article:
            if article.drill:
                return article
            return structs.replace(article, flow=self._meter.note(article.observed_at, article.source))

        articles = tuple(measured(article) for article in sifted.articles)
        return replace(sifted, articles=articles)

    def _save_meter(self) -> None:
        """Once a minute: what is lost by a kill is a minute of counting."""
        if time.monotonic() >= self._meter_due:
            self._parts.store.note("flow", self._meter.saved())
            self._meter_due = time.monotonic() + SAVE_METER_S

    def _conclude(
        self, feed: Feed, asked: str, fetched: Fetched, parsed: Parsed | None = None, sifted: Sifted | None = None
    ) -> Poll:
        """Write down how the poll ended and when the next one is; everything to be sent has been acknowledged."""
        outcome = parsed.outcome if parsed else fetched.outcome
        said = (parsed.error or "; ".join(parsed.warnings)) if parsed else fetched.error
        detail = one_line(said, MAX_DETAIL)  # it may quote the server, whose control characters must not reach a log
        before = self.state(feed)
        read = told(parsed, sifted) if parsed and sifted else None
        ended = Ended(outcome, fetched, asked, detail, read)
        state, chosen = after(feed, before, ended, time.time(), self._dice.random())
        state = _netted(state, self.net_s(feed))
        self._parts.store.record(state, sifted.seen if sifted else ())
        if sifted and sifted.articles:
            self._save_meter()
        self._states[feed.id] = state
        poll = Poll(feed, outcome, sifted.handled if sifted else {}, detail, fetched.seconds)
        _count(poll)
        _count_articles(poll, sifted, first=before is None or not before.read_at)
        _log(poll, state, fetched, chosen)
        return poll

    def _conclude_push(self, feed: Feed, fetched: Fetched, parsed: Parsed, sifted: Sifted) -> Poll:
        """Write down which articles the broker has acknowledged, and leave the state of polling as it is."""
        before = self.state(feed)
        if before is not None:
            self._parts.store.record(before, sifted.seen)
        poll = Poll(feed, parsed.outcome, sifted.handled, one_line(parsed.error, MAX_DETAIL), fetched.seconds)
        _count_articles(poll, sifted, first=before is None)
        return poll


def _shown(feed: Feed, fetched: Fetched, parsed: Parsed, sifted: Sifted, before: float, *, pushed: bool) -> Shown:
    ids = frozenset(identify(feed, parsed.entries)) if pushed else frozenset[str]()
    return Shown(feed, fetched, parsed, ids, _fresh(sifted), before, pushed)


def _netted(state: FeedState, net_s: float) -> FeedState:
    """With the next poll put off, where pushes stand in for it; a feed that fails is polled as it would be."""
    if not net_s or state.next_due is None or state.failures:
        return state
    return replace(state, next_due=max(state.next_due, state.polled_at + net_s))


def _count(poll: Poll) -> None:
    metrics.FETCHES.labels(Kind.FEED.value, poll.outcome.value).inc()
    metrics.LAST_POLL.set_to_current_time()
    if poll.outcome.success:
        metrics.LAST_SUCCESS.set_to_current_time()


def _count_articles(poll: Poll, sifted: Sifted | None, *, first: bool) -> None:
    for handling, number in poll.handled.items():
        metrics.ARTICLES.labels(handling.value).inc(number)
    if sifted and not first:  # a first poll finds days of old articles: they tell nothing of the delay
        fresh = _fresh(sifted)
        for article in (article for article in sifted.articles if article.article_id in fresh):
            delay = (article.fetched_at - article.published_at).total_seconds()
            metrics.PUBLISHED_TO_FETCHED.observe(max(delay, 0.0))


def _fresh(sifted: Sifted) -> frozenset[str]:
    """The ids of articles that are sent for the first time."""
    first = {row.article_id for row in sifted.seen if not row.revision}
    return frozenset(article.article_id for article in sifted.articles if article.article_id in first)


def _log(poll: Poll, state: FeedState, fetched: Fetched, chosen: Next) -> None:
    fields = {
        "feed": poll.feed.id,
        "outcome": poll.outcome.value,
        "status": fetched.status,
        "bytes": len(fetched.body),
        "seconds": round(poll.seconds, 3),
        **{handling.value: number for handling, number in poll.handled.items() if number},
        "failures": state.failures,
        "next_s": None if chosen.wait_s is None else round(chosen.wait_s, 1),
        "next_why": chosen.why.value,
        "detail": poll.detail,
    }
    said = f"{poll.feed.id}: {poll.outcome.value}" + (f": {poll.detail}" if poll.detail else "")
    log.log(logging.INFO if poll.outcome.success else logging.WARNING, said, extra={"fields": fields})
