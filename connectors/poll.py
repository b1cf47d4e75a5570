"""Poller: one poll of one feed, from the socket to the store.

fetch ─▶ sandbox: parse ─▶ sift ─▶ pages ─▶ deliver ─▶ store ─▶ progress
(socket)   (process)       (pure)   (if asked) (Kafka)   (SQLite)   (pure)
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar
from weakref import WeakValueDictionary

from config.clock import WallClock
from config.feeds import Feed
from config.settings import Settings
from config.spans import Span
from connectors import files, lines, metrics, moves, polled, progress, renames, schedule, surprise
from connectors.claims import Claim, Claims
from connectors.deliver import Delivery
from connectors.entry import Entry, Parsed
from connectors.fetch import Fetched, Fetcher, Validators
from connectors.flows import Flows
from connectors.hand import Hand
from connectors.metrics import Kind
from connectors.outcome import Outcome
from connectors.pages import Pages
from connectors.parsers import Parsers
from connectors.plaintext import one_line
from connectors.polled import Poll
from connectors.progress import Ended, after, told
from connectors.recognition import Memory, all_marks, elsewhere_mark, identify, ids, repeated, unfamiliar
from connectors.rests import RESTS, Rests, hostname
from connectors.schedule import Next, Why
from connectors.shown import Shown
from connectors.sift import Reading, Sifted, sift
from connectors.store import FeedState
from connectors.stores import Stores
from pipeline.records import Article

__all__ = ["Parts", "Poll", "Poller"]
MAX_DETAIL = 500
SIFTERS = 2
FEW = 30
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Parts:
    """The effects that a connector works with."""

    fetcher: Fetcher
    sandbox: Parsers
    delivery: Delivery
    store: Stores
    hand: Hand = field(default_factory=Hand)
    pages: Pages | None = None


@dataclass(frozen=True, slots=True)
class _Taken:
    """A body that was read: what stands in it, and what became of that; ``fresh`` are the ids of its new entries.

    These and those of ``identified`` are the feed's own: an article may be sent under the address that its page gives.
    """

    parsed: Parsed
    identified: Mapping[str, Entry]
    sifted: Sifted
    fresh: frozenset[str]


class Poller:
    """Polls a feed and keeps what is known of each. What to do is decided in ``progress`` and ``sift``."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self._settings = settings
        self._parts = parts
        self._states = parts.store.feeds()
        self._rests = Rests()
        self._rests.restore(parts.store.noted(RESTS), time.time(), time.monotonic())
        if parts.pages is not None:
            parts.pages.heed(self._left_s, self._note_rest)
        self._led_to: dict[str, tuple[str, str]] = {}  # from where to where redirects led at the last poll, by feed
        self._flows = Flows(parts.store)
        self._claims = Claims()
        # Threads of its own: those of the loop may all wait for the names of hosts.
        self._sifters = ThreadPoolExecutor(SIFTERS, thread_name_prefix="sift")
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

    def resumed(self, feed: Feed, before: Feed | None = None) -> FeedState | None:
        """As ``state``; where its intervals are others than those of the last poll, with the next one as they have it.

        Args:
            feed: The feed, as the list has it now.
            before: As it was when it was lined up; None for what the state tells of that.
        """
        state = self.state(feed)
        same = state is None or (
            progress.fits(feed, state) if before is None else progress.pace(feed) == progress.pace(before)
        )
        if state is None or same:
            return state
        again, chosen = progress.paced(feed, state, self._dice.random())
        return _netted(again, chosen, self.net_s(feed))[0]

    def host(self, feed: Feed) -> str:
        """The host that the next poll of ``feed`` asks; empty for a file."""
        return hostname(_address(feed, self.state(feed)))

    def adopt(self, states: Mapping[str, FeedState], rests: Iterable[str] = ()) -> None:
        """Know these too, by id, from now on; and which hosts were left alone by who knew them before."""
        self._states.update(states)
        self._rests.restore(rests, time.time(), time.monotonic())

    def forget(self, feed_ids: Iterable[str]) -> None:
        """Know no more of these: another process polls them."""
        for feed_id in feed_ids:
            self._states.pop(feed_id, None)
            self._led_to.pop(feed_id, None)

    async def poll(self, feed: Feed) -> Poll:
        """Poll ``feed`` now; it ends when the broker has taken what was new and the store has written it down.

        An exception that nobody foresaw is a failure of this feed, with its back-off: it ends no other feed's polls.

        A feed whose host asked to be left alone is not asked; what is known of it stays, but for when it is due.

        Raises:
            BrinkwatchError: The state can't be written, or Kafka is away and the delivery not patient.
            OSError: The disk takes nothing more.
        """
        try:
            return await self._poll(feed)
        except Exception as error:  # noqa: BLE001  # told with its trace, or raised again
            return self._surprised(feed, error)

    def _surprised(self, feed: Feed, error: Exception) -> Poll:
        """Conclude a poll that met what nobody foresaw; if that is in what is known of the feed, it begins anew."""
        fetched = surprise.failed(feed, error)
        try:
            return self._conclude(feed, "", fetched)
        except Exception as again:  # noqa: BLE001  # as in ``poll``
            fetched = surprise.failed(feed, again)
        before = self._states.get(feed.id)
        failures = before.failures if before else 0
        self._states[feed.id] = FeedState(feed.id, feed.url, fetched.outcome, failures=failures)
        return self._conclude(feed, "", fetched)

    async def _poll(self, feed: Feed) -> Poll:
        if rest := self._rest_s(feed):  # the host has asked, on behalf of another feed
            return self._put_off(feed, rest)
        await self._parts.hand.room()
        if rest := self._rest_s(feed):  # there may have been none for hours
            return self._put_off(feed, rest)
        metrics.ATTEMPTS.labels(Kind.FEED.value).inc()
        state = self.state(feed)
        address = _address(feed, state)
        begun = time.time()
        fetched = await self._fetch(feed, address, Validators(state.etag, state.last_modified) if state else None)
        metrics.FETCH_SECONDS.labels(Kind.FEED.value).observe(fetched.seconds)
        self._note_host(feed, address, fetched)
        if fetched.outcome is not Outcome.OK:
            return self._conclude(feed, address, fetched)
        return await self.take(feed, fetched, Span(begun, begun + fetched.seconds), address)

    async def _fetch(self, feed: Feed, address: str, validators: Validators | None) -> Fetched:
        """What the feed's address gives. Only here may that be a file: a redirect leads to the web alone."""
        if files.is_file(feed.url):
            return await files.fetch(feed.url, validators.etag if validators else "")
        return await self._parts.fetcher.fetch(address, validators, way=feed.way)

    def _rest_s(self, feed: Feed) -> float:
        """Seconds for which ``feed`` is not asked: its host rests, or the one that redirects from there lead to."""
        if not self._rests:
            return 0.0
        state = self.state(feed)
        address = _address(feed, state)
        asked, there = self._led_to.get(feed.id, ("", ""))
        urls = (address, state.moved_to if state else "", there if asked == address else "")
        return max(map(self._left_s, urls))

    def _left_s(self, url: str) -> float:
        """Seconds for which the host of ``url`` is still to be left alone."""
        return self._rests.left_s(hostname(url), time.monotonic())

    def _put_off(self, feed: Feed, rest_s: float) -> Poll:
        """Leave all as it is, but for when the next poll is."""
        state = self.state(feed)
        wait_s = schedule.rested_s(rest_s, self._dice.random())
        later = progress.put_off(state, wait_s, time.time())
        if later is not None and later is not state:
            self._parts.store.record(later)
            self._states[feed.id] = later
        return polled.resting(feed, rest_s, wait_s)

    def _note_host(self, feed: Feed, address: str, fetched: Fetched) -> None:
        """Which host has answered, and whether it asks to be left alone: not the one that redirects there."""
        if fetched.final_url == address or hostname(fetched.final_url) == hostname(address):
            self._led_to.pop(feed.id, None)
        else:
            self._led_to[feed.id] = address, fetched.final_url
        self._note_rest(feed, fetched)

    def _note_rest(self, feed: Feed, fetched: Fetched) -> None:
        """Write down that the host that has answered asks to be left alone, if it does."""
        if fetched.retry_after_s and not fetched.outcome.success:
            self._rests.ask(hostname(fetched.final_url), fetched.retry_after_s, time.monotonic())
            self._parts.store.part(feed.id).note(RESTS, self._rests.saved(time.time(), time.monotonic()))

    async def take(self, feed: Feed, fetched: Fetched, span: Span, asked: str = "") -> Poll:
        """Read a body of ``feed`` that came with outcome ``ok``; as ``poll``, from there on.

        From here to the broker its bytes are in hand, and while those are many no feed is asked. One body of a feed at
        a time: two that show the same new entry would both send it. One that was pushed changes nothing of what polling
        goes by: validators, failures, when the next poll is due.

        Args:
            feed: The feed.
            fetched: The body, and what came with it.
            span: From when to when it was fetched.
            asked: The address that was asked for it; empty where it was pushed.
        """
        with self._parts.hand.holding(len(fetched.body)):
            turn = self._turns.setdefault(feed.id, asyncio.Lock())
            async with turn, self._claims.claimed() as claim:
                taken = await self._read(feed, fetched, claim)
                taken = replace(taken, sifted=await self._deliver(feed, taken.sifted, span, claim))
                if taken.parsed.outcome is Outcome.OK:
                    self.on_shown(self._shown(feed, fetched, taken, pushed=not asked))
                if not asked:
                    return self._conclude_push(feed, fetched, taken)
                return self._conclude(feed, asked, fetched, taken)

    async def _read(self, feed: Feed, fetched: Fetched, claim: Claim) -> _Taken:
        parsed = await self._parsed(feed, fetched)
        taken = await self._sifted(feed, parsed)
        while await claim.waited(polled.claimed(taken.sifted)) or self._known_by_now(feed, taken.sifted):
            taken = await self._sifted(feed, parsed)  # another feed was about to send some of it, or has meanwhile
        measured = self._flows.measured(feed.id, taken.sifted.articles)
        return replace(taken, sifted=replace(taken.sifted, articles=measured))

    async def _parsed(self, feed: Feed, fetched: Fetched) -> Parsed:
        """What stands in a body. A line of a file that ends the parser is passed over, if the parser reads others."""
        source = files.source(fetched)
        parsed = await self._parts.sandbox.parse(fetched.body, source)
        least = bool(source.line) and files.is_least(self._etag(feed))
        if parsed.outcome is not Outcome.PARSE_FAILED or not least:
            return parsed
        sound = await self._parts.sandbox.parse(lines.SOUND, source)
        return lines.passed_over(source.line, parsed.error) if sound.outcome is Outcome.OK else parsed

    def _etag(self, feed: Feed) -> str:
        state = self.state(feed)
        return state.etag if state else ""

    def _known_by_now(self, feed: Feed, sifted: Sifted) -> bool:
        """Whether another feed has sent some of it since it was sifted, which takes long for many new entries."""
        return bool(sifted.unknown) and bool(self._parts.store.seen(sorted(sifted.unknown), feed.id))

    async def _sifted(self, feed: Feed, parsed: Parsed) -> _Taken:
        """In threads: a feed of two thousand new entries would hold up every other poll for a second.

        A few entries are recognised at once: to go to a thread and back takes longer.
        """
        reading = Reading(feed, self._clock.now(), len(parsed.entries), self._settings.clock)
        store, entries = self._parts.store, parsed.entries
        aside = self._aside if len(entries) > FEW else _here
        aliases = store.aliases(feed.id, await aside(lambda: all_marks(entries)))
        known = store.seen(await aside(lambda: ids(feed, entries, aliases)), feed.id)
        memory = Memory(aliases, known)
        identified = await aside(lambda: identify(feed, entries, memory))
        others = await aside(lambda: [elsewhere_mark(name) for name in unfamiliar(feed, identified, memory)])
        told = {**aliases, **store.aliases(feed.id, others)}
        sifted = await self._aside(lambda: sift(reading, identified, known, told))
        return _Taken(parsed, identified, self._renamed(feed, sifted), polled.fresh(sifted))

    def _renamed(self, feed: Feed, sifted: Sifted) -> Sifted:
        ways = self._parts.store.aliases(feed.id, renames.marks(sifted))
        return renames.applied(sifted, ways, self._parts.store.seen([way.article_id for way in ways.values()], feed.id))

    async def _aside(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._sifters, work)

    async def _deliver(self, feed: Feed, sifted: Sifted, span: Span, claim: Claim) -> Sifted:
        """Send what is new, with the text of its pages where the feed has them asked for; what was sent."""

        async def send(articles: Sequence[Article]) -> None:
            await self._parts.delivery.send(articles, span)

        if self._parts.pages is not None:
            return await self._parts.pages.deliver(feed, sifted, send, claim)
        await send(sifted.articles)
        return sifted

    def _conclude(self, feed: Feed, asked: str, fetched: Fetched, taken: _Taken | None = None) -> Poll:
        """Write down how the poll ended and when the next one is; everything to be sent has been acknowledged."""
        outcome, detail = _told(fetched, taken)
        before = self.state(feed)
        read = told(taken.parsed, taken.sifted) if taken else None
        ended = Ended(outcome, fetched, asked, detail, read)
        state, chosen = after(feed, before, ended, time.time(), self._dice.random())
        state, chosen = _netted(state, chosen, self.net_s(feed))
        if _goes_on(outcome, fetched, state):
            etag = files.smaller(state.etag, fetched) if outcome is Outcome.PARSE_FAILED else state.etag
            state, chosen = replace(state, etag=etag, next_due=state.polled_at), Next(0.0, Why.MORE)
        sifted = taken.sifted if taken else None
        self._parts.store.record(state, sifted.seen if sifted else (), sifted.aliases if sifted else ())
        if sifted and sifted.articles:
            self._flows.save(feed.id)
        self._states[feed.id] = state
        poll = Poll(feed, outcome, sifted.handled if sifted else {}, detail, fetched.seconds)
        polled.count(poll)
        polled.count_articles(poll, sifted, first=before is None or not before.read_at or files.is_file(feed.url))
        polled.tell(poll, before, state, fetched, chosen)
        return poll

    def _conclude_push(self, feed: Feed, fetched: Fetched, taken: _Taken) -> Poll:
        """Write down which articles the broker has acknowledged, and leave the state of polling as it is."""
        before = self.state(feed)
        if before is not None:
            self._parts.store.record(before, taken.sifted.seen, taken.sifted.aliases)
        outcome, detail = _told(fetched, taken)
        poll = Poll(feed, outcome, taken.sifted.handled, detail, fetched.seconds)
        polled.count_articles(poll, taken.sifted, first=before is None)
        return poll

    def _shown(self, feed: Feed, fetched: Fetched, taken: _Taken, *, pushed: bool) -> Shown:
        before = self.state(feed)
        there = frozenset(taken.identified) if pushed else frozenset[str]()
        polled_at = before.polled_at if before else 0.0
        return Shown(feed, fetched, taken.parsed, there, taken.fresh, polled_at, pushed)


