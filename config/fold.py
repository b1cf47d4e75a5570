"""Folding of text for look-ups: case, accents, quotes, hyphens; always one character for one, so offsets stay true."""

from __future__ import annotations

import unicodedata

# Letters that Unicode does not decompose, and punctuation that writers use for one another.
_BY_HAND = {
    "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
    "\N{LATIN CAPITAL LETTER L WITH STROKE}": "l",
    "\N{LATIN SMALL LETTER D WITH STROKE}": "d",
    "\N{LATIN CAPITAL LETTER D WITH STROKE}": "d",
    "\N{LATIN SMALL LETTER O WITH STROKE}": "o",
    "\N{LATIN CAPITAL LETTER O WITH STROKE}": "o",
    "\N{LATIN SMALL LETTER H WITH STROKE}": "h",
    "\N{LATIN CAPITAL LETTER H WITH STROKE}": "h",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "\N{LATIN SMALL LETTER SCHWA}": "a",
    "\N{LATIN CAPITAL LETTER SCHWA}": "a",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{MODIFIER LETTER APOSTROPHE}": "'",
    "\N{MODIFIER LETTER TURNED COMMA}": "'",
    "\N{GRAVE ACCENT}": "'",
    "\N{ACUTE ACCENT}": "'",
    "\N{PRIME}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{HYPHEN-MINUS}": " ",
    "\N{HYPHEN}": " ",
    "\N{NON-BREAKING HYPHEN}": " ",
    "\N{SOFT HYPHEN}": " ",
}


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
