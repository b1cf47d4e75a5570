"""Full text from the feed to the delivery, against a real site."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pageserver
import pytest
from loopback import NETWORKS
from msgspec import structs
from pageserver import ORDINARY, TEASER, TEXT, TITLE, Site
from prometheus_client import REGISTRY

from config.feeds import Feed
from config.settings import load_settings
from config.spans import Span
from config.ways import Way
from connectors import metrics, pages
from connectors.claims import Claims
from connectors.entry import Entry
from connectors.fetch import Fetched, Fetcher, Limits, user_agent
from connectors.outcome import Outcome
from connectors.pages import Pages
from connectors.pagestore import PageStore
from connectors.parsers import Parsers
from connectors.poll import Parts, Poll, Poller
from connectors.recognition import identify
from connectors.shown import Shown
from connectors.sift import Reading, Sifted, sift
from connectors.stores import Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from pipeline.records import Article

LIMITS = Limits(total_s=4.0, connect_s=2.0)


@dataclass
class Taken:
    """A delivery that takes everything; ``batches`` are what was sent together."""

    batches: list[list[Article]] = field(default_factory=list)
    slow_s: float = 0.0

    async def send(self, articles: Sequence[Article], _: object = None) -> None:
        """Take them."""
        self.batches.append(list(articles))
        await asyncio.sleep(self.slow_s)

    @property
    def articles(self) -> list[Article]:
        """All of them."""
        return [article for batch in self.batches for article in batch]


@dataclass
class Desk:
    """A poller of one site's feed."""

    poller: Poller
    feed: Feed
    taken: Taken

    async def poll(self) -> Poll:
        """Poll once."""
        return await self.poller.poll(self.feed)


def triggers(text: str) -> bool:
    """A gate of the test's own."""
    return "brigades" in text


