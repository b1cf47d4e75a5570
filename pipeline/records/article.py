"""Article: one news item as a connector found it."""

from __future__ import annotations

from pipeline.records.base import Record, Time
from pipeline.records.flow import Flow


class Article(Record, frozen=True, kw_only=True):
    """One news item.

    Attributes:
        article_id: 32 hex digits: hash of the canonical URL, or of feed id and guid where there is no URL.
        url: The address that the entry gives, without trackers; empty where it gives none.
        title: Plain text, one line; may be empty.
        text: Plain text of body or summary; may be empty. Spans of signals index ``title`` or ``text`` as given here.
        language: ISO 639-1 code, or ``und``.
        source: The outlet's domain, such as ``example.org``.
        feed: Id of the feed that brought it.
        published_at: When it was published (UTC); where the entry does not say, ``fetched_at``.
        fetched_at: When the connector read it (UTC).
        observed_at: The time at which the article counts in scores: ``fetched_at``, or ``published_at`` where the
            service runs on the clock of records.
        content_hash: 32 hex digits over title and text: tells an update from a repeat.
        minhash: MinHash signature of title and text, base64 of 128 little-endian uint32; empty for fewer than 5 words.
        drill: True for an article of the built-in drill.
        heartbeat: True for one that the service sends itself, to see whether it works: no news, and nobody's.
        flow: How much news came in with it; None where nobody counted.
    """

    article_id: str
    url: str
    title: str
    text: str
    language: str
    source: str
    feed: str
    published_at: Time
    fetched_at: Time
    observed_at: Time
    content_hash: str
    minhash: str = ""
    drill: bool = False
    flow: Flow | None = None
    heartbeat: bool = False
