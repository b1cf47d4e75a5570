"""Full text: which articles need their page, and what becomes of them with it. Decisions only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from config.feeds import Feed
from connectors import identity, recognition, renames
from connectors.aliases import Alias
from connectors.metrics import Handling
from connectors.outcome import Outcome
from connectors.page import Page
from connectors.sift import Sifted
from connectors.store import Seen
from pipeline.records import Article
from pipeline.records.minhash import signature

FULL = 1_500
"""Characters from which on a text is taken for the whole article, unless it ends in dots."""
LONGER = 1.2
LEAST = 200
ABOUT = 0.4
HEAD_LINES = 3
MAX_PAGES = 20
"""Pages of one poll: a feed that is read for the first time shows days of them."""
_CUT = re.compile(r"(?:…|\.\.\.|\[(?:…|\.\.\.)\]|read more|continue reading)\W*$", re.IGNORECASE)
_WORD = re.compile(r"\w{4,}")

Gate = Callable[[str], bool]
"""Whether a text has something that would be read closely."""


@dataclass(frozen=True, slots=True)
class Filled:
    """An article with what was found on its page.

    Attributes:
        article: As it is to be sent.
        was: The id under which the feed's entry is known.
    """

    article: Article
    was: str


def is_teaser(text: str) -> bool:
    """Whether ``text`` is likely to be the beginning of an article, or what it is about, and not all of it."""
    return len(text) < FULL or _CUT.search(text[-40:]) is not None


def wanted(feed: Feed, articles: Sequence[Article], gate: Gate | None) -> tuple[Article, ...]:
    """The articles whose pages are to be asked for: at most twenty, the first ones of the feed."""
    if feed.full_text == "never" or (feed.full_text == "on_trigger" and gate is None):
        return ()
    found: list[Article] = []
    for article in articles:
        if len(found) == MAX_PAGES:
            break
        if article.url and is_teaser(article.text):
            passes = feed.full_text == "always" or (gate is not None and gate(f"{article.title}\n{article.text}"))
            found += [article] * passes
    return tuple(found)


def judged(article: Article, page: Page) -> Page:
    """``page``, unless its text can't be that of ``article``: a page that asks for consent, or tells no more."""
    if page.outcome is not Outcome.OK:
        return page
    if len(page.text) < max(LONGER * len(article.text), LEAST):
        return structs.replace(page, outcome=Outcome.NO_TEXT, text="", error="the page tells no more than the feed")
    words = set(_WORD.findall(f"{article.title} {article.text}".lower()))
    common = words & set(_WORD.findall(page.text.lower()))
    if len(common) < ABOUT * len(words):
        return structs.replace(page, outcome=Outcome.NO_TEXT, text="", error="the page tells of something else")
    return page


def filled(article: Article, page: Page) -> Article:
    """``article`` with the text of its page.

    Its content hash stays that of what the feed shows: it tells a change of the entry, at each poll.
    """
    if page.outcome is not Outcome.OK:
        return article
    text = _below(article.title, page.text)
    return structs.replace(article, text=text, minhash=signature(f"{article.title}\n{text}"))


def _below(title: str, text: str) -> str:
    """``text`` without the title over it: it would be read twice."""
    lines = text.split("\n")
    same = next((at for at, line in enumerate(lines[:HEAD_LINES]) if line.casefold() == title.casefold()), -1)
    return "\n".join(lines[same + 1 :]) or text


def renamed(article: Article, address: str) -> Article:
    """``article`` under the address that its page gives as its own."""
    url = identity.canonical_url(address)
    name = identity.article_id(url, article.feed, "", article.title) if url else ""
    return structs.replace(article, url=url, article_id=name) if name and name != article.article_id else article


@dataclass(frozen=True, slots=True)
class Known:
    """An article that is known under the address that a page gives as its own.

    Attributes:
        seen: What the broker has acknowledged.
        aliases: By what else it is known, where another feed brought it: they tell of its title and text.
    """

    seen: Seen
    aliases: Sequence[Alias] = ()

    def is_same(self, article: Article) -> bool:
        """Whether it is ``article`` as the feed shows it, from another feed."""
        if self.seen.feed == article.feed:
            return False
        told = any(recognition.tells_of(alias, article.title, article.text) for alias in self.aliases)
        return told or self.seen.content_hash == article.content_hash


def merged(sifted: Sifted, done: Sequence[Filled], known: Mapping[str, Known]) -> Sifted:
    """``sifted`` with the articles in their new form, and with what is then to be stored.

    An article that another feed has brought under its own address is not sent again, if it says the same there. Any
    other that is known keeps the address that the feed gives: a site may claim one address for many pages, and nothing
    must be lost by that, nor two articles come under one id.
    """
    new = {each.was: each.article for each in done}
    taken = {row.article_id for row in sifted.seen} | {article.article_id for article in sifted.articles}
    rows = {row.article_id: row for row in sifted.seen}
    articles: list[Article] = []
    more: list[Seen] = []
    aliases = list(sifted.aliases)
    handled = Counter(sifted.handled)
    for article in sifted.articles:
        now = new.get(article.article_id, article)
        row = rows[article.article_id]
        if now.article_id != article.article_id:
            before = known.get(now.article_id)
            if before is not None and before.is_same(article):
                handled[Handling.UPDATED if row.revision else Handling.NEW] -= 1
                handled[Handling.SEEN] += 1
                aliases += renames.noted(article, now, row.shown_at)
                more.append(replace(before.seen, shown_at=row.shown_at))  # what leads there must not lead to nothing
                continue
            if before is not None or now.article_id in taken:
                now = structs.replace(now, article_id=article.article_id, url=article.url)
            else:
                taken.add(now.article_id)
                more.append(replace(row, article_id=now.article_id))
                aliases += renames.noted(article, now, row.shown_at)
        articles.append(now)
    seen = (*sifted.seen, *more)
    return replace(sifted, articles=tuple(articles), seen=seen, handled=handled, aliases=tuple(aliases))
