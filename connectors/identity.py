"""Identity: what makes an entry the same article, and an article of an entry."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

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
_PORTS = {"http": 80, "https": 443}
# What is appended to tell where a reader came from. The prefixes cover whole families.
_TRACKER_PREFIXES = ("utm_", "mtm_", "pk_", "piwik_", "at_", "hsa_", "_hs", "mc_", "ns_", "wt_", "wt.", "oly_", "vero_")
_TRACKERS = frozenset(
    {
        "fbclid", "gclid", "dclid", "gbraid", "wbraid", "gclsrc", "msclkid", "twclid", "ttclid", "yclid", "igshid",
        "igsh", "li_fat_id", "cmpid", "cmp", "campaign_id", "icid", "ito", "intcmp", "int_cmp", "ocid", "xtor", "smid",
        "smtyp", "partner", "ftag", "ncid", "sr_share", "s_cid", "traffic_source", "feedname", "feedtype", "ref_src",
        "ref_url", "__twitter_impression", "spm", "guccounter", "guce_referrer", "guce_referrer_sig", "sh_kit", "taid",
    }
)  # fmt: skip
_WWW = re.compile(r"^www\d?\.")


def canonical_url(url: str) -> str:
    """``url`` as it is written once for all: no user, default port, fragment or tracking parameters; sorted query.

    Empty where there is no address.
    """
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
        host = f"[{host}]" if ":" in host else host
        netloc = host if port in {None, _PORTS.get(parts.scheme)} else f"{host}:{port}"
        pairs = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not _tracks(key)]
        return str(canonicalize_url(urlunsplit((parts.scheme, netloc, parts.path or "/", urlencode(pairs), ""))))
    except (ValueError, UnicodeError):
        return ""


def _tracks(key: str) -> bool:
    name = key.lower()
    return name in _TRACKERS or name.startswith(_TRACKER_PREFIXES)


def article_id(url: str, feed_id: str, guid: str, title: str) -> str:
    """32 hex digits: hash of the canonical ``url``, else of feed and guid, else of feed and title.

    An address without path and query is the outlet's front page: feeds that link every entry to it are told by guid.
    """
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.query:
        return _digest(url)
    return _digest(feed_id, guid or title)


def content_hash(title: str, text: str) -> str:
    """32 hex digits over title and text."""
    return _digest(title, text)


def published_at(entry: Entry, fetched_at: datetime) -> datetime:
    """When ``entry`` was published.

    The rule: what it says; else when it was updated; where it says neither, or a time before 1990 or more than an hour
    ahead (a clock or zone that is wrong by less is let stand), the time at which it was read.
    """
    said = entry.published or entry.updated
    if said is None or not EARLIEST <= said <= fetched_at + MAX_AHEAD:
        return fetched_at
    return said


def language(title: str, text: str, vouched: str | None, claimed: str) -> str:
    """ISO 639-1 code of a text, or ``und``.

    What a feed claims is often a template's default, so the text itself decides; only where it is too short or not
    clear do the operator's word (``vouched``) and then the feed's claim count. A text too short to tell whose feed says
    nothing is ``und``.

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
    if hint and probability < SURE:
        return hint
    return _code(str(code)) or "und"


def _code(claimed: str) -> str:
    head = claimed.strip().lower().replace("_", "-").split("-")[0]
    return head if len(head) == 2 and head.isascii() and head.isalpha() else ""  # noqa: PLR2004  # ISO 639-1


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """The language identifier, loaded at its first use: 0.3 s."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def source_domain(url: str, feed: Feed) -> str:
    """The outlet: the operator's word, else the host of the entry's address, else that of the feed's; without www."""
    host = urlsplit(url).hostname or urlsplit(feed.url).hostname or ""
    return feed.source or _WWW.sub("", host.lower())


def article(entry: Entry, feed: Feed, fetched_at: datetime, clock: Literal["wall", "records"]) -> Article:
    """The article that ``entry`` of ``feed`` is, read at ``fetched_at`` (UTC)."""
    url = canonical_url(entry.url)
    published = published_at(entry, fetched_at)
    return Article(
        article_id=article_id(url, feed.id, entry.guid, entry.title),
        url=url,
        title=entry.title,
        text=entry.text,
        language=language(entry.title, entry.text, feed.language, entry.language),
        source=source_domain(url, feed),
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
