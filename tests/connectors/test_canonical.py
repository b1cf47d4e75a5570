"""Addresses: forms of one article are one, and two articles never are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical import canonical_url, clean_url, other_form

STORY = "https://wire.example/2026/troops-move-north"


@pytest.mark.parametrize(
    "url",
    [
        "https://wire.example/2026/troops-move-north/amp",
        "https://wire.example/2026/troops-move-north/AMP",
        "https://wire.example/amp/2026/troops-move-north",
        "https://amp.wire.example/2026/troops-move-north",
        "https://wire.example/2026/troops-move-north?amp=1",
        "https://wire.example/2026/troops-move-north?amp",
        "https://wire.example/2026/troops-move-north?outputType=amp&utm_medium=x",
        "https://m.wire.example/2026/troops-move-north",
        "https://mobile.wire.example:443/2026/troops-move-north#comments",
        "https://wire.example/2026/troops-move-north;jsessionid=0A1B2C3D4E5F",
        "https://wire.example/2026/troops-move-north?PHPSESSID=0a1b2c3d4e5f6a7b",
        "https://wire.example/2026/troops-move-north?sid=0123456789abcdef0123456789ABCDEF",
        "https://www.google.com/amp/s/wire.example/2026/troops-move-north",
        "https://wire-example.cdn.ampproject.org/c/s/wire.example/2026/troops-move-north",
    ],
)
def test_forms_of_one_article(url: str):
    """AMP, mobile, cached, and with a session: each is the article that the plain address is."""
    assert canonical_url(url) == STORY


def test_what_stands_at_the_end_of_an_amp_address():
    """A trailing slash and a file's name stay as the plain form has them."""
    assert canonical_url("https://w.example/a-long-slug/amp/") == "https://w.example/a-long-slug/"
    assert canonical_url("https://w.example/a-long-slug.amp.html") == "https://w.example/a-long-slug.html"
    assert canonical_url("https://w.example/story/17/amp") == "https://w.example/story/17"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://w.example/glossary/amp", "https://w.example/glossary"),
        ("https://w.example/what-is/amp", "https://w.example/what-is"),
        ("https://w.example/amp/news", "https://w.example/news"),
        ("https://w.example/guitar-amp", "https://w.example/guitar"),
        ("https://w.example/a?amp=15", "https://w.example/a?amp=20"),
        ("https://w.example/a?amp=15", "https://w.example/a"),
        ("https://w.example/a?outputType=pdf", "https://w.example/a"),
        ("https://m.tumblr.com/post/12345678", "https://tumblr.com/post/12345678"),
        ("https://m.github.io/a", "https://amp.github.io/a"),
        ("https://m.co.uk/a", "https://co.uk/a"),
        ("https://mobile.de/a", "https://de/a"),
        ("https://am.wire.example/a", "https://wire.example/a"),
        ("https://www.wire.example/a", "https://wire.example/a"),
        ("https://wire.example/a", "http://wire.example/a"),
        ("https://wire.example/a", "https://wire.example/a/"),
        ("https://wire.example/A", "https://wire.example/a"),
        ("https://wire.example/#!/a", "https://wire.example/#!/b"),
        ("https://wire.example/article.php?sid=123", "https://wire.example/article.php?sid=124"),
        ("https://wire.example/a?session_id=7", "https://wire.example/a?session_id=8"),
        ("https://wire.example/a?id=1", "https://wire.example/a?id=2"),
        ("https://wire.example/a;v=1", "https://wire.example/a;v=2"),
        ("https://wire.example/a%2Fb", "https://wire.example/a/b"),
        ("https://wire.example/a?p=1&p=2", "https://wire.example/a?p=2"),
        ("https://user.wire.example/a", "https://wire.example/a"),
        ("https://wire.example:8080/a", "https://wire.example/a"),
        ("https://google.com/amp/a", "https://google.com/a"),
    ],
)
def test_addresses_of_two_articles_stay_apart(one: str, other: str):
    """A word that may be the site's own, a user's host, a short number: none is folded."""
    assert canonical_url(one) != canonical_url(other)


@given(
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.sampled_from(["/{}", "/news/{}", "/a-b-c-{}", "/x?id={}", "/#!/{}"]),
)
def test_numbers_are_never_folded(one: int, other: int, form: str):
    """Where only a number tells two articles, it does."""
    same = canonical_url("https://w.example" + form.format(one)) == canonical_url(
        "https://w.example" + form.format(other)
    )
    assert same == (one == other)


@given(st.text(max_size=60))
def test_nonsense_is_no_failure(text: str):
    """Whatever stands in a link gives an address or nothing, and the same again from what it gave."""
    for url in (text, f"https://{text}", f"https://m.w.example/{text}"):
        once = canonical_url(url)
        assert canonical_url(once) == once
        clean_url(url)
        other_form(url)


def test_links_stay_usable():
    """What readers are given leads to the form of the page that the feed named: the site may have no other."""
    assert clean_url("https://m.wire.example/a-b-c/amp?utm_source=x") == "https://m.wire.example/a-b-c/amp"
    assert other_form("https://m.wire.example/a") == "https://www.wire.example/a"
    assert other_form("https://wire.example/a") == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://w.example/?12345", None),
        ("https://w.example/a?z=1&b=2&a=%2F&empty=&bare#section-3", None),
        ("https://w.example/a?z=1&utm_source=x&b=%c3%a4&fbclid=y#top", "https://w.example/a?z=1&b=%c3%a4#top"),
        ("https://w.example/a;jsessionid=0A1B2C3D4E5F?sid=12", "https://w.example/a?sid=12"),
        ("https://user:pw@W.example:443/A+b", "https://W.example:443/A+b"),
        ("https://w.example/a b?q=\N{LATIN SMALL LETTER A WITH DIAERESIS}<", "https://w.example/a%20b?q=%C3%A4%3C"),
        ("https://m\N{LATIN SMALL LETTER U WITH DIAERESIS}ller.example/", "https://xn--mller-kva.example/"),
        ("https://w.example?utm_source=x", "https://w.example"),
        ("https://w.example/page#!/a?b", None),
    ],
)
def test_what_is_shown_leads_where_the_feed_did(url: str, shown: str | None):
    """Only trackers, sessions and users go; what is odd in an address may be what chooses the page."""
    assert clean_url(url) == (shown or url)
