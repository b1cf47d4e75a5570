"""Which articles need their page, and what they become with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pageserver import CONSENT, TEASER, TEXT, TITLE

from config.feeds import Feed
from connectors import fulltext, identity, recognition, renames
from connectors.entry import Entry
from connectors.fulltext import Filled, Known
from connectors.metrics import Handling
from connectors.outcome import Outcome
from connectors.page import Page
from connectors.recognition import identify
from connectors.sift import Reading, Sifted, sift
from connectors.store import Seen
from pipeline.records import Article

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
FEED = Feed("wire", "https://wire.example/feed", full_text="on_trigger")


def sifted(*paths: str, known: dict[str, Seen] | None = None, text: str = TEASER) -> Sifted:
    """What a poll of the feed with an entry for each path comes to."""
    entries = [Entry(guid=path, url=f"https://wire.example{path}", title=TITLE, text=text) for path in paths]
    return sift(Reading(FEED, NOW, len(entries)), identify(FEED, entries), known or {})


def article(path: str = "/a", text: str = TEASER) -> Article:
    """One article of the feed."""
    return sifted(path, text=text).articles[0]


@pytest.mark.parametrize(
    ("full_text", "passes", "count"),
    [("never", True, 0), ("on_trigger", True, 2), ("on_trigger", False, 0), ("always", False, 2)],
)
def test_whose_page_is_asked_for(full_text: str, passes: bool, count: int):
    """Only where the operator wants it, and on triggers only where title or summary has one."""
    asked: list[str] = []
    feed = Feed("wire", "https://wire.example/feed", full_text=full_text)  # type: ignore[arg-type]  # one of its words
    found = fulltext.wanted(feed, sifted("/a", "/b").articles, lambda text: asked.append(text) or passes)
    assert len(found) == count
    assert set(asked) == ({f"{TITLE}\n{TEASER}"} if full_text == "on_trigger" else set())


def test_without_a_gate_nothing_triggers():
    """Where nobody can say what a trigger is, no publisher is asked for every page."""
    assert fulltext.wanted(FEED, [article()], None) == ()


@pytest.mark.parametrize(
    ("text", "teaser"),
    [("", True), (TEASER, True), ("word " * 400, False), ("word " * 400 + "…", True), ("word " * 400 + "[...]", True)],
)
def test_teasers(text: str, teaser: bool):
    """A long text is the article, unless it breaks off."""
    assert fulltext.is_teaser(text) is teaser


def test_at_most_twenty_pages_of_a_poll():
    """A feed of days of entries must not keep a publisher, nor its own poll, busy for long."""
    many = sifted(*(f"/{n}" for n in range(50))).articles
    assert fulltext.wanted(FEED, many, lambda _: True) == many[:20]


def test_with_its_page():
    """Text and signature are the page's without its headline; all else is the entry's: changes are told by its hash."""
    before = article()
    after = fulltext.filled(before, Page(outcome=Outcome.OK, text=f"World news\n{TITLE}\n{TEXT}"))
    assert (after.text, after.content_hash, after.article_id) == (TEXT, before.content_hash, before.article_id)
    assert after.minhash != before.minhash
    assert fulltext.filled(before, Page(outcome=Outcome.PAYWALL)) == before


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (TEXT, Outcome.OK),
        (TEASER, Outcome.NO_TEXT),
        (CONSENT, Outcome.NO_TEXT),
        ("The bakers of Havnstad baked a cake as long as the harbour wall. " * 9, Outcome.NO_TEXT),
    ],
)
def test_a_page_must_be_the_articles(text: str, outcome: Outcome):
    """A consent page, another story, or the teaser once more never takes the place of what the feed says."""
    page = fulltext.judged(article(), Page(outcome=Outcome.OK, text=text))
    assert page.outcome is outcome
    assert page.text == (text if outcome is Outcome.OK else "")


def moved(one: Article, path: str) -> Filled:
    """The article under another address."""
    return Filled(fulltext.renamed(one, f"https://wire.example{path}"), one.article_id)


def test_an_article_under_its_own_address():
    """It is sent under the page's address, and known under both: the feed goes on to show the other."""
    was = sifted("/a?x=1")
    now = fulltext.merged(was, [moved(was.articles[0], "/a")], {})
    assert [one.url for one in now.articles] == ["https://wire.example/a"]
    assert now.articles[0].article_id == identity.article_id("https://wire.example/a", "", "", "")
    assert {row.article_id for row in now.seen} == {was.articles[0].article_id, now.articles[0].article_id}


def elsewhere(name: str, entry: Entry, digest: str = "0" * 32, feed: str = "other") -> dict[str, Known]:
    """That another feed has brought that entry, with a content hash."""
    aliases = recognition.to_remember(Feed(feed, ""), {name: entry}, [name], 0.0)
    return {name: Known(Seen(name, feed, digest, 0, 0.0), list(aliases))}