@asynccontextmanager
async def polling(site: Site, folder: Path, full_text: str = "on_trigger", allowed: bool = True) -> AsyncIterator[Desk]:
    """A poller whose state is in a folder."""
    taken = Taken()
    feed = Feed("wire", site.url("/feed"), full_text=full_text)  # type: ignore[arg-type]  # one of its words
    if not allowed:
        feed = Feed("wire", feed.url, full_text="always", access="intranet", way=Way("intranet", allow=NETWORKS))
    metrics.init()
    with Stores(folder) as store:
        async with (
            Fetcher(user_agent(), LIMITS, allowed=NETWORKS if allowed else ()) as fetcher,
            Parsers() as sandbox,
            Pages(fetcher, PageStore(folder), store, lambda: triggers) as filling,
        ):
            parts = Parts(fetcher, sandbox, taken, store, pages=filling)  # type: ignore[arg-type]  # what is used of one
            yield Desk(Poller(load_settings(data_dir=folder), parts), feed, taken)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A site of the test's own."""
    async with pageserver.site() as running:
        yield running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of a host a tenth of a second apart."""
    monkeypatch.setattr(pages, "SPACING_S", 0.1)


def counted(outcome: Outcome) -> float:
    """How many pages have ended so in this process."""
    labels = {"kind": "page", "outcome": outcome.value}
    return REGISTRY.get_sample_value("brinkwatch_connect_fetches_total", labels) or 0.0


async def test_a_page_is_asked_for_only_where_it_should(site: Site, tmp_path: Path):
    """An entry with a trigger has its page; an ordinary one, sent at once, has not; robots.txt is asked first, once."""
    site.show("/story/full")
    site.show("/story/latin", title="A cake for Havnstad", teaser=ORDINARY)
    async with polling(site, tmp_path) as desk:
        poll = await desk.poll()
    assert site.paths() == ["/robots.txt", "/story/full"]
    assert [[article.text for article in batch] for batch in desk.taken.batches] == [[ORDINARY], [TEXT]]
    assert (poll.outcome, poll.handled["new"]) == (Outcome.OK, 2)  # type: ignore[index]  # a StrEnum's member


async def test_a_page_is_asked_once(site: Site, tmp_path: Path):
    """Neither the next polls ask again, nor those after a restart, nor does its text make the entry look changed."""
    site.show("/story/full")
    for _ in range(2):
        async with polling(site, tmp_path) as desk:
            await desk.poll()
            poll = await desk.poll()
            assert {str(name): n for name, n in poll.handled.items() if n} == {"seen": 1}
    assert site.paths("/story") == ["/story/full"]


async def test_what_was_read_before_a_kill_is_not_asked_again(site: Site, tmp_path: Path):
    """Killed between page and record, the entry is new once more; its page is not."""
    site.show("/story/full")
    async with polling(site, tmp_path) as desk:
        desk.poller._parts.store.record = lambda *_: None  # type: ignore[method-assign]  # as if it never got so far
        await desk.poll()
    async with polling(site, tmp_path) as desk:
        await desk.poll()
    assert [article.text for article in desk.taken.articles] == [TEXT]
    assert site.paths("/story") == ["/story/full"]


async def test_an_edited_entry_has_its_page_read_anew(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The page is likely to have been edited, too; within ten minutes it is not asked again for that."""
    site.show("/story/full")
    async with polling(site, tmp_path) as desk:
        await desk.poll()
        for wording, asked in ((" Corrected.", 1), (" Corrected again.", 2)):
            monkeypatch.setattr(pages, "FRESH_S", 600.0 if asked == 1 else 0.0)
            site.entries = [("/story/full", TITLE, TEASER + wording)]
            await desk.poll()
            assert len(site.paths("/story")) == asked
    assert {article.article_id for article in desk.taken.articles} == {desk.taken.articles[0].article_id}
    assert len({article.content_hash for article in desk.taken.articles}) == 3


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/story/marked", Outcome.PAYWALL),
        ("/story/not-free", Outcome.PAYWALL),
        ("/story/stub", Outcome.NO_TEXT),
        ("/story/consent", Outcome.NO_TEXT),
        ("/story/no-html", Outcome.NO_TEXT),
        ("/private/story", Outcome.ROBOTS),
        ("/story/moved?to=/private/story", Outcome.ROBOTS),
        ("/story/huge", Outcome.TOO_LARGE),
        ("/story/drip", Outcome.TIMEOUT),
        ("/story/busy", Outcome.RATE_LIMITED),
        ("/story/nowhere", Outcome.NOT_FOUND),
    ],
)
async def test_whatever_a_page_does_the_article_is_sent(site: Site, tmp_path: Path, path: str, outcome: Outcome):
    """The teaser is sent as it is, the ending is counted, and the feed's own poll is none the worse for it."""
    site.show(path)
    before = counted(outcome)
    async with polling(site, tmp_path) as desk:
        poll = await desk.poll()
    assert [article.text for article in desk.taken.articles] == [TEASER]
    assert poll.outcome is Outcome.OK
    assert counted(outcome) - before == 1
    assert not site.paths("/private")


async def test_a_host_that_rests_is_asked_for_no_page(site: Site, tmp_path: Path):
    """What it asked of a feed counts for pages, also behind a redirect; nor is robots.txt asked; the teaser goes."""
    site.show("/story/full")
    elsewhere = site.url("/story/latin").replace("127.0.0.1", "localhost")
    before = counted(Outcome.RATE_LIMITED)
    async with polling(site, tmp_path) as desk:
        fetched = await desk.poller._parts.fetcher.fetch(desk.feed.url)
        assert (await desk.poller.poll(Feed("busy", site.url("/story/busy")))).outcome is Outcome.RATE_LIMITED
        await desk.poller.take(desk.feed, fetched, Span(0.0, 1.0))
        assert site.paths() == ["/story/busy"]
        desk.poller._rests._until = {"localhost": desk.poller._rests._until["127.0.0.1"]}
        site.entries = [(f"/story/moved?to={elsewhere}", TITLE, TEASER)]
        await desk.poll()
    assert site.paths() == ["/story/busy", "/robots.txt", "/story/moved"]
    assert [article.text for article in desk.taken.articles] == [TEASER, TEASER]
    assert counted(Outcome.RATE_LIMITED) - before == 2


