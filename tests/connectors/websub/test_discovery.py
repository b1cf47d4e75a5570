"""Which hub and which topic a feed names."""

from __future__ import annotations

from connectors.entry import Parsed
from connectors.fetch import Fetched
from connectors.outcome import Outcome
from connectors.websub.discovery import Found, chosen, discover

FEED = "https://wire.example/feed"


def found(feed_url: str = FEED, links: tuple[str, ...] = (), hubs: tuple[str, ...] = (), own: str = "") -> Found:
    """What is found in these headers and in this feed."""
    fetched = Fetched(Outcome.OK, final_url=feed_url, links=links)
    return discover(feed_url, fetched, Parsed(outcome=Outcome.OK, hubs=hubs, self_url=own))


def test_headers_go_before_the_feed():
    """A CDN that adds its hub's header is who will push, whatever the file says; without one the file counts."""
    links = ("<https://h.example/>; rel=hub", "</topic>; rel=self")
    file = ("https://f.example/",)
    assert found(links=links, hubs=file) == Found("https://wire.example/topic", ("https://h.example/",), FEED)
    assert found(hubs=file, own="/self") == Found("https://wire.example/self", file, FEED)


def test_a_feed_that_does_not_name_itself_is_known_by_where_it_is():
    """Without a usable ``self``, the topic is the address that was polled."""
    assert found(hubs=("https://f.example/",)).topic == FEED
    assert found(hubs=("https://f.example/",), own="mailto:desk@wire.example").topic == FEED


def test_a_secret_does_not_cross_plain_http_for_a_secure_feed():
    """A hub over plain HTTP is passed over where the feed is over HTTPS, and taken where the feed is not either."""
    hubs = ("http://h.example/", "https://h.example/")
    assert found(hubs=hubs).hubs == ("https://h.example/",)
    assert found("http://wire.example/feed", hubs=hubs).hubs == hubs


def test_few_hubs_and_usable_ones():
    """A feed of a thousand hubs costs no more than one of four; what is no address of the web is none."""
    many = ("ftp://h.example/", *(f"https://h{n}.example/" for n in range(1000)))
    assert len(found(hubs=many).hubs) == 4


def test_a_hub_is_kept_while_it_answers():
    """The order of the feed decides at first; later only a hub that is gone, or three silences in a row, change it."""
    both = Found(FEED, ("https://a.example/", "https://b.example/"), FEED)
    one = Found(FEED, ("https://a.example/",), FEED)
    assert chosen(both, "https://b.example/", 2) == "https://b.example/"
    assert chosen(both, "https://b.example/", 3) == "https://a.example/"
    assert chosen(both, "https://c.example/", 0) == "https://a.example/"
    assert chosen(one, "https://a.example/", 9) == "https://a.example/"


def test_an_address_with_a_password_is_no_hub_and_no_name():
    """A feed can't make us tell it to others and write it into the log."""
    link = "<https://u:p@h.example/>; rel=hub"
    assert found(links=(link,)).hubs == ()
    assert found(links=(link,), hubs=("https://u@f.example/", "https://f.example/")).hubs == ("https://f.example/",)
    assert found(hubs=("https://f.example/",), own="https://u:p@wire.example/self").topic == FEED
    both = ("<https://h.example/>; rel=hub", "<https://u:p@wire.example/>; rel=self")
    assert found(links=both, own="/self").topic == "https://wire.example/self"
    fetched = Fetched(Outcome.OK, final_url="https://u:p@elsewhere.example/feed")
    assert discover(FEED, fetched, Parsed(outcome=Outcome.OK, hubs=("https://f.example/",))).topic == FEED