@pytest.mark.parametrize(
    ("title", "text", "digest"),
    [
        (TITLE, "Worded by another desk.", "0" * 32),
        ("Brigades move", TEASER, "0" * 32),
        ("Brigades move", "Worded by another desk.", identity.content_hash(TITLE, TEASER)),
    ],
)
def test_what_another_feed_has_brought_is_not_sent_again(title: str, text: str, digest: str):
    """Two feeds of a site that link one article by two addresses make one article, though one of them was edited."""
    was = sifted("/a?x=1")
    there = moved(was.articles[0], "/a")
    known = elsewhere(there.article.article_id, Entry(guid="g", url="", title=title, text=text), digest)
    now = fulltext.merged(was, [there], known)
    assert now.articles == ()
    assert now.seen == (*was.seen, replace(known[there.article.article_id].seen, shown_at=NOW.timestamp()))
    assert (now.handled[Handling.NEW], now.handled[Handling.SEEN]) == (0, 1)


def test_another_article_that_claims_its_address_is_sent():
    """Under the address that its feed gives: pages made by one template may all claim one."""
    was = sifted("/a?x=1")
    there = moved(was.articles[0], "/a")
    entry = Entry(
        guid="g", url="", title="The bakers of Havnstad and their cake", text="It was as long as the harbour."
    )
    now = fulltext.merged(was, [there], elsewhere(there.article.article_id, entry))
    assert (now.articles, now.seen, now.handled) == (was.articles, was.seen, was.handled)


def test_one_address_for_many_pages_loses_none():
    """A site whose pages all claim one address, now or some polls ago, has each sent under the feed's address."""
    was = sifted("/a", "/b")
    now = fulltext.merged(was, [moved(one, "/all") for one in was.articles], {})
    assert [one.url for one in now.articles] == ["https://wire.example/all", "https://wire.example/b"]
    taken = {now.articles[0].article_id: Known(Seen(now.articles[0].article_id, "wire", "0" * 32, 0, 0.0))}
    later = sifted("/c")
    assert fulltext.merged(later, [moved(later.articles[0], "/all")], taken).articles == later.articles


def test_an_update_goes_where_its_article_went():
    """Else the same news would come as a second article."""
    first = sifted("/a?x=1")
    sent = fulltext.merged(first, [moved(first.articles[0], "/a")], {})
    known = {row.article_id: row for row in sent.seen}
    ways = {alias.mark: alias for alias in sent.aliases}
    edited = sifted("/a?x=1", known=known, text=TEASER + " It was corrected.")
    again = renames.applied(edited, ways, known)
    assert [one.article_id for one in again.articles] == [sent.articles[0].article_id]
    assert {row.revision for row in again.seen} == {1}
    assert {row.article_id for row in again.seen} == set(known)


def test_an_update_of_what_another_feed_has_sent_is_not_sent():
    """The entry was known to be that article, and its feed is not the one whose changes count."""
    first = sifted("/a?x=1")
    there = moved(first.articles[0], "/a")
    theirs = Seen(there.article.article_id, "other", first.articles[0].content_hash, 0, 0.0)
    sent = fulltext.merged(first, [there], {there.article.article_id: Known(theirs)})
    known = {theirs.article_id: theirs, **{row.article_id: row for row in sent.seen}}
    edited = sifted("/a?x=1", known=known, text=TEASER + " It was corrected.")
    again = renames.applied(edited, {alias.mark: alias for alias in sent.aliases}, known)
    assert (sent.articles, again.articles) == ((), ())
    assert (again.handled[Handling.UPDATED], again.handled[Handling.SEEN]) == (0, 1)
    (row,) = [row for row in again.seen if row.article_id == theirs.article_id]
    assert (row.feed, row.content_hash, row.shown_at) == ("other", theirs.content_hash, NOW.timestamp())


def test_what_leads_to_an_article_is_kept_while_its_entry_is_shown():
    """Else the article would be forgotten after a month, and the next edit come under an id that was never sent."""
    first = sifted("/a?x=1")
    sent = fulltext.merged(first, [moved(first.articles[0], "/a")], {})
    known = {row.article_id: replace(row, shown_at=0.0) for row in sent.seen}
    later = renames.applied(
        sifted("/a?x=1", known=known), {alias.mark: replace(alias, shown_at=0.0) for alias in sent.aliases}, known
    )
    assert later.articles == ()
    assert {row.article_id: row.shown_at for row in later.seen} == dict.fromkeys(known, NOW.timestamp())
    assert {alias.article_id for alias in later.aliases} == set(known)
