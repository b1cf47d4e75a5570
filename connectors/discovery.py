"""Discovery: from a site's page to its feeds, with few requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from w3lib.encoding import html_to_unicode

from connectors.addresses import is_public
from connectors.fetch import Fetched, Fetcher
from connectors.formats import Source
from connectors.links import absolute
from connectors.outcome import Outcome
from connectors.plaintext import one_line
from connectors.sandbox import Sandbox
from connectors.xmlevents import root_of

HEAD = 512 * 1024
PROLOGUE = 16 * 1024
PAGE_ROOTS = frozenset({"html", "head", "body", "meta", "title", "link", "script", "style", "base", "div", "p"})
MAX_FOUND = 20
PAUSE_S = 1.0
TYPES = {
    "application/rss+xml": "RSS",
    "application/atom+xml": "Atom",
    "application/rdf+xml": "RDF",
    "application/feed+json": "JSON Feed",
    "application/json": "JSON Feed",  # so does JSON Feed 1.0; so do the interfaces of some blogs, too
    "application/xml": "XML",
    "text/xml": "XML",
}
USUAL = ("/feed/", "/rss.xml", "/feed.xml", "/atom.xml", "/rss", "/index.xml", "/feed.json", "/news-sitemap.xml")
"""Where feeds are that no page links to, the most usual first. At most these are asked for, one after the other."""
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TAG = re.compile(r"<(?:link|base)\b[^<>]{0,2000}>", re.IGNORECASE)
_NO_FEED = re.compile(r"/wp-json/|oembed", re.IGNORECASE)
_OF_COMMENTS = re.compile(r"comment|kommentar|commentaire|comentario", re.IGNORECASE)
_ENOUGH = frozenset(
    {Outcome.RATE_LIMITED, Outcome.DNS_ERROR, Outcome.CONNECT_ERROR, Outcome.TLS_ERROR, Outcome.TIMEOUT}
)


@dataclass(frozen=True, slots=True)
class Found:
    """A feed that a site has.

    Attributes:
        url: Its address.
        title: What the page, or the feed itself, calls it; may be empty.
        kind: The format, as the page or the feed itself tells.
    """

    url: str
    title: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found at an address; why nothing was, where nothing was."""

    found: tuple[Found, ...]
    error: str = ""


def alternates(body: bytes, content_type: str, url: str) -> list[Found]:
    """The feeds that a page links to (``link rel=alternate``), in its order, those of comments last.

    Only the head of the page is looked at, and only tags: a page is not parsed as a whole.
    """
    text = _without_comments(html_to_unicode(content_type or None, body[:HEAD])[1])
    tags = [_attributes(found[0]) for found in _TAG.finditer(text)]
    bases = (absolute(said["href"], url) for name, said in tags if name == "base" and said.get("href"))
    base = next(filter(None, bases), url)
    found: dict[str, Found] = {}
    for name, said in tags:
        if name == "link" and (feed := _feed(said, base)) and len(found) < MAX_FOUND:
            found.setdefault(feed.url, feed)
    return sorted(found.values(), key=lambda each: bool(_OF_COMMENTS.search(f"{each.title} {each.url}")))


def is_page(body: bytes, content_type: str) -> bool:
    """Whether ``body`` is a page of HTML: other documents link to no feeds, and tell nothing of their site."""
    text = html_to_unicode(content_type or None, body[:PROLOGUE])[1]
    root = root_of(text)
    return root in PAGE_ROOTS or (not root and bool(_PAGE.search(text)))


