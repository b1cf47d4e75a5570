"""Links of feeds: made absolute, and only those of the web."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from yarl import URL

from connectors.entry import MAX_ID

MAX_LABEL = 63
"""Characters between two dots of a host's name (RFC 1035, 2.3.4)."""
_USUAL = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?(:\d{0,5})?")


def absolute(link: str, base: str) -> str:
    """``link`` as an absolute address of http or https, at most 2,048 characters; empty where it is none.

    It can be asked, too: its host is one that can be looked up, and it has no character that can't be written.
    """
    try:
        joined = urljoin(base, link.strip()[: MAX_ID + 1])
        parts = urlsplit(joined)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and len(joined) <= MAX_ID
        _ = parts.port
        if usable and not joined.isascii():
            joined.encode()
        return joined if usable and (_USUAL.fullmatch(parts.netloc) or _encodable(joined)) else ""
    except ValueError:
        return ""


def _encodable(url: str) -> bool:
    """Whether the host of ``url`` can be written in ASCII as names are (IDNA); of the usual one that is known.

    Raises:
        ValueError: It can't.
    """
    host = URL(url).raw_host or ""
    return ":" in host or all(0 < len(label) <= MAX_LABEL for label in host.removesuffix(".").split("."))
