"""RSS, RDF and Atom to entries, by feedparser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import feedxml
from connectors.entry import MAX_ENTRIES, MAX_HUBS, MAX_ID, Entry, Parsed
from connectors.feedxml import Read
from connectors.links import absolute
from connectors.outcome import Outcome
from connectors.plaintext import counted, cut_markup, from_html, one_line, tidy
from connectors.times import any_moment, has_words, is_simple

A_PAGE = "an HTML page"
"""The error for a page where a feed was expected."""
MAX_DIGITS = 6
MAX_NAMED = 3
MAX_NAME = 40
MAX_TTL_S = 7 * 86_400.0
_PERIODS = {
    "hourly": 3600.0,
    "daily": 86_400.0,
    "weekly": 7 * 86_400.0,
    "monthly": 30 * 86_400.0,
    "yearly": 365 * 86_400.0,
}
_PAGES = frozenset({"text/html", "application/xhtml+xml", "html", "xhtml"})
_PAGE = re.compile(
    r"\s*(?:<\?xml[^>]*>)?\s*(?:<!--.*?-->\s*)*(?:<!doctype\s+html[^>]*>\s*)?<html", re.IGNORECASE | re.DOTALL
)


def parse(text: str, url: str) -> Parsed:
    """The entries of an XML feed at ``url``.

    feedparser's sanitiser stays off, because nothing but plain text leaves this module. It is not told the feed's
    address either: it would make guids absolute with it, and a feed that moves would then repeat every article.
    """
    if _PAGE.match(text[:4096]):
        return Parsed(outcome=Outcome.NOT_A_FEED, error=A_PAGE)
    result = feedxml.read(text)
    if not result.version:
        return Parsed(outcome=Outcome.NOT_A_FEED, error=result.error or "no feed format that is known")
    feed = result.feed
    language = tidy(str(feed.get("language") or ""), 32)
    entries = [_entry(item, url, language) for item in result.entries[:MAX_ENTRIES]]
    usable = tuple(entry for entry in entries if entry.title or entry.text)
    return Parsed(
        outcome=Outcome.OK,
        kind=result.version,
        title=one_line(str(feed.get("title") or "")),
        entries=usable,
        ttl_s=_ttl_s(feed),
        hubs=_related(feed, "hub", url)[:MAX_HUBS],
        self_url=next(iter(_related(feed, "self", url)), ""),
        warnings=_warnings(result, len(entries) - len(usable)),
    )


def _ttl_s(feed: Mapping[str, Any]) -> float:
    """Seconds between polls that the feed asks for: ``ttl`` in minutes or the syndication module's period, if longer.

    Source: https://www.rssboard.org/rss-specification and http://web.resource.org/rss/1.0/modules/syndication/.
    """
    ttl_s = min(60 * _number(feed.get("ttl")), MAX_TTL_S)
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower(), 0.0)
    return max(ttl_s, period / (_number(feed.get("sy_updatefrequency")) or 1.0))


def _number(value: Any) -> float:
    """A whole number above 0, else 0; digits of other scripts and numbers without end are none."""
    text = str(value or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0.0


def _related(feed: Mapping[str, Any], relation: str, base: str) -> tuple[str, ...]:
    """The addresses of the feed's links of one relation (RFC 8288: a list of words), each once."""
    found = [
        absolute(str(link.get("href") or ""), base)
        for link in _mappings(feed.get("links"))
        if relation in str(link.get("rel") or "").lower().split() and link.get("href")
    ]
    return tuple(dict.fromkeys(address for address in found if address))


