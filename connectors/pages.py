"""Pages: the full text of articles that a feed shows only in part, asked for politely and in bounded time.

An article never waits for ever, and is never lost: whatever its page does, it is sent, at least as the feed shows it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, Self
from urllib.parse import urldefrag

from yarl import URL

from config.errors import BrinkwatchError
from config.feeds import Feed
from config.ways import Way
from connectors import fulltext, metrics
from connectors.aliases import Alias
from connectors.claims import Claim
from connectors.fetch import Fetched, Fetcher, Manner
from connectors.formats import Source
from connectors.fulltext import Filled, Gate, Known
from connectors.metrics import Kind
from connectors.outcome import Outcome
from connectors.page import Page, same_site
from connectors.pagestore import TRANSIENT, Kept, PageStore
from connectors.plaintext import one_line
from connectors.robots import MAX_BYTES as MAX_ROBOTS
from connectors.robots import Robots
from connectors.sandbox import Sandbox
from connectors.sift import Sifted
from connectors.store import Seen
from connectors.turns import TooLate, Turns
from pipeline.records import Article

log = logging.getLogger(__name__)
MAX_BYTES = 2 * 1024 * 1024
MAX_DETAIL = 300
SPACING_S = 1.0
POLL_S = 45.0
"""What the pages of one poll may take together: what has not come by then is sent as the feed shows it."""
READ_S = 10.0
FRESH_S = 600.0
AGAIN_S = 3600.0
ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
_ROBOTS = Manner(Kind.PAGE, "text/plain, */*;q=0.1", MAX_ROBOTS)

Send = Callable[[Sequence[Article]], Awaitable[None]]
BuildGate = Callable[[], Gate]
RestOf = Callable[[str], float]
Answered = Callable[[Feed, Fetched], None]


class Remembers(Protocol):
    """What knows which articles the broker has acknowledged: ``connectors.stores.Stores``."""

    def seen(self, article_ids: Sequence[str], feed_id: str = "") -> Mapping[str, Seen]:
        """Those of ``article_ids`` that it has."""

    def aliases_of(self, feed_id: str, article_id: str) -> Sequence[Alias]:
        """By what else an article of a feed is known."""


class Pages:
    """Fills articles with the text of their pages; use it as an async context manager."""

    def __init__(self, fetcher: Fetcher, store: PageStore, memory: Remembers, gate: BuildGate | None = None) -> None:
        """Nothing is asked, opened or built before it is needed.

        Args:
            fetcher: Fetches pages and robots.txt.
            store: Where pages are kept.
            memory: Which articles the broker has acknowledged before.
            gate: Builds what says whether a text is worth it; None where nobody can say, then none is.
        """
        self._fetcher = fetcher
        self._store = store
        self._memory = memory
        self._build = gate
        self._gate: Gate | None = None
        self._building = asyncio.Lock()
        self._sandbox = Sandbox(READ_S)
        self._turns = Turns()
        self._robots = Robots(lambda url, way: fetcher.fetch(url, way=way, manner=_ROBOTS))
        self._rest_s: RestOf = lambda _: 0.0
        self._answered: Answered = lambda *_: None

    def heed(self, rest_s: RestOf, answered: Answered) -> None:
        """Leave alone the hosts that asked for that on behalf of feeds, and the other way round.

        Args:
            rest_s: Seconds for which the host of an address is still to be left alone; 0 where it is not.
            answered: Is told how asking for a page of a feed has ended.
        """
        self._rest_s, self._answered = rest_s, answered

    async def __aenter__(self) -> Self:
        await self._sandbox.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._sandbox.__aexit__(*error)
        self._store.close()

    async def deliver(self, feed: Feed, sifted: Sifted, send: Send, claim: Claim) -> Sifted:
        """Send the articles of one poll: at once those that need no page, then the others, with it or without.

        Args:
            feed: Whose.
            sifted: What the poll came to.
            send: Returns when the broker has acknowledged.
            claim: The poll's, also on the addresses that pages give.

        Returns:
            What was sent, and what is to be stored.
        """
        if feed.full_text == "never":
            await send(sifted.articles)
            return sifted
        wanted = await self._wanted(feed, sifted.articles)
        names = {article.article_id for article in wanted}
        rest = [article for article in sifted.articles if article.article_id not in names]
        if rest or not wanted:
            await send(rest)
        if not wanted:
            return sifted
        done = await self._fill(feed, wanted, sifted)
        while await claim.waited(each.article.article_id for each in done if each.article.article_id != each.was):
            pass  # another feed was about to send one of them: look at what is known only then
        merged = self._merged(feed, sifted, done)
        sent = {article.article_id for article in rest}
        if late := [article for article in merged.articles if article.article_id not in sent]:
            await send(late)
        return merged

    def _merged(self, feed: Feed, sifted: Sifted, done: Sequence[Filled]) -> Sifted:
        seen = self._memory.seen([each.article.article_id for each in done], feed.id)
        known = {
            name: Known(row, self._memory.aliases_of(row.feed, name) if row.feed != feed.id else ())
            for name, row in seen.items()
        }
        return fulltext.merged(sifted, done, known)

    async def _wanted(self, feed: Feed, articles: Sequence[Article]) -> tuple[Article, ...]:
        if not any(fulltext.is_teaser(article.text) for article in articles):
            return ()
        gate = await self._the_gate() if feed.full_text == "on_trigger" else None
        return await asyncio.to_thread(fulltext.wanted, feed, articles, gate)

    async def _the_gate(self) -> Gate | None:
        async with self._building:
            build, self._build = self._build, None
            if build is not None:
                try:
                    self._gate = await asyncio.to_thread(build)
                except BrinkwatchError as error:  # articles come without their pages rather than not at all
                    log.error("no full text on triggers: %s", error)  # noqa: TRY400  # its text says it all
        return self._gate

    async def _fill(self, feed: Feed, wanted: Sequence[Article], sifted: Sifted) -> list[Filled]:
        """Each wanted article as it is with its page, under the address that the page gives."""
        until = time.monotonic() + POLL_S
        updated = {row.article_id for row in sifted.seen if row.revision}
        return [
            await self._filled(feed, article, link, until, updated=article.article_id in updated)
            for article in wanted
            for link in (_page_of(sifted.links.get(article.article_id, article.url)),)
        ]

    async def _filled(self, feed: Feed, article: Article, url: str, until: float, *, updated: bool) -> Filled:
        """``article`` as it is with its page; as it is without, if anything at all goes wrong with that."""
        try:
            page = await self._page(feed, article, url, until)
            now = fulltext.filled(article, page)
            address = "" if updated else _own_address(article, page)
            return Filled(fulltext.renamed(now, address) if address else now, article.article_id)
        except Exception:
            # Whatever it is, it is no reason to lose the article.
            log.exception("filling an article failed", extra={"fields": {"feed": feed.id}})
            metrics.FETCHES.labels(Kind.PAGE.value, Outcome.BAD_RESPONSE.value).inc()
            return Filled(article, article.article_id)

    async def _page(self, feed: Feed, article: Article, url: str, until: float) -> Page:
        """The page of ``article``, to which ``url`` leads: as it is kept, if that is still good, else as it is now."""
        kept = self._store.get(url)
        if kept is not None and _good(kept, article.content_hash, time.time()):
            return kept.page
        if time.monotonic() >= until:
            return Page(outcome=Outcome.TIMEOUT)
        begun = time.monotonic()
        metrics.ATTEMPTS.labels(Kind.PAGE.value).inc()
        page = fulltext.judged(article, await self._asked(feed, url, until))
        metrics.FETCHES.labels(Kind.PAGE.value, page.outcome.value).inc()
        self._store.put(url, Kept(article.content_hash, time.time(), page))
        _log(feed, page, time.monotonic() - begun)
        return page

    async def _asked(self, feed: Feed, url: str, until: float) -> Page:
        """What the page is now, or how asking for it ended; never later than ``until``."""
        try:
            if resting := self._resting(url):
                return _without(resting)
            host = URL(url).raw_host or ""
            async with asyncio.timeout(max(until - time.monotonic(), 0.0)), self._turns.turn(host, until):
                self._turns.rest(host, SPACING_S)  # should it end in the middle
                fetched = await self._fetched(feed, url, until)
                delay_s = 0.0 if self._resting(url) else (await self._robots.of(url, _way(feed, url))).delay_s
                self._turns.rest(host, max(SPACING_S, fetched.retry_after_s, delay_s))
                if fetched.outcome is not Outcome.OK:
                    return _without(fetched)
                return await self._sandbox.page(fetched.body, Source(fetched.final_url, fetched.content_type))
        except (TimeoutError, TooLate):
            return Page(outcome=Outcome.TIMEOUT, error="there was no time left for the page")
        except Exception as error:
            # Whatever it is, it is no reason to lose the article.
            log.exception("reading a page failed", extra={"fields": {"feed": feed.id}})
            return Page(outcome=Outcome.BAD_RESPONSE, error=type(error).__name__)

    async def _fetched(self, feed: Feed, url: str, until: float) -> Fetched:
        async def may_ask(hop: str) -> Fetched | None:
            return await self._refusal(feed, hop, until, first=hop == url)

        manner = Manner(Kind.PAGE, ACCEPT, MAX_BYTES, may_ask)
        fetched = await self._fetcher.fetch(url, way=_way(feed, url), manner=manner)
        metrics.FETCH_SECONDS.labels(Kind.PAGE.value).observe(fetched.seconds)
        self._answered(feed, fetched)
        return fetched

    async def _refusal(self, feed: Feed, hop: str, until: float, *, first: bool) -> Fetched | None:
        """Why a hop is not made: where a site redirects to, another one's rest, robots.txt and pauses count."""
        if resting := self._resting(hop):
            return resting
        rules = await self._robots.of(hop, _way(feed, hop))
        if refusal := rules.refusal(hop):
            return Fetched(Outcome.ROBOTS, error=refusal)
        if not first:
            try:
                await self._turns.pause(URL(hop).raw_host or "", until, max(SPACING_S, rules.delay_s))
            except TooLate:
                return Fetched(Outcome.TIMEOUT, error="there was no time left for the page")
        return None

    def _resting(self, url: str) -> Fetched | None:
        """How asking for ``url`` ends while its host asks to be left alone; None where it does not."""
        rest_s = self._rest_s(url)
        why = f"its host asked to be left alone for another {rest_s:.0f} s"
        return Fetched(Outcome.RATE_LIMITED, error=why) if rest_s else None


