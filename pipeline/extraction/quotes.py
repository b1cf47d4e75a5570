"""Quotations: where they stand in a text, by their marks."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

MAX_QUOTE = 3_000
_OPEN = "“«"
_MARK = re.compile('[“”«»"\n]')


@dataclass(frozen=True, slots=True)
class Quotes:
    """The quotations of one text: sorted spans, marks included."""

    spans: tuple[tuple[int, int], ...]

    def at(self, offset: int) -> tuple[int, int] | None:
        """The quotation that ``offset`` stands in."""
        place = bisect_right(self.spans, (offset, MAX_QUOTE + offset + 1)) - 1
        if place >= 0 and self.spans[place][0] <= offset < self.spans[place][1]:
            return self.spans[place]
        return None


def find(text: str) -> Quotes:
    """Quotations in curly, angle or straight double marks.

    A straight mark opens and closes in turn and never beyond its paragraph. A curly one that is not closed ends with
    its paragraph too: the next paragraph of a long quotation opens with a mark of its own.
    """
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    for mark in _MARK.finditer(text):
        place, character = mark.start(), mark[0]
        if opened is not None and place - opened > MAX_QUOTE + 1:
            spans.append((opened, opened + MAX_QUOTE + 2))
            opened = None
        if character in _OPEN or (character == '"' and opened is None):
            opened = place
        elif opened is not None:
            spans.append((opened, place + 1))
            opened = None
    if opened is not None:
        spans.append((opened, min(len(text), opened + MAX_QUOTE + 2)))
    return Quotes(tuple(spans))
