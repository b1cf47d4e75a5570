"""Entry: one item of a feed, whatever the format; and what reading a feed gave."""

from __future__ import annotations

from datetime import datetime

import msgspec

from connectors.outcome import Outcome

MAX_ENTRIES = 2_000
MAX_ID = 2_048
MAX_HUBS = 10


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a feed, in plain text.

    Attributes:
        guid: What the feed calls it; empty where it has no name.
        url: Absolute address (http or https) of the article; empty where there is none.
        title: Plain text, one line.
        text: Plain text of content, else of summary; one line a paragraph.
        published: When it says it was published; None where it does not say, or not so that it can be read.
        updated: When it says it was changed last.
        language: What it, or its feed, calls its language; lower case, unchecked; may be empty.
        source: The outlet, where the entry itself names it (lines of an archive do); else empty.
    """

    guid: str
    url: str
    title: str
    text: str
    published: datetime | None = None
    updated: datetime | None = None
    language: str = ""
    source: str = ""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a body gave.

    Attributes:
        outcome: ``ok``, ``not_a_feed``, ``bad_encoding``, ``empty`` or ``parse_failed``.
        kind: Format and version, such as ``rss20``, ``atom10``, ``json11``, ``sitemap``, ``lines``; empty where
            it is not known.
        title: The feed's own title.
        entries: At most 2,000, in the feed's order.
        ttl_s: Seconds between two polls that the feed itself asks for (``ttl``, ``sy:updatePeriod``); 0 for none.
        hubs: Addresses of the WebSub hubs that it names.
        self_url: The address under which it says that it is published; empty where it does not say.
        warnings: What was off but could be lived with.
        error: Why the outcome is not ``ok``.
    """

    outcome: Outcome
    kind: str = ""
    title: str = ""
    entries: tuple[Entry, ...] = ()
    ttl_s: float = 0.0
    hubs: tuple[str, ...] = ()
    self_url: str = ""
    warnings: tuple[str, ...] = ()
    error: str = ""
