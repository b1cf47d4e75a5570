"""Links of feeds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from connectors.links import absolute

BASE = "https://wire.example/rss"


@pytest.mark.parametrize(
    "link",
    [
        "http://é..com/x", "http://a..com/", "http://" + "a" * 64 + ".com/", "http://" + "é" * 64 + ".com/",
        "http://a\u200db.com/", "http://a\u202eb.com/", "http://xn--é.com/", "http://\udcff.com/", "/story/\udcff",
        "http://a.com\\@b.com/", "http://.com/", "ftp://a.com/", "http://a.com:99999/",
    ],
)  # fmt: skip
def test_what_can_not_be_asked_is_no_link(link: str):
    """A host that no name can have would come out of whatever asks it, or logs it, as an exception."""
    assert absolute(link, BASE) == ""


@pytest.mark.parametrize(
    "link", ["http://münchen.example/x", "http://a_b.example:8080/", "http://[::1]/x", "http://user@a.example./é?q=ü"]
)
def test_odd_links_that_can_be_asked_stay_as_they_are(link: str):
    """International names, IPv6 addresses and ports are links."""
    assert absolute(link, BASE) == link


@given(st.text(max_size=30))
def test_whatever_is_let_through_can_be_asked(host: str):
    """What is given out has a host, and can be written."""
    if found := absolute(f"http://{host}/x", BASE):
        assert URL(found).raw_host
        assert found.encode()
