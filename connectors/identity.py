"""Identity: what makes an entry the same article, and an article of an entry."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from connectors.canonical import canonical_url as canonical_url  # noqa: PLC0414  # part of what identity is
from connectors.canonical import clean_url
from pipeline.records import Article
from pipeline.records.minhash import signature

if TYPE_CHECKING:
    from config.feeds import Feed
    from connectors.entry import Entry

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
MAX_AHEAD = timedelta(hours=1)
LANGUAGE_CHARS = 300
LEAST_LETTERS = 20
SURE = 0.9
LIKELY = 0.5
_WWW = re.compile(r"^www\d?\.")


def has_article(url: str) -> bool:
    """Whether a canonical address leads to one article: it has a path, a query or a route, so is no front page."""
    parts = urlsplit(url)
    return bool(parts.path.strip("/") or parts.query or parts.fragment)


def article_id(url: str, feed_id: str, guid: str, title: str, text: str = "") -> str:
    """32 hex digits: hash of the canonical ``url``, else of feed and guid, else of feed and title, else text.

    An address without path and query is the outlet's front page: feeds that link every entry to it are told by guid.
    """
    if has_article(url):
        return _digest(url)
    return _digest(feed_id, guid or title or text)


def content_hash(title: str, text: str) -> str:
    """32 hex digits over title and text."""
    return _digest(title, text)


def published_at(entry: Entry, fetched_at: datetime) -> datetime:
    """When ``entry`` was published.

    The rule: what it says; else when it was updated; else the time at which it was read. A time before 1990 or more
    than an hour ahead counts as not said; a clock or zone that is wrong by less is let stand.
    """
    said = (time for time in (entry.published, entry.updated) if time is not None)
    return next((time for time in said if EARLIEST <= time <= fetched_at + MAX_AHEAD), fetched_at)


def language(title: str, text: str, vouched: str | None, claimed: str) -> str:
    """ISO 639-1 code of a text, or ``und``.

    What a feed claims is often a template's default, so the text itself decides; only where it is too short or not
    clear do the operator's word (``vouched``) and then the feed's claim count. A text too short to tell, or more likely
    in another language than in the one guessed, whose feed says nothing is ``und``: that is read, and a wrong guess is
    not.

    Args:
        title: The title.
        text: The text.
        vouched: What the operator says of the feed.
        claimed: What the feed or the entry says, such as ``en-GB``.
    """
    hint = vouched or _code(claimed)
    head = f"{title}\n{text}"[:LANGUAGE_CHARS]
    if sum(character.isalpha() for character in head) < LEAST_LETTERS:
        return hint or "und"
    code, probability = _identifier().classify(head)
    if probability < SURE and (hint or probability < LIKELY):
        return hint or "und"
    return _code(str(code)) or "und"


def prepare() -> None:
    """Load what languages are told by now, so that the first entries don't wait for it."""
    _identifier()


def _code(claimed: str) -> str:
    head = claimed.strip().lower().replace("_", "-").split("-")[0]
    return head if len(head) == 2 and head.isascii() and head.isalpha() else ""  # noqa: PLR2004  # ISO 639-1


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """The language identifier, loaded once: 0.3 s."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def source_domain(url: str, feed: Feed, named: str = "") -> str:
    """The outlet: the operator's word, else the entry's (``named``), else its address's host, else the feed's.

    A host goes without www.
    """
    host = urlsplit(url).hostname or urlsplit(feed.url).hostname or ""
    return feed.source or named or _WWW.sub("", host.lower())


def article(
    entry: Entry, feed: Feed, fetched_at: datetime, clock: Literal["wall", "records"], known_as: str = ""
) -> Article:
    """The article that ``entry`` of ``feed`` is, read at ``fetched_at`` (UTC).

    Its id is ``known_as`` where it is known by another id than its address gives. Its address leads to the form of the
    page that the entry names: nobody knows whether the site has another.
    """
    published = published_at(entry, fetched_at)
    url = clean_url(entry.url)
    return Article(
        article_id=known_as or article_id(canonical_url(entry.url), feed.id, entry.guid, entry.title, entry.text),
        url=url,
        title=entry.title,
        text=entry.text,
        language=language(entry.title, entry.text, feed.language, entry.language),
        source=source_domain(canonical_url(entry.url), feed, entry.source),
        feed=feed.id,
        published_at=published,
        fetched_at=fetched_at,
        observed_at=fetched_at if clock == "wall" else published,
        content_hash=content_hash(entry.title, entry.text),
        minhash=signature(f"{entry.title}\n{entry.text}"),
        drill=feed.drill,
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", errors="replace")).hexdigest()[:32]