def _warnings(result: Read, unusable: int) -> tuple[str, ...]:
    found = [
        cut_markup(text for item in result.entries[:MAX_ENTRIES] for text in _texts(item)),
        f"not well-formed: {result.error}" if result.error else "",
        f"{counted(result.entities, 'entity', 'entities')} of its own, left out" if result.entities else "",
        _lost(result.lost),
        f"{counted(result.mended, 'character reference')} that XML does not allow" if result.mended else "",
        f"{counted(unusable, 'entry', 'entries')} without any text" if unusable else "",
        f"only {MAX_ENTRIES} of {len(result.entries)} entries read" if len(result.entries) > MAX_ENTRIES else "",
    ]
    return tuple(warning for warning in found if warning)


def _lost(lost: Mapping[str, int]) -> str:
    """Which elements could not be read, the first few by name."""
    names = [name[:MAX_NAME] for name in list(lost)[:MAX_NAMED]] + (["…"] if len(lost) > MAX_NAMED else [])
    return f"{counted(sum(lost.values()), 'element')} that can't be read: {', '.join(names)}" if lost else ""


def _entry(item: Mapping[str, Any], url: str, language: str) -> Entry:
    return Entry(
        guid=tidy(str(item.get("id") or ""), MAX_ID),
        url=_link(item, url),
        title=one_line(str(item.get("title") or "")),
        text=_text(item),
        published=_time(item.get("published"), item.get("published_parsed")),
        # Not ``get``: feedparser would answer it with the other date.
        updated=_time(dict(item).get("updated"), dict(item).get("updated_parsed")),
        language=_language(item) or language,
    )


def _text(item: Mapping[str, Any]) -> str:
    """The longest of contents and summary; what is said of a picture stands in where there is neither."""
    best = max((from_html(text) for text in _texts(item)), key=len)
    return best or from_html(str(item.get("media_description") or ""))


def _texts(item: Mapping[str, Any]) -> list[str]:
    """Contents and summary as they are marked up, each once."""
    texts = [str(part.get("value") or "") for part in _mappings(item.get("content"))]
    return list(dict.fromkeys([*texts, str(item.get("summary") or "")]))


def _language(item: Mapping[str, Any]) -> str:
    details = _mappings([*_mappings(item.get("content")), item.get("summary_detail"), item.get("title_detail")])
    return next((tidy(str(detail["language"]), 32).lower() for detail in details if detail.get("language")), "")


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    """Those of ``values`` that have names: an unknown element may bear the name of one of feedparser's lists."""
    return [each for each in values if isinstance(each, Mapping)] if isinstance(values, list) else []


def _link(item: Mapping[str, Any], base: str) -> str:
    """The entry's address, made absolute; a guid that is a permanent link stands in for it.

    The link of RSS comes before those of Atom, of these the first, and one that names a language, which is that of a
    translation, after those that do not.
    """
    alternates = [link for link in _mappings(item.get("links")) if link.get("rel") == "alternate"]
    pages = [link for link in alternates if link.get("type") in _PAGES]
    pages.sort(key=lambda link: bool(link.get("hreflang")))
    guid = str(item.get("id") or "") if item.get(feedxml.PERMANENT) else ""
    links = [
        item.get(feedxml.OWN_LINK),
        *(link.get("href") for link in pages),
        item.get("link"),
        *(link.get("href") for link in alternates),
        guid if guid.lower().startswith(("https://", "http://")) else "",
    ]
    return next((found for link in links if link and (found := absolute(str(link), base))), "")


def _time(said: Any, guessed: Any) -> datetime | None:
    """When it says: by our own reading, else by feedparser's (a tuple in UTC), which knows months of many languages.

    Of figures alone feedparser makes a date at any price: ``2020/1/10`` is November to it. What it then gives is not
    believed. Nor does it know halves of the day, or what ``GMT+1`` says.
    """
    text = str(said or "")
    if found := any_moment(text):
        return found
    if not guessed or not has_words(text) or not is_simple(text):
        return None
    try:
        year, month, day, hour, minute, second = (int(part) for part in guessed[:6])
        return datetime(year, month, day, hour, minute, tzinfo=UTC) + timedelta(seconds=second)
    except (ValueError, OverflowError, TypeError):
        return None
