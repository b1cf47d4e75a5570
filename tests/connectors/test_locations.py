"""The way of a fetch, and what of an address may be seen."""

from __future__ import annotations

import aiohttp
import pytest

from config.redaction import MAX_SHOWN, shown
from connectors.locations import RedirectError, Trail
from connectors.outcome import Outcome

START = "https://wire.example/feed"


@pytest.mark.parametrize(
    ("hops", "permanent"),
    [
        ([(301, "/a")], "https://wire.example/a"),
        ([(301, "/a"), (308, "https://other.example/b")], "https://other.example/b"),
        ([(301, "/a"), (302, "/b"), (301, "/c")], "https://wire.example/a"),
        ([(307, "/a"), (301, "/b")], None),
        ([(303, "/a")], None),
        ([(301, "http://wire.example/a")], None),
    ],
)
def test_moves_for_good(hops: list[tuple[int, str]], permanent: str | None):
    """A move counts up to the first hop that is not for good; leaving TLS never is."""
    trail = Trail.begin(START)
    for status, location in hops:
        trail = trail.on(status, location, 5)
    assert (str(trail.permanent) if trail.permanent else None) == permanent


@pytest.mark.parametrize(
    ("location", "home", "origin"),
    [
        ("/other", True, True),
        ("https://WIRE.example./x", True, True),
        ("https://wire.example:444/x", True, False),
        ("http://wire.example/x", True, False),
        ("https://www.wire.example/x", False, False),
        ("//elsewhere.example/x", False, False),
    ],
)
def test_where_secrets_may_go(location: str, home: bool, origin: bool):
    """Another scheme, port or host is another origin: what was given for the one is not sent to the other."""
    trail = Trail.begin(START).on(302, location, 5)
    assert (trail.at_home, trail.at_origin) == (home, origin)


@pytest.mark.parametrize(
    ("location", "outcome"),
    [
        (START, Outcome.REDIRECT_LOOP),
        (START + "#there", Outcome.REDIRECT_LOOP),
        ("ftp://wire.example/", Outcome.BAD_URL),
        ("https://desk:open-sesame@wire.example/", Outcome.BAD_URL),
        ("https://desk@wire.example/", Outcome.BAD_URL),
        ("https://[::1/", Outcome.BAD_URL),
        ("gopher://x/?open-sesame", Outcome.BAD_URL),
    ],
)
def test_redirects_that_are_not_followed(location: str, outcome: Outcome):
    """Loops, other schemes and users in addresses end the fetch; the reason holds no secret."""
    with pytest.raises(RedirectError) as caught:
        Trail.begin(START).on(302, location, 5)
    assert caught.value.outcome is outcome
    assert "sesame" not in str(caught.value)


def test_an_address_with_a_user_begins_nothing():
    """Neither does the operator's own: the user would be sent, and logged."""
    with pytest.raises(aiohttp.InvalidURL) as caught:
        Trail.begin("https://desk:open-sesame@wire.example/?token=open-sesame")
    assert "sesame" not in str(caught.value)


def test_what_is_shown_of_an_address():
    """Neither the query nor the user nor the fragment; the rest is what helps to find the fault."""
    said = "from 'https://a:b@wire.example/x?token=1#y' to ftp://c.example/#z"
    assert shown(said) == "from 'https://wire.example/x?…' to ftp://c.example/?…"


def test_a_hostile_text_is_cut():
    """What is made to take long costs no more than its beginning."""
    assert len(shown("a://" * 100_000)) <= MAX_SHOWN


def test_what_is_told_of_a_redirect_can_be_written():
    """A Location of bytes that are no UTF-8, or with controls, is quoted without them."""
    for location in ("http://\udcff.example/", "ftp://a.example/\x1b[2J", "http://a.example:\udcff/"):
        with pytest.raises(RedirectError) as caught:
            Trail.begin("https://a.example/").on(301, location, 5)
        assert str(caught.value).isprintable()
