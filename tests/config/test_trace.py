"""Traces: an article's id, as W3C's header has it."""

from __future__ import annotations

import pytest

from config import trace
from config.trace import Parent

ARTICLE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_header_says_what_was_put_in():
    """The article's id is the trace's: whoever reads a log needs no table to follow it."""
    for parent in (trace.of_article(ARTICLE), Parent(ARTICLE, "00f067aa0ba902b7", sampled=True)):
        assert parent.trace == ARTICLE
        assert trace.parent_of([("other", b"x"), *trace.header(parent)]) == parent
    assert trace.header(Parent(ARTICLE, "00f067aa0ba902b7", sampled=True)) == [
        ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    ]


def test_an_id_that_is_none_has_no_trace():
    """Articles of other writers may be called anything: no header is better than a false one."""
    for other in ("", "my article", "0" * 32, ARTICLE.upper(), "é" * 32):
        assert trace.of_article(other) is None
        assert "trace_id" not in trace.fields(other)
    assert trace.header(None) == []
    half = "a" * 16 + "0" * 16
    assert trace.of_article(half).span != "0" * 16  # which the standard forbids


@pytest.mark.parametrize(
    "value",
    [
        b"", b"00", b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01", b"00-" + ARTICLE.encode() + b"-" + b"0" * 16 + b"-01",
        b"00-" + ARTICLE.encode() + b"-00f067aa0ba902b7-01\n", b"\xff" * 55, b"00-" + ARTICLE.encode() * 1000,
    ],
)  # fmt: skip
def test_a_header_that_is_wrong_is_none(value):
    """Anybody who may write to a topic writes headers; they reach logs, and ids of spans."""
    assert trace.parent_of([("traceparent", value)]) is None
