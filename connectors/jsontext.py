"""JSON from outside, with one form more than the standard's reader takes: half a character, which becomes U+FFFD."""

from __future__ import annotations

import re
from typing import Any, TypeVar, overload

import msgspec

_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
"""A pair of surrogates, one alone, or any other escape."""
Shape = TypeVar("Shape")


@overload
def decode(text: str) -> Any: ...
@overload
def decode(text: str, shape: type[Shape]) -> Shape: ...
def decode(text: str, shape: Any = Any) -> Any:
    r"""What ``text`` holds, as ``shape``.

    An escape such as ``\ud83d`` without its other half, as of a text that was cut within an emoji, costs itself only.

    Raises:
        msgspec.DecodeError: It is no JSON, or not of that shape.
        RecursionError: It nests too deep.
    """
    try:
        return msgspec.json.decode(_encoded(text), type=shape)
    except msgspec.DecodeError:
        mended = _ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], text)
        if mended == text:
            raise
    return msgspec.json.decode(_encoded(mended), type=shape)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")