async def test_what_a_page_s_host_asks_counts_for_its_feeds(site: Site, tmp_path: Path):
    """A page that answers 429 and Retry-After: no feed of that host is asked, nor after a restart."""
    site.show("/story/busy")
    other = Feed("other", site.url("/feed?other"))
    for _ in range(2):
        async with polling(site, tmp_path) as desk:
            await desk.poll()
            poll = await desk.poller.poll(other)
            assert (poll.outcome, "left alone" in poll.detail) == (Outcome.RATE_LIMITED, True)
    assert [path for path, _ in site.asked] == ["/feed", "/robots.txt", "/story/busy"]


@pytest.mark.parametrize(
    ("robots", "asked"),
    [
        ((404, ""), True),
        ((403, ""), True),
        ((200, ""), True),
        ((500, ""), False),
        ((429, ""), False),
        ((200, "Disallow"), True),
    ],
)
async def test_what_robots_txt_stands_for(site: Site, tmp_path: Path, robots: tuple[int, str], asked: bool):
    """None is leave; a server that fails is none, for a while."""
    site.robots = robots
    site.show("/story/full")
    async with polling(site, tmp_path) as desk:
        await desk.poll()
    assert site.paths("/story") == ["/story/full"] * asked
    assert len(desk.taken.articles) == 1


async def test_a_site_is_asked_slowly(site: Site, tmp_path: Path):
    """One page at a time, so far apart as robots.txt says, though two feeds of the site are polled at once."""
    site.robots = (200, "User-agent: *\nCrawl-delay: 0.5\n")
    site.show("/story/full", "/story/latin", "/story/canonical")
    async with polling(site, tmp_path) as desk:
        other = Feed("other", site.url("/feed?other"), full_text="always")
        await asyncio.gather(desk.poll(), desk.poller.poll(other))
    times = [when for path, when in site.asked if path.startswith("/story")]
    assert len(times) >= 3
    assert all(later - sooner > 0.45 for sooner, later in pairwise(times))


