"""Trace: one article followed through topics and logs. Its trace id is its article id, so that no table is needed.

Source: W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Headers = list[tuple[str, bytes]]
HEADER = "traceparent"
_PARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_ID = re.compile(r"[0-9a-f]{32}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
SAMPLED = 1


@dataclass(frozen=True, slots=True)
class Parent:
    """What a ``traceparent`` header says.

    Attributes:
        trace: 32 hex digits: the article's id.
        span: 16 hex digits: what the message comes from.
        sampled: Whether spans of this trace are kept.
    """

    trace: str
    span: str
    sampled: bool = False


def trace_id(article_id: str) -> str | None:
    """The trace of an article: the first 32 hex digits of its id; None for an id that is none of ours."""
    head = article_id[:32]
    return head if _ID.fullmatch(head) and head != _NO_TRACE else None


def of_article(article_id: str) -> Parent | None:
    """The parent of what comes of an article, where nobody keeps spans: the span id is a part of the trace id."""
    trace = trace_id(article_id)
    if trace is None:
        return None
    span = trace[16:] if trace[16:] != _NO_SPAN else trace[:16]
    return Parent(trace, span)


def header(parent: Parent | None) -> Headers:
    """The header of a message; none without a trace."""
    if parent is None:
        return []
    return [(HEADER, f"00-{parent.trace}-{parent.span}-{'01' if parent.sampled else '00'}".encode())]


def parent_of(headers: Headers) -> Parent | None:
    """What the message's header says; None where it has none that is valid. The last one counts."""
    for name, value in reversed(headers):
        if name == HEADER:
            found = _PARENT.fullmatch(value)
            if found is None or found[1] == _NO_TRACE.encode() or found[2] == _NO_SPAN.encode():
                return None
            return Parent(found[1].decode(), found[2].decode(), bool(int(found[3], 16) & SAMPLED))
    return None


def fields(article_id: str) -> dict[str, str]:
    """An article in a line of the log: its id and its trace."""
    trace = trace_id(article_id)
    return {"article_id": article_id, **({"trace_id": trace} if trace else {})}