async def discover(
    url: str,
    fetcher: Fetcher,
    sandbox: Sandbox,
    pause_s: float = PAUSE_S,
    *,
    on_guess: Callable[[], None] = lambda: None,
) -> Discovery:
    """The feeds of the site of ``url``: that address itself, else what its page links to, else the usual places.

    One request where the page links to its feeds; else at most eight more, ``pause_s`` apart, until one is a feed or
    the site wants no more. ``on_guess`` is told before these.
    """
    fetched = await fetcher.fetch(url)
    if fetched.outcome is not Outcome.OK:
        return Discovery((), f"{fetched.outcome.value}: {fetched.error}")
    parsed = await sandbox.parse(fetched.body, Source(fetched.final_url, fetched.content_type))
    if parsed.outcome is Outcome.OK:
        return Discovery((Found(fetched.final_url, parsed.title, parsed.kind),))
    if not is_page(fetched.body, fetched.content_type):
        return Discovery((), f"{parsed.outcome.value}: {parsed.error}")
    return await of_page(fetched, fetcher, sandbox, pause_s, on_guess=on_guess)


async def of_page(
    fetched: Fetched,
    fetcher: Fetcher,
    sandbox: Sandbox,
    pause_s: float = PAUSE_S,
    *,
    on_guess: Callable[[], None] = lambda: None,
) -> Discovery:
    """As ``discover``, for a page that was fetched."""
    linked = await asyncio.to_thread(alternates, fetched.body, fetched.content_type, fetched.final_url)
    if linked:
        return Discovery(tuple(linked))
    on_guess()
    return await _usual(fetched.final_url, fetcher, sandbox, pause_s)


async def may_be_asked(found: Found, page: str) -> bool:
    """Whether a feed that ``page`` links to may be asked for: it is of the same host, or of a public address.

    Whoever writes a page chooses its links; they must not lead into our network.
    """
    try:
        parts = urlsplit(found.url)
        host = parts.hostname or ""
        if host == urlsplit(page).hostname:
            return True
        addresses = await asyncio.get_running_loop().getaddrinfo(host, parts.port or 443)
    except (OSError, ValueError):  # a name that can't be written or looked up
        return False
    return all(is_public(str(address[4][0])) for address in addresses)


async def _usual(base: str, fetcher: Fetcher, sandbox: Sandbox, pause_s: float) -> Discovery:
    asked = 0
    for path in USUAL:
        await asyncio.sleep(pause_s)
        fetched = await fetcher.fetch(urljoin(base, path))
        asked += 1
        if fetched.outcome is Outcome.OK and (feed := await _as_feed(fetched, sandbox)):
            return Discovery((feed,))
        if fetched.outcome in _ENOUGH:
            break
    return Discovery((), f"the page links to no feed, and there is none in {asked} usual places")


async def _as_feed(fetched: Fetched, sandbox: Sandbox) -> Found | None:
    parsed = await sandbox.parse(fetched.body, Source(fetched.final_url, fetched.content_type))
    if parsed.outcome is not Outcome.OK:
        return None
    return Found(fetched.final_url, parsed.title, parsed.kind)


def _without_comments(text: str) -> str:
    """``text`` up to the first comment that nobody closes; a pattern would look for the end of each of them anew."""
    parts, at = [], 0
    while (begin := text.find("<!--", at)) >= 0:
        parts.append(text[at:begin])
        end = text.find("-->", begin)
        if end < 0:
            return "".join(parts)
        at = end + 3
    return "".join([*parts, text[at:]])


def _feed(said: dict[str, str], base: str) -> Found | None:
    kind = TYPES.get(said.get("type", "").partition(";")[0].strip().lower())
    url = absolute(said.get("href", ""), base) if said.get("href") else ""
    is_alternate = "alternate" in said.get("rel", "").lower().split()
    return (
        Found(url, one_line(said.get("title", ""), 200), kind)
        if kind and url and is_alternate and not _NO_FEED.search(url)
        else None
    )


def _attributes(tag: str) -> tuple[str, dict[str, str]]:
    reader = _Tag()
    reader.feed(tag)
    return reader.name, reader.said


class _Tag(HTMLParser):
    """One tag's name and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.name = ""
        self.said: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.name = tag
        self.said = {key: value or "" for key, value in reversed(attrs)}

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