async def _here(work: Callable[[], Result]) -> Result:
    return work()


def _address(feed: Feed, state: FeedState | None) -> str:
    """Where to ask. A feed with an access block stays where it is: no other host is to be reached by its way."""
    return feed.url if feed.way else moves.address(feed, state, time.time())


def _told(fetched: Fetched, taken: _Taken | None) -> tuple[Outcome, str]:
    """How it ended, and what was off; it may quote the server, whose control characters must not reach a log."""
    if taken is None:
        return fetched.outcome, one_line(fetched.error, MAX_DETAIL)
    left_out = repeated(len(taken.parsed.entries), taken.identified)
    warnings = (fetched.error, *taken.parsed.warnings, left_out)
    said = taken.parsed.error or "; ".join(filter(None, warnings))
    return taken.parsed.outcome, one_line(said, MAX_DETAIL)


def _goes_on(outcome: Outcome, fetched: Fetched, state: FeedState) -> bool:
    """Whether the next portion of a file is read at once: there is more, or one that can't be parsed has a smaller."""
    if outcome is Outcome.PARSE_FAILED:
        return bool(fetched.body and files.source(fetched).line) and not files.is_least(state.etag)
    return outcome is Outcome.OK and files.has_more(fetched)


def _netted(state: FeedState, chosen: Next, net_s: float) -> tuple[FeedState, Next]:
    """With the next poll put off, where pushes stand in for it; a feed that fails is polled as it would be."""
    netted = state.polled_at + net_s
    if not net_s or state.next_due is None or state.failures or state.next_due >= netted:
        return state, chosen
    return replace(state, next_due=netted), Next(net_s, Why.PUSHED)
