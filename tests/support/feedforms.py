"""The formats in which news comes, each as a small feed of two stories, and what may be wrong with a feed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable

WHEN = {
    1: ("Mon, 02 Nov 2026 10:00:00 GMT", "2026-11-02T10:00:00Z"),
    2: ("Mon, 02 Nov 2026 11:30:00 GMT", "2026-11-02T11:30:00Z"),
}
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


@dataclass(frozen=True)
class Story:
    """One entry, as it is to be told."""

    number: int
    title: str = ""
    link: str = ""
    guid: str = ""
    dated: bool = True
    text: str = "The brigade left at dawn, the ministry of Karvenia said, and reached the river by night."

    @property
    def named(self) -> str:
        """Its title."""
        return self.title or f"Brigade {self.number} leaves its barracks"

    @property
    def url(self) -> str:
        """Its address."""
        return self.link or f"https://wire.example/story/{self.number}"

    @property
    def known_as(self) -> str:
        """Its guid."""
        return self.guid or f"urn:story:{self.number}"


def _rss(version: str, *, guids: bool = True) -> Callable[[list[Story]], str]:
    def item(story: Story) -> str:
        guid = f'<guid isPermaLink="false">{escape(story.known_as)}</guid>' if guids else ""
        date = f"<pubDate>{WHEN[story.number][0]}</pubDate>" if story.dated and guids else ""
        return (
            f"<item><title>{escape(story.named)}</title><link>{escape(story.url)}</link>{guid}{date}"
            f"<description>{escape(story.text)}</description></item>"
        )

    def feed(stories: list[Story]) -> str:
        items = "".join(map(item, stories))
        return (
            f'{HEAD}<rss version="{version}"><channel><title>Wire</title><link>https://wire.example/</link>'
            f"<description>News</description><language>en</language>{items}</channel></rss>"
        )

    return feed


def _rdf(stories: list[Story]) -> str:
    def item(story: Story) -> str:
        date = f"<dc:date>{WHEN[story.number][1]}</dc:date>" if story.dated else ""
        return (
            f'<item rdf:about="{escape(story.known_as)}"><title>{escape(story.named)}</title>'
            f"<link>{escape(story.url)}</link>{date}<description>{escape(story.text)}</description></item>"
        )

    return (
        f'{HEAD}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://wire.example/"><title>Wire</title>'
        f"<link>https://wire.example/</link></channel>{''.join(map(item, stories))}</rdf:RDF>"
    )


def _atom03(stories: list[Story]) -> str:
    def entry(story: Story) -> str:
        date = (
            f"<issued>{WHEN[story.number][1]}</issued><modified>{WHEN[story.number][1]}</modified>"
            if story.dated
            else ""
        )
        return (
            f"<entry><title>{escape(story.named)}</title><id>{escape(story.known_as)}</id>"
            f'<link rel="alternate" type="text/html" href="{escape(story.url)}"/>{date}'
            f"<summary>{escape(story.text)}</summary></entry>"
        )

    entries = "".join(map(entry, stories))
    return f'{HEAD}<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Wire</title>{entries}</feed>'


def _atom10(stories: list[Story]) -> str:
    def entry(story: Story) -> str:
        date = (
            f"<published>{WHEN[story.number][1]}</published><updated>{WHEN[story.number][1]}</updated>"
            if story.dated
            else ""
        )
        return (
            f"<entry><title>{escape(story.named)}</title><id>{escape(story.known_as)}</id>"
            f'<link href="{escape(story.url)}"/>{date}<summary>{escape(story.text)}</summary></entry>'
        )

    entries = "".join(map(entry, stories))
    return f'{HEAD}<feed xmlns="http://www.w3.org/2005/Atom"><title>Wire</title><id>urn:wire</id>{entries}</feed>'


def _json(version: str) -> Callable[[list[Story]], str]:
    def item(story: Story) -> dict[str, str]:
        date = {"date_published": WHEN[story.number][1]} if story.dated else {}
        return {"id": story.known_as, "url": story.url, "title": story.named, "content_text": story.text, **date}

    def feed(stories: list[Story]) -> str:
        items = [item(story) for story in stories]
        return json.dumps({"version": f"https://jsonfeed.org/version/{version}", "title": "Wire", "items": items})

    return feed


def _sitemap(stories: list[Story]) -> str:
    def url(story: Story) -> str:
        date = f"<n:publication_date>{WHEN[story.number][1]}</n:publication_date>" if story.dated else ""
        return (
            f"<url><loc>{escape(story.url)}</loc><n:news><n:publication><n:name>Wire</n:name><n:language>en</n:language>"
            f"</n:publication>{date}<n:title>{escape(story.named)}</n:title></n:news></url>"
        )

    return (
        f'{HEAD}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        f'xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">{"".join(map(url, stories))}</urlset>'
    )


def _lines(stories: list[Story]) -> str:
    def line(story: Story) -> str:
        date = WHEN[story.number][1] if story.dated else None
        values = {"published": date, "title": story.named, "text": story.text, "url": story.url, "id": story.known_as}
        return json.dumps(values) + "\n"

    return "".join(map(line, stories))


FORMS: dict[str, Callable[[list[Story]], str]] = {
    "rss091": _rss("0.91", guids=False),
    "rss092": _rss("0.92"),
    "rss20": _rss("2.0"),
    "rdf": _rdf,
    "atom03": _atom03,
    "atom10": _atom10,
    "json10": _json("1"),
    "json11": _json("1.1"),
    "sitemap": _sitemap,
    "lines": _lines,
}
KINDS = {"rss091": "rss091u", "rdf": "rss10"}
"""What a format is called where that is not its name here."""
XML = [name for name in FORMS if name not in {"json10", "json11", "lines"}]
