"""Folding of text for look-ups: case, accents, quotes, hyphens; always one character for one, so offsets stay true."""

from __future__ import annotations

import unicodedata

# Letters that Unicode does not decompose, and punctuation that writers use for one another.
_BY_HAND = {
    "ł": "l", "đ": "d", "ø": "o", "ħ": "h", "ı": "i", "ə": "a", "Ł": "l", "Đ": "d", "Ø": "o", "Ħ": "h", "Ə": "a",
    "‘": "'", "’": "'", "ʼ": "'", "ʻ": "'", "`": "'", "´": "'", "′": "'", "“": '"', "”": '"',
    "-": " ", "\u2010": " ", "\u2011": " ", "\u00ad": " ",
}  # fmt: skip


def _fold_character(character: str) -> str:
    by_hand = _BY_HAND.get(character)
    if by_hand is not None:
        return by_hand
    if character.isspace():
        return " "
    base = unicodedata.normalize("NFKD", character)[:1] or character
    low = base.lower()
    return low if len(low) == 1 else character


class _Table(dict[int, str]):
    """A translation table that fills itself as characters are met; at most one entry a code point."""

    def __missing__(self, point: int) -> str:
        self[point] = folded = _fold_character(chr(point))
        return folded


_TABLE = _Table()


def fold(text: str) -> str:
    """``text`` without case, accents and typographic quotes; hyphens become spaces.

    The answer has exactly the length of ``text``: an offset in one is an offset in the other. (``str.lower`` does not
    promise that: the Turkish ``İ`` becomes two characters.)
    """
    return text.translate(_TABLE)
