"""What makes an entry the same article."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.feeds import Feed
from connectors import identity
from connectors.entry import Entry

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
FEED = Feed("wire", "https://feeds.wire.example/rss")


def entry(**values: Any) -> Entry:
    """An entry with something in every field."""
    given = {"guid": "g", "url": "https://www.wire.example/a", "title": "Title of it", "text": "Text of it"}
    return Entry(**{**given, **values})


@pytest.mark.parametrize(
    "url",
    [
        "https://wire.example/a?b=2&a=1",
        "HTTPS://WIRE.example:443/a?a=1&b=2#top",
        "https://wire.example/a?a=1&b=2&utm_source=x&fbclid=y&at_medium=RSS",
        "https://user:pw@wire.example./a?a=1&b=2",
        "https://wire.example/a?a=1&b=2&UTM_CAMPAIGN=z",
    ],
)
def test_one_article_has_one_address(url: str):
    """Case, port, fragment, user, order and tracking make no other article."""
    assert identity.canonical_url(url) == "https://wire.example/a?a=1&b=2"


def test_addresses_that_differ_stay_apart():
    """What may choose the article is kept: path, parameters, scheme and port."""
    urls = ["https://e.example/?p=1", "https://e.example/?p=2", "https://e.example/p", "https://e.example:8443/p"]
    assert len({identity.canonical_url(url) for url in urls}) == 4
    assert identity.canonical_url("") == ""
    assert identity.canonical_url("http://[bad") == ""


def test_ids():
    """By address where there is one of an article, else by feed and guid, else by feed and title."""
    by_url = identity.article_id("https://e.example/a", "f", "g", "t")
    assert by_url == identity.article_id("https://e.example/a", "other", "h", "u")
    assert len(by_url) == 32
    front_page = identity.article_id("https://e.example/", "f", "g", "t")
    assert front_page == identity.article_id("", "f", "g", "other title")
    assert front_page != identity.article_id("", "f2", "g", "t")
    assert identity.article_id("", "f", "", "t") != identity.article_id("", "f", "", "u")
    assert identity.article_id("", "f", "", "", "x") != identity.article_id("", "f", "", "", "y")
    assert identity.article_id("", "f", "", "t", "x") == identity.article_id("", "f", "", "t", "y")


@pytest.mark.parametrize(
    ("published", "updated", "counts_as"),
    [
        (NOW - timedelta(days=2), NOW, NOW - timedelta(days=2)),
        (None, NOW - timedelta(hours=1), NOW - timedelta(hours=1)),
        (None, None, NOW),
        (NOW + timedelta(minutes=59), None, NOW + timedelta(minutes=59)),
        (NOW + timedelta(minutes=61), None, NOW),
        (datetime(1989, 12, 31, tzinfo=UTC), None, NOW),
        (datetime(1, 1, 1, tzinfo=UTC), None, NOW),
        (datetime(1970, 1, 1, tzinfo=UTC), NOW - timedelta(hours=1), NOW - timedelta(hours=1)),
        (NOW + timedelta(days=365), NOW - timedelta(hours=2), NOW - timedelta(hours=2)),
        (NOW + timedelta(days=365), NOW + timedelta(days=365), NOW),
    ],
)
def test_dates(published: datetime | None, updated: datetime | None, counts_as: datetime):
    """Missing, future and nonsense dates have a rule: what can't be is as if it were not said."""
    assert identity.published_at(entry(published=published, updated=updated), NOW) == counts_as


@pytest.mark.parametrize(
    ("text", "vouched", "claimed", "code"),
    [
        ("Die Regierung hat am Montag neue Maßnahmen gegen die Inflation angekündigt.", None, "en-US", "de"),
        ("The government announced new measures against inflation on Monday.", None, "", "en"),
        ("Short", None, "", "und"),
        ("Short", None, "en-gb", "en"),
        ("Short", "fr", "en", "fr"),
        ("Belmora closes a bridge", None, "", "und"),
        ("Belmora closes a bridge", None, "en-us", "en"),
        ("Short", None, "english", "und"),
        ("1234567890 1234567890 1234567890", None, "", "und"),
    ],
)
def test_language(text: str, vouched: str | None, claimed: str, code: str):
    """The text decides where it is long enough; then the operator, then the feed; else it is not known."""
    assert identity.language("", text, vouched, claimed) == code


def test_article():
    """An article of an entry, on either clock."""
    told = entry(published=NOW - timedelta(hours=3), text="The minister spoke of many things at great length today.")
    wall = identity.article(told, FEED, NOW, "wall")
    records = identity.article(told, FEED, NOW, "records")
    assert (wall.source, wall.feed, wall.drill) == ("wire.example", "wire", False)
    assert (wall.observed_at, records.observed_at) == (NOW, NOW - timedelta(hours=3))
    assert wall.minhash
    assert wall.content_hash != identity.content_hash(told.title, told.text + "!")
    assert identity.article(entry(url=""), FEED, NOW, "wall").source == "feeds.wire.example"
