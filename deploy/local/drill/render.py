"""Items as the body of a feed: RSS 2.0, Atom 1.0 or JSON Feed 1.1."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from email.utils import format_datetime
from xml.sax.saxutils import escape

from deploy.local.drill.story import Item, Outlet

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def render(outlet: Outlet, items: Sequence[Item]) -> tuple[bytes, str]:
    """The feed of ``outlet``: its body and its Content-Type."""
    draw, content_type = _FORMATS[outlet.format]
    return draw(outlet, items).encode(), content_type


def _rss(outlet: Outlet, items: Sequence[Item]) -> str:
    entries = "".join(
        f'<item><guid isPermaLink="true">{escape(item.url)}</guid><link>{escape(item.url)}</link>'
        f"<title>{escape(item.title)}</title><pubDate>{format_datetime(item.published)}</pubDate>"
        f"<description>{escape(_html(item))}</description></item>"
        for item in items
    )
    return (
        f'{DECLARATION}<rss version="2.0"><channel><title>{escape(outlet.title)}</title>'
        f"<link>https://{outlet.domain}/</link><description>A drill: invented news</description>"
        f"<language>en</language>{entries}</channel></rss>"
    )


def _atom(outlet: Outlet, items: Sequence[Item]) -> str:
    updated = items[0].published.isoformat() if items else "1970-01-01T00:00:00+00:00"
    entries = "".join(
        f'<entry><id>{escape(item.url)}</id><link rel="alternate" href="{escape(item.url)}"/>'
        f"<title>{escape(item.title)}</title><published>{item.published.isoformat()}</published>"
        f"<updated>{item.published.isoformat()}</updated>"
        f'<content type="html">{escape(_html(item))}</content></entry>'
        for item in items
    )
    return (
        f'{DECLARATION}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>{escape(outlet.title)}</title>'
        f"<id>https://{outlet.domain}/</id><updated>{updated}</updated>{entries}</feed>"
    )


def _json(outlet: Outlet, items: Sequence[Item]) -> str:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.title,
        "home_page_url": f"https://{outlet.domain}/",
        "language": "en",
        "items": [
            {
                "id": item.url,
                "url": item.url,
                "title": item.title,
                "content_html": _html(item),
                "date_published": item.published.isoformat(),
            }
            for item in items
        ],
    }
    return json.dumps(feed)


def _html(item: Item) -> str:
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in item.paragraphs)


_FORMATS: dict[str, tuple[Callable[[Outlet, Sequence[Item]], str], str]] = {
    "rss": (_rss, "application/rss+xml; charset=utf-8"),
    "atom": (_atom, "application/atom+xml; charset=utf-8"),
    "json": (_json, "application/feed+json"),
}
