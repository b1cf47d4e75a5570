"""JSON Feed to entries. Source: https://www.jsonfeed.org/version/1.1/."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from connectors import jsontext
from connectors.entry import MAX_ENTRIES, MAX_HUBS, MAX_ID, Entry, Parsed
from connectors.links import absolute
from connectors.outcome import Outcome
from connectors.plaintext import cut_markup, from_html, one_line, tidy
from connectors.times import moment

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/(\d)(?:\.(\d))?/?")


def parse(text: str, url: str) -> Parsed:
    """The entries of a JSON feed at ``url``: strict about what makes it a feed, forgiving about each item."""
    try:
        data = jsontext.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return Parsed(outcome=Outcome.NOT_A_FEED, error=f"no JSON: {error}"[:200])
    kind = _kind(data)
    items = data.get("items") if kind else None
    if not isinstance(items, list):
        return Parsed(outcome=Outcome.NOT_A_FEED, error="JSON, but no JSON Feed")
    language = _string(data, "language")
    entries = [entry for item in items[:MAX_ENTRIES] if (entry := _entry(item, url, language))]
    unusable = min(len(items), MAX_ENTRIES) - len(entries)
    warnings = [
        cut_markup(_string(item, "content_html") for item in items[:MAX_ENTRIES] if isinstance(item, dict)),
        f"{unusable} items that are no articles" if unusable else "",
        f"only {MAX_ENTRIES} of {len(items)} items read" if len(items) > MAX_ENTRIES else "",
    ]
    return Parsed(
        outcome=Outcome.OK,
        kind=kind,
        title=one_line(_string(data, "title")),
        entries=tuple(entries),
        hubs=_hubs(data, url),
        self_url=absolute(_string(data, "feed_url"), url) if _string(data, "feed_url") else "",
        warnings=tuple(warning for warning in warnings if warning),
    )


def _kind(data: Any) -> str:
    """``json10`` or ``json11`` where ``data`` says it is a JSON feed, else empty."""
    match = _VERSION.fullmatch(_string(data, "version").strip()) if isinstance(data, dict) else None
    return f"json{match[1]}{match[2] or 0}" if match else ""


def _hubs(data: Mapping[str, Any], base: str) -> tuple[str, ...]:
    """The addresses of its WebSub hubs; other types of hub are not spoken."""
    hubs = data.get("hubs")
    named = [
        _string(hub, "url")
        for hub in (hubs if isinstance(hubs, list) else [])[:MAX_HUBS]
        if isinstance(hub, dict) and _string(hub, "type").lower() == "websub"
    ]
    return tuple(dict.fromkeys(found for hub in named if hub and (found := absolute(hub, base))))


def _entry(item: Any, base: str, language: str) -> Entry | None:
    """One item; None where it is no object or has nothing to read."""
    if not isinstance(item, dict):
        return None
    markup = _string(item, "content_html")
    text = from_html(markup) or tidy(_string(item, "content_text")) or tidy(_string(item, "summary"))
    title = one_line(_string(item, "title"))
    if not title and not text:
        return None
    return Entry(
        guid=_identity(item),
        url=absolute(_string(item, "url") or _string(item, "external_url"), base) if _has_link(item) else "",
        title=title,
        text=text,
        published=moment(_string(item, "date_published")),
        updated=moment(_string(item, "date_modified")),
        language=tidy(_string(item, "language") or language, 32).lower(),
    )


def _has_link(item: Mapping[str, Any]) -> bool:
    return bool(_string(item, "url") or _string(item, "external_url"))


def _identity(item: Mapping[str, Any]) -> str:
    """The item's id; 1.0 feeds are known to give numbers."""
    value = item.get("id")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return tidy(str(value), MAX_ID)


def _string(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""