async def test_the_pages_of_a_poll_have_little_time(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What does not come in that time is sent as the feed shows it; a site that asks for long pauses is no delay."""
    monkeypatch.setattr(pages, "POLL_S", 30.0)
    site.robots = (200, "User-agent: *\nCrawl-delay: 3600\n")
    site.show("/story/full", "/story/latin", "/story/canonical")
    async with polling(site, tmp_path) as desk, asyncio.timeout(60):
        await desk.poll()
    assert sorted(article.text for article in desk.taken.articles) == sorted([TEXT, TEASER, TEASER])


async def test_an_article_is_known_by_the_address_of_its_page(site: Site, tmp_path: Path):
    """Two links to one page of another address: the first is that article, the second keeps its own; updates follow."""
    site.show("/story/canonical")
    async with polling(site, tmp_path) as desk:
        await desk.poll()
        site.entries = [("/story/canonical", TITLE, TEASER + " Corrected.")]
        await desk.poll()
        quiet = await desk.poll()
    first, second = desk.taken.articles
    assert first.url == second.url == site.url("/story/the-one-address")
    assert first.article_id == second.article_id
    assert quiet.handled["seen"] == 1  # type: ignore[index]  # a StrEnum's member


def forget_pages(folder: Path) -> None:
    """Delete the cache."""
    for path in folder.glob("pages.sqlite*"):
        path.unlink()


@pytest.mark.parametrize("path", ["/story/canonical", "/story/canonical-too"])
async def test_two_feeds_at_once_send_one_article(site: Site, tmp_path: Path, path: str):
    """By one link or by two to one page: who comes second waits for what the first sends, and is told that it has."""
    site.show("/story/canonical")
    async with polling(site, tmp_path) as desk:
        desk.taken.slow_s = 0.5
        fetched = await desk.poller._parts.fetcher.fetch(desk.feed.url)
        site.entries = [(path, TITLE, TEASER)]
        other = Feed("other", site.url("/feed"), full_text="always")
        first, second = await asyncio.gather(
            desk.poller.take(desk.feed, fetched, Span(0.0, 1.0), desk.feed.url), desk.poller.poll(other)
        )
        await asyncio.gather(desk.poll(), desk.poller.poll(other))
    assert [article.url for article in desk.taken.articles] == [site.url("/story/the-one-address")]
    assert first.handled["new"] + second.handled["new"] == 1  # type: ignore[index]  # a StrEnum's member


async def test_two_articles_at_once_that_claim_one_address_are_both_sent(site: Site, tmp_path: Path):
    """Each under an id of its own."""
    site.show("/story/canonical")
    async with polling(site, tmp_path) as desk:
        desk.taken.slow_s = 0.5
        fetched = await desk.poller._parts.fetcher.fetch(desk.feed.url)
        text = "Karvenia watches as Belmora closes the straits; two brigades stand at the border, officials said."
        site.entries = [("/story/canonical-too", "Tankers turn back at the straits of Belmora", text)]
        other = Feed("other", site.url("/feed"), full_text="always")
        await asyncio.gather(
            desk.poller.take(desk.feed, fetched, Span(0.0, 1.0), desk.feed.url), desk.poller.poll(other)
        )
    assert len({article.article_id for article in desk.taken.articles}) == len(desk.taken.articles) == 2


async def test_updates_find_their_article_without_a_cache(site: Site, tmp_path: Path):
    """The slug has changed with the title, the pages are forgotten, and none are asked for any more."""
    site.show("/story/canonical")
    async with polling(site, tmp_path) as desk:
        await desk.poll()
        first = desk.taken.articles[0]
    forget_pages(tmp_path)
    site.entries = [("/story/canonical?slug=edited", f"{TITLE}, again", TEASER)]
    async with polling(site, tmp_path, "never") as desk:
        poll = await desk.poll()
        (second,) = desk.taken.articles
    assert poll.handled["updated"] == 1  # type: ignore[index]  # a StrEnum's member
    assert (second.article_id, second.url, second.title) == (first.article_id, first.url, f"{TITLE}, again")


async def test_what_was_new_is_told_as_the_feed_has_it(site: Site, tmp_path: Path):
    """A hub pushes the feed's own links: by the address that a page gives its push would not be known again."""
    site.show("/story/canonical")
    shown: list[Shown] = []
    async with polling(site, tmp_path) as desk:
        desk.poller.on_shown = shown.append
        await desk.poll()
        fetched = await desk.poller._parts.fetcher.fetch(desk.feed.url)
        await desk.poller.take(desk.feed, fetched, Span(0.0, 1.0))
    polled, pushed = shown
    assert polled.fresh == pushed.ids
    assert polled.fresh != {article.article_id for article in desk.taken.articles}


async def test_pages_that_all_claim_one_address_lose_none(site: Site, tmp_path: Path):
    """A live blog's, in two feeds: each article is sent, under an id of its own; the same one twice is sent once."""
    other = "The straits are closed to tankers from Monday, says Belmora"
    said = "Belmora has closed the straits to tankers, and two brigades of Karvenia watch them, officials said."
    site.show("/story/canonical")
    async with polling(site, tmp_path) as desk:
        await desk.poll()
        site.entries = [("/story/canonical-too", TITLE, TEASER)]
        same = await desk.poller.poll(Feed("second", site.url("/feed"), full_text="always"))
        site.entries = [("/story/canonical-too?3", other, said)]
        third = await desk.poller.poll(Feed("third", site.url("/feed"), full_text="always"))
    assert (same.handled["seen"], third.handled["new"]) == (1, 1)  # type: ignore[index]  # a StrEnum's members
    assert [article.title for article in desk.taken.articles] == [TITLE, other]
    assert len({article.article_id for article in desk.taken.articles}) == 2


async def test_front_pages_and_other_sites_are_no_addresses(site: Site, tmp_path: Path):
    """A page that names them as its own is known by the feed's link."""
    site.show("/story/front", "/story/foreign")
    async with polling(site, tmp_path) as desk:
        await desk.poll()
    assert {article.url for article in desk.taken.articles} == {site.url("/story/front"), site.url("/story/foreign")}


async def test_pages_of_an_intranet_come_by_the_feeds_access(site: Site, tmp_path: Path):
    """Where the feed's own origin is allowed by its block, so are its pages and its robots.txt; others are not."""
    site.show("/story/full")
    site.entries.append((site.url("/story/latin").replace("127.0.0.1", "127.0.0.2"), TITLE, TEASER))
    before = counted(Outcome.ROBOTS)
    site.url = lambda path: path if path.startswith("http") else f"http://127.0.0.1:{site.port}{path}"  # type: ignore[method-assign]
    async with polling(site, tmp_path, allowed=False) as desk:
        await desk.poll()
    assert sorted(article.text for article in desk.taken.articles) == sorted([TEXT, TEASER])
    assert counted(Outcome.ROBOTS) - before == 1  # its robots.txt may not be asked, so nothing may


async def test_a_cache_that_is_damaged_is_made_anew(site: Site, tmp_path: Path):
    """It is only a cache: the article comes with its page, and the next one is kept."""
    (tmp_path / "pages.sqlite").write_bytes(b"no database at all" * 100)
    site.show("/story/full")
    async with polling(site, tmp_path) as desk:
        await desk.poll()
    assert [article.text for article in desk.taken.articles] == [TEXT]


class Odd:
    """A fetcher to whom every page ends the same odd way; robots.txt is there for none."""

    def __init__(self, ending: Fetched | Exception) -> None:
        self._ending = ending

    async def fetch(self, url: str, **_: object) -> Fetched:
        """The ending."""
        if url.endswith("/robots.txt"):
            return Fetched(Outcome.NOT_FOUND, status=404)
        if isinstance(self._ending, Exception):
            raise self._ending
        return replace(self._ending, final_url=url)


def sifted(*urls: str) -> Sifted:
    """What a poll comes to whose entries have these links."""
    feed = Feed("wire", "https://wire.example/feed")
    entries = [Entry(guid=url, url=f"https://wire.example/{n}", title=TITLE, text=TEASER) for n, url in enumerate(urls)]
    found = sift(Reading(feed, datetime.now(UTC), len(entries)), identify(feed, entries), {})
    articles = tuple(structs.replace(one, url=url) for one, url in zip(found.articles, urls, strict=True))
    return dataclasses.replace(found, articles=articles)


@pytest.mark.parametrize(
    ("url", "ending"),
    [
        ("http://[odd]/story", Fetched(Outcome.OK)),
        ("http://xn--\udcff.example/story", Fetched(Outcome.OK)),
        ("https://wire.example/a", Fetched(Outcome.BAD_URL, error="to ftp://\udcff/")),
        ("https://wire.example/a", RuntimeError("a library's surprise")),
        ("https://wire.example/a", Fetched(Outcome.OK, body=b"<p>\xff", content_type="text/html; charset=\udcff")),
    ],
)
async def test_no_page_is_odd_enough_to_lose_an_article(tmp_path: Path, url: str, ending: Fetched | Exception):
    """An address that is none, an error that is no text, a surprise: the teaser goes, the next one too."""
    feed = Feed("wire", "https://wire.example/feed", full_text="always")
    taken = Taken()
    was = sifted(url, "https://wire.example/b")
    with Stores(tmp_path) as store:
        filling = Pages(Odd(ending), PageStore(tmp_path), store)  # type: ignore[arg-type]  # what is used of one
        async with filling, Claims().claimed() as claim:
            now = await filling.deliver(feed, was, taken.send, claim)
    assert [article.text for article in taken.articles] == [TEASER, TEASER]
    assert now.seen == was.seen
