"""Link headers, by the letter of RFC 8288 and as they come."""

from __future__ import annotations

import pytest

from connectors.websub.links import targets

BASE = "https://wire.example/world/feed.xml"


@pytest.mark.parametrize(
    ("header", "hubs"),
    [
        ('<https://hub.example/>; rel="hub"', ["https://hub.example/"]),
        ("<https://hub.example/>;rel=hub", ["https://hub.example/"]),
        ('<https://hub.example/> ; REL = "HUB"', ["https://hub.example/"]),
        ('<https://hub.example/>; title="a, b; rel=self <x>"; rel=hub', ["https://hub.example/"]),
        (r'<https://hub.example/>; title="a \" b"; rel=hub', ["https://hub.example/"]),
        ('</hub?a=1,2>; rel="preload hub"', ["https://wire.example/hub?a=1,2"]),
        ("<https://a.example/>; rel=hub, <https://b.example/>; rel=hub", ["https://a.example/", "https://b.example/"]),
        ("<https://a.example/>; rel=hub, <https://a.example/>; rel=hub", ["https://a.example/"]),
        ("<https://a.example/>; rel=next; rel=hub", []),
        ("<https://a.example/>; rel=hub; anchor='#x'", []),
        ("<https://a.example/>; rel=hubs", []),
        ("<javascript:alert(1)>; rel=hub", []),
        ("<https://a.example/; rel=hub", []),
        ("https://a.example/; rel=hub", []),
        ("<https://[a/>; rel=hub", []),
        ("<https://a.example/>; rel", []),
        ("", []),
    ],
)
def test_a_link_is_what_the_standard_calls_one(header: str, hubs: list[str]):
    """Quoting, commas in addresses, blanks, several relations; what is no link is none, and nothing fails."""
    assert list(targets([header], "hub", BASE)) == hubs


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "header", ["<" * 8000, "<a>;" * 2000, '<a>; rel="' + "\\" * 8000, "<a>" + "; a=b" * 1600 + '"']
)
def test_a_hostile_header_costs_little(header: str):
    """What is made to make a regular expression go back and forth is read in one pass; more of it is cut off."""
    assert targets([header] * 1000, "hub", BASE) == ()
