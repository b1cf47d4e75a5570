"""Links of feeds: made absolute, and only those of the web."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from connectors.entry import MAX_ID


def absolute(link: str, base: str) -> str:
    """``link`` as an absolute address of http or https, at most 2,048 characters; empty where it is none."""
    try:
        joined = urljoin(base, link.strip()[: MAX_ID + 1])
        parts = urlsplit(joined)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and len(joined) <= MAX_ID
        _ = parts.port
    except ValueError:
        return ""
    return joined if usable else ""
