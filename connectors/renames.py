"""Rename: under which id an entry was sent whose page gives another address than its feed. Decisions only.

It is written down with the article, among the aliases of its feed: an update has to come under the id that was sent,
though the entry's slug has changed, the page is no longer kept, or pages are no longer asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from msgspec import structs

from connectors import recognition
from connectors.aliases import Alias
from connectors.metrics import Handling
from connectors.sift import Sifted
from connectors.store import Seen
from pipeline.records import Article


def noted(entry: Article, sent: Article, shown_at: float) -> tuple[Alias, Alias]:
    """What is to be stored of an ``entry``, as its feed has it, that was ``sent`` under the address of its page."""
    renamed = Alias(
        entry.feed, recognition.rename_mark(entry.article_id), sent.article_id, "", sent.url, 0.0, shown_at
    )  # fmt: skip
    return renamed, recognition.told(sent.article_id, entry.feed, entry.title, entry.text, shown_at)


def marks(sifted: Sifted) -> list[str]:
    """Of what is to be stored, by what renames are found."""
    return list(dict.fromkeys(recognition.rename_mark(row.article_id) for row in sifted.seen))


def applied(sifted: Sifted, aliases: Mapping[str, Alias], known: Mapping[str, Seen]) -> Sifted:
    """``sifted`` with each article under the id that its entry was sent under.

    Where the entry was not sent, another feed having brought the same before, its changes are not either: that feed's
    count. What leads there is kept for as long as the entry is shown.

    Args:
        sifted: What a read of a feed comes to, by the ids that its entries have.
        aliases: Those of its ``marks`` that are known.
        known: What the store knows of the ids that these lead to.
    """
    ways = {row.article_id: way for row in sifted.seen if (way := aliases.get(recognition.rename_mark(row.article_id)))}
    if not ways:
        return sifted
    rows = {row.article_id: row for row in sifted.seen}
    articles: list[Article] = []
    links: dict[str, str] = {}
    handled = Counter(sifted.handled)
    updated = frozenset(article.article_id for article in sifted.articles)
    for article in sifted.articles:
        way = ways.get(article.article_id)
        if way is None:
            articles.append(article)
        elif _is_anothers(known.get(way.article_id), article.feed) or way.article_id in rows:
            handled[Handling.UPDATED if rows[article.article_id].revision else Handling.NEW] -= 1
            handled[Handling.SEEN] += 1
        else:
            articles.append(structs.replace(article, article_id=way.article_id, url=way.text or article.url))
            links[way.article_id] = article.url
    there = [_row(rows[name], way.article_id, known.get(way.article_id), updated) for name, way in ways.items()]
    return replace(
        sifted,
        articles=tuple(articles),
        seen=(*sifted.seen, *(row for row in there if row.article_id not in rows)),
        handled=handled,
        aliases=(*sifted.aliases, *_kept(sifted, ways, rows)),
        links=links,
    )


def _is_anothers(before: Seen | None, feed: str) -> bool:
    return before is not None and before.feed != feed


def _row(row: Seen, name: str, before: Seen | None, updated: frozenset[str]) -> Seen:
    """The row of the article that an entry was sent as; of another feed's, only that it is still shown."""
    if before is not None and (before.feed != row.feed or row.article_id not in updated):
        return replace(before, shown_at=row.shown_at)
    return replace(row, article_id=name)


def _kept(sifted: Sifted, ways: Mapping[str, Alias], rows: Mapping[str, Seen]) -> list[Alias]:
    """The ways as they are to be stored again, and what the articles say by now."""
    kept = [replace(way, shown_at=rows[name].shown_at) for name, way in ways.items()]
    said = [
        recognition.told(way.article_id, article.feed, article.title, article.text, rows[article.article_id].shown_at)
        for article in sifted.articles
        if (way := ways.get(article.article_id))
    ]
    return kept + said
