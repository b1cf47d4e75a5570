"""Character references of XML (``&#38;``, ``&#x26;``): those that it does not allow, put right."""

from __future__ import annotations

import re

LOST = "\N{REPLACEMENT CHARACTER}"
OPAQUE = r"<!\[CDATA\[(?:.*?\]\]>|.*)|<!--(?:.*?-->|.*)"
"""A pattern (``re.DOTALL``) of what holds no references, whatever stands in it; what has no end takes the rest."""
_RUN = re.compile(OPAQUE + r"|(?:&#(?:[0-9]++|[xX][0-9a-fA-F]++);)++", re.DOTALL)
_ONE = re.compile(r"&#([^;]+);")
_MAX_DIGITS = 7
NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no document may hold."""
_HIGH = range(0xD800, 0xDC00)
_LOW = range(0xDC00, 0xE000)


def mended(text: str) -> tuple[str, int]:
    """``text`` with references that XML allows only, and how many others it had.

    Two that are the surrogates of UTF-16, as some write an emoji, become the character that they stand for; any other
    becomes U+FFFD. A parser refuses the whole document for one of them.
    """
    if "&#" not in text:
        return text, 0
    mending = _Mending()
    return _RUN.sub(mending.run, text), mending.count


def _is_character(code: int) -> bool:
    """Whether XML 1.0 (2.2) allows the character of this number."""
    return 0 <= code <= 0x10FFFF and not NO_XML.match(chr(code))  # noqa: PLR2004  # the last of Unicode


class _Mending:
    """Counts while it mends."""

    def __init__(self) -> None:
        self.count = 0

    def run(self, found: re.Match[str]) -> str:
        """References that stand side by side; and what holds none, as it is."""
        if found[0].startswith("<"):
            return found[0]
        written = _ONE.findall(found[0])
        codes = [_code(number) for number in written]
        mended: list[str] = []
        at = 0
        while at < len(codes):
            pair = codes[at : at + 2]
            if _is_character(codes[at]):
                mended.append(f"&#{written[at]};")
            elif len(pair) > 1 and pair[0] in _HIGH and pair[1] in _LOW:
                mended.append(chr(0x10000 + ((pair[0] & 0x3FF) << 10) + (pair[1] & 0x3FF)))
                self.count += 2
                at += 1
            else:
                mended.append(LOST)
                self.count += 1
            at += 1
        return "".join(mended)


def _code(number: str) -> int:
    """The number of a reference such as ``38`` or ``x26``; -1 for one beyond all characters."""
    digits = number.lstrip("xX").lstrip("0") or "0"
    return -1 if len(digits) > _MAX_DIGITS else int(digits, 16 if number[0] in "xX" else 10)
