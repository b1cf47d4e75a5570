"""Quotations: where they stand in a text, by their marks."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

MAX_QUOTE = 3_000
_OPEN = "“«"
_CLOSE = "”»"


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
    for place, character in enumerate(text):
        if character in _OPEN or (character == '"' and opened is None):
            opened = place
        elif opened is not None and (character in _CLOSE or character in '"\n' or place - opened > MAX_QUOTE):
            spans.append((opened, place + 1))
            opened = None
    if opened is not None:
        spans.append((opened, len(text)))
    return Quotes(tuple(spans))
