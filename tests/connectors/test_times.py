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


HALF_PAST = datetime(2026, 11, 2, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Mon, 02 Nov 2026 01:30:00 PM", HALF_PAST),
        ("Mon, 02 Nov 2026 01:30:00 p.m. GMT", HALF_PAST),
        ("Mon, 02 Nov 2026 08:30:00 AM EST", HALF_PAST),
        ("Mon, 02 Nov 2026 08:30 a. m. -0500", HALF_PAST),
        ("Mon, 02 Nov 2026 13:30:00 PM", HALF_PAST),
        ("Nov 2, 2026 1:30 PM", HALF_PAST),
        ("Nov 2, 2026 1:30PM", HALF_PAST),
        ("Monday, November 2, 2026 1:30 pm", HALF_PAST),
        ("2026-11-02 01:30:00 PM", HALF_PAST),
        ("2026/11/2 1:30 PM", HALF_PAST),
        ("Mon Nov 2 01:30:00 PM 2026", HALF_PAST),
        ("Mon, 02 Nov 2026 12:00:00 AM GMT", NIGHT),
        ("Mon, 02 Nov 2026 00:00:00 AM GMT", NIGHT),
        ("Mon, 02 Nov 2026 12:00:00 PM GMT", datetime(2026, 11, 2, 12, tzinfo=UTC)),
        ("Mon, 02 Nov 2026 13:30:00 AM", None),
        ("Mon, 02 Nov 2026 00:30:00 PM", None),
        ("Mon, 02 Nov 2026 PM 01:30", None),
        ("Nov 2, 2026 1 PM", None),
        ("2 novembre 2026 1:30 PM", None),
        ("Mon, 02 Nov 2026 01:30 \u4e0b\u5348", None),
    ],
)
def test_halves_of_the_day(text: str, at: datetime | None):
    """A clock of twelve hours says what it says, or nothing; never the hour of the other half."""
    assert published(text) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Mon, 02 Nov 2026 11:00:00 GMT+0100", TEN),
        ("Mon Nov 02 2026 11:00:00 GMT+0100 (CET)", TEN),
        ("Mon Nov 02 2026 11:00:00 GMT+0100 (Mitteleurop\u00e4ische Normalzeit, also ohne Sommer)", TEN),
        ("Mon Nov 02 2026 05:00:00 GMT-0500 (Eastern Standard Time)", TEN),
        ("Mon, 02 Nov 2026 12:00:00 UTC+2", TEN),
        ("Mon, 02 Nov 2026 12:00:00 UTC +02:00", TEN),
        ("Mon, 02 Nov 2026 12:00:00 gmt +2", TEN),
        ("Mon, 02 Nov 2026 04:30:00 UTC\u22125:30", TEN),
        ("Mon, 02 Nov 2026 15:30:00 +530", TEN),
        ("Mon, 02 Nov 2026 11:00:00 +01:00", TEN),
        ("Mon, 02 Nov 2026 11:00:00 +01", TEN),
        ("Mon, 02 Nov 2026 11:00:00+0100", TEN),
        ("Mon Nov 02 11:00:00 +0100 2026", TEN),
        ("Mon Nov 02 11:00:00 CET 2026", TEN),
        ("Mon, 02 Nov 2026 11:00:00 (CET)", TEN),
        ("Mon, 02 Nov 2026 11:00:00 CET (Praha)", TEN),
        ("Mon, 02 Nov 2026 11.00.00 CET", TEN),
        ("Mon, 2 Nov 26 05:00:00 est", TEN),
        ("2026-11-02 10:00:00 UTC", TEN),
        ("2026-11-02 11:00:00 +0100", TEN),
        ("2026-11-02T11:00:00 GMT+01:00", TEN),
        ("2026-11-02 11:00:00 CET", TEN),
        ("2026/11/02 11:00 GMT+1", TEN),
        ("Mon, 02 Nov 2026 11:00:00 Etc/GMT-1", None),
        ("Mon, 02 Nov 2026 11:00:00 GMT+25", None),
        ("Mon, 02 Nov 2026 11:00:00 GMT+01:75", None),
        ("Mon, 02 Nov 2026 11:00:00 GMT+1+1", None),
        ("2 novembre 2026 11:00 GMT+1", None),
    ],
)
def test_offsets(text: str, at: datetime | None):
    """However the offset is written, it counts, or the date is none; never as if it were not there."""
    assert published(text) == at


@given(st.text(max_size=80))
def test_nonsense_is_no_date(text: str):
    """Whatever stands there, it is a moment or none, never a failure."""
    for read in (moment, any_moment):
        found = read(text)
        assert found is None or found.tzinfo is UTC
