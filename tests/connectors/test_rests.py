"""Hosts that asked to be left alone."""

from __future__ import annotations

import pytest

from connectors.rests import Rests, hostname

WEEK_S = 7 * 86_400.0


def test_a_rest_ends_and_the_longest_counts():
    """A feed that is told less does not shorten what another was told."""
    rests = Rests()
    rests.ask("a.example", 100, now=10)
    rests.ask("a.example", 20, now=10)
    assert rests.left_s("a.example", 10) == 100
    assert rests.left_s("a.example", 110) == 0
    assert rests.left_s("b.example", 10) == 0


def test_rests_outlive_the_process_and_its_clock():
    """The next process has another clock that only goes forward; what is over is not kept."""
    rests = Rests()
    rests.ask("a.example", 100, now=10)
    rests.ask("b.example", 5, now=10)
    again = Rests()
    again.restore([rests.saved(wall=5000, now=20)], wall=5030, now=1)
    assert again.left_s("a.example", 1) == 60
    assert again.left_s("b.example", 1) == 0


def test_a_clock_that_was_set_back_lengthens_no_rest_beyond_a_week():
    """No host is left alone for years because a clock was wrong."""
    rests = Rests()
    rests.ask("a.example", 1e9, now=0)
    again = Rests()
    again.restore([rests.saved(wall=2e9, now=0)], wall=1e9, now=0)
    assert again.left_s("a.example", 0) == WEEK_S


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": "soon"}', "\0"])
def test_a_text_that_is_none_of_ours_is_no_rest(text: str):
    """Damage costs a request, not a start."""
    rests = Rests()
    rests.restore([text], 0.0, 0.0)
    assert rests.left_s("a", 0.0) == 0


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://A.example:8/x", "a.example"),
        ("https://münchen.example./", "xn--mnchen-3ya.example"),
        ("file:///x", ""),
        ("http://[x/", ""),
        ("http://é..x/", ""),
        ("", ""),
    ],
)
def test_whose_rest_it_is(url: str, host: str):
    """A host is one however it is written; what has none is nobody's."""
    assert hostname(url) == host
