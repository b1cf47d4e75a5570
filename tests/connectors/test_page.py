"""What is read of a page."""

from __future__ import annotations

import pytest
from pageserver import CANONICAL, CONSENT, LD, PAGES, PARAGRAPHS, article

from connectors.outcome import Outcome
from connectors.page import Page, read, same_site

URL = "https://www.wire.example/story/7?a=1"


def of(markup: str, content_type: str = "text/html; charset=utf-8") -> Page:
    """The page that some markup is."""
    return read(markup.encode(), URL, content_type)


def test_the_article_and_nothing_around_it():
    """Menus, other articles' teasers, notices and scripts are no news."""
    page = of(article())
    assert page.outcome is Outcome.OK
    for paragraph in PARAGRAPHS:
        assert paragraph in page.text
    for other in ("Most read", "number 3", "Weather", "cookies", "rights", "readers"):
        assert other not in page.text


def test_the_encoding_that_is_declared():
    """A page says in its head, or its server in a header, in which encoding it is."""
    assert "Tölmar" in read(PAGES["/story/latin"].encode("iso-8859-1"), URL, "text/html").text
    body = article().replace('<meta charset="utf-8">', "").replace("Tolmar", "Tölmar").encode("iso-8859-1")
    assert "Tölmar" in read(body, URL, "text/html; charset=iso-8859-1").text


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        ("/story/full", Outcome.OK),
        ("/story/free", Outcome.OK),
        ("/story/marked", Outcome.PAYWALL),
        ("/story/not-free", Outcome.PAYWALL),
        ("/story/nothing", Outcome.NO_TEXT),
        ("/story/no-html", Outcome.NO_TEXT),
    ],
)
def test_whether_it_is_all_there(page: str, outcome: Outcome):
    """A stub behind a paywall is not taken for the article, nor a page without one."""
    found = of(PAGES[page])
    assert found.outcome is outcome
    assert bool(found.text) == (outcome is Outcome.OK)
    assert bool(found.error) == (outcome is not Outcome.OK)


@pytest.mark.parametrize("value", ["false", '"False"', '"http://schema.org/False"'])
def test_how_a_page_says_that_it_is_not_free(value: str):
    """As a word, a text or an address, anywhere in the data."""
    assert of(article(head=LD % value)).outcome is Outcome.PAYWALL


@pytest.mark.parametrize(
    "data", ["{", "[" * 100_000 + '"isAccessibleForFree": false', '{"isAccessibleForFree": [{"a": []}]}', '["x", 7]']
)
def test_data_that_is_none(data: str):
    """Broken data, or a nest of it, says nothing and does no harm."""
    assert of(article(head=f'<script type="application/ld+json">{data}</script>')).outcome is Outcome.OK


def test_a_long_article_may_speak_of_subscriptions():
    """What asks to subscribe below the whole of an article takes nothing away from it."""
    assert (
        of(article(paragraphs=PARAGRAPHS * 4, foot="<p>Subscribe to continue reading more.</p>")).outcome is Outcome.OK
    )


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/story/one", "https://www.wire.example/story/one"),
        ("https://wire.example/story/one", "https://wire.example/story/one"),
        ("https://m.wire.example/?p=1", "https://m.wire.example/?p=1"),
        ("https://elsewhere.example/story/one", ""),
        ("https://a:b@www.wire.example/story/one", ""),
        ("javascript:alert(1)", ""),
        ("https://[::1/", ""),
        ("/", ""),
        ("", ""),
        ("/" + "x" * 5000, ""),
    ],
)
def test_the_address_that_a_page_gives_as_its_own(address: str, found: str):
    """It must be of the same site, and no front page: else many articles would be taken for one."""
    assert of(article(head=CANONICAL % address)).canonical == found


def test_sites():
    """With and without www, and on the telephone, it is the same site; a neighbour's is not."""
    assert same_site("https://www.wire.example/a", "http://m.wire.example/b")
    assert not same_site("https://wire.example/", "https://wire.example.evil.example/")
    assert not same_site("", "")


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 100_000,
        "<p>" + "&a;" * 200_000,
        "<table>" * 3_000 + "x",
        "<a href='" + "x" * 1_000_000,
        "\0" * 100_000,
        "<!--" * 100_000,
        "<p>" + "already a subscriber " * 50_000,
    ],
)
def test_hostile_pages_end(hostile: str):
    """Whatever it is, it ends as some outcome; how long that may take is the sandbox's to bound."""
    assert of(f"<html><body>{hostile}").outcome in {Outcome.OK, Outcome.NO_TEXT, Outcome.PAYWALL}


def test_a_page_that_asks_for_consent_is_text_like_any_other():
    """Only beside the feed's entry does it show that it is about something else: see the tests of full text."""
    assert of(CONSENT).outcome in {Outcome.OK, Outcome.NO_TEXT}