def _without(fetched: Fetched) -> Page:
    """The page that an ending stands for which is none."""
    return Page(outcome=fetched.outcome, error=one_line(fetched.error, MAX_DETAIL))


def _good(kept: Kept, wording: str, now: float) -> bool:
    """Whether a page that is kept is good for an entry of that wording: an edited one is likely to have changed."""
    age = now - kept.read_at
    if kept.page.outcome in TRANSIENT:
        return 0 <= age < AGAIN_S and kept.wording == wording
    return kept.wording == wording or 0 <= age < FRESH_S


def _page_of(url: str) -> str:
    """The address of the page alone: articles that are places in one page share it. A ``#!`` route is a page."""
    page, fragment = urldefrag(url)
    return url if fragment.startswith("!") else page


def _own_address(article: Article, page: Page) -> str:
    """The address that a page gives as its own, where it is the article's page and of the same site."""
    known = page.outcome in {Outcome.OK, Outcome.PAYWALL}
    return page.canonical if known and same_site(page.canonical, article.url) else ""


def _way(feed: Feed, url: str) -> Way | None:
    """The feed's access block for a page of the feed's own origin; no other page may have it."""
    if feed.way is None or URL(url).origin() != URL(feed.url).origin():
        return None
    return feed.way


def _log(feed: Feed, page: Page, seconds: float) -> None:
    detail = one_line(page.error, MAX_DETAIL)
    fields = {
        "feed": feed.id, "kind": Kind.PAGE.value, "outcome": page.outcome.value, "characters": len(page.text),
        "seconds": round(seconds, 3), "detail": detail,
    }  # fmt: skip
    said = f"{feed.id}: page: {page.outcome.value}" + (f": {detail}" if detail else "")
    log.info(said, extra={"fields": fields})
