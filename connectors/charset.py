"""A feed's bytes as UTF-8: which encoding they are in, and what to do where it does not fit."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, resolve_encoding

HEAD = 1024
MAX_REPLACED = 0.01
# Codecs of Python that turn bytes into text but are no encodings of pages; some take quadratic time.
_NOT_FOR_PAGES = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7", "mbcs", "oem"}
)
_SNIFFED = {b"<\0?\0": "utf-16-le", b"\0<\0?": "utf-16-be", b"<\0\0\0": "utf-32-le", b"\0\0\0<": "utf-32-be"}


class CharsetError(Exception):
    """Bytes that are not in the encoding that is declared for them."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was read in, and a warning where that was not the declared one or did not quite fit."""

    text: str
    encoding: str
    warning: str = ""


def decode(body: bytes, content_type: str) -> Decoded:
    """The text of a feed.

    What is tried, in order: byte order mark, UTF-8, charset of the Content-Type (RFC 7303 puts it above the XML
    declaration), XML declaration. UTF-8 goes before what is declared, because bytes beyond ASCII hardly ever form valid
    UTF-8 by chance, while servers often declare something else by default. One stray byte does not spoil a feed: where
    up to 1 % of the characters don't fit, they are replaced. Where nothing is declared, windows-1252 is the last guess,
    as in browsers.

    Raises:
        CharsetError: The declared encoding does not fit, nor does UTF-8.
    """
    candidates = list(dict.fromkeys(_candidates(body, content_type)))
    for encoding in _order(body, candidates):
        text = _exactly(body, encoding)
        if text is not None:
            fits = not candidates or encoding == candidates[0]
            return Decoded(text, encoding, "" if fits else f"declared {candidates[0]}, but it is {encoding}")
    declared = candidates[0] if candidates else "utf-8"
    text = _without_bom(body.decode(declared, errors="replace"))
    if text.count("�") <= len(text) * MAX_REPLACED:
        return Decoded(text, declared, f"some bytes are no {declared}")
    if candidates:
        raise CharsetError(f"the bytes are no {declared}, nor UTF-8")
    return Decoded(body.decode("windows-1252", errors="replace"), "windows-1252", "no encoding declared, and no UTF-8")


def _order(body: bytes, candidates: list[str]) -> list[str]:
    """UTF-8 first where the bytes can tell; pure ASCII may also be a 7-bit encoding such as ISO-2022-JP."""
    if body.isascii() or read_bom(body)[0] or body[:4] in _SNIFFED:
        return [*candidates, "utf-8"]
    return ["utf-8", *candidates]


def _candidates(body: bytes, content_type: str) -> Iterator[str]:
    for name in (
        read_bom(body)[0],
        _SNIFFED.get(body[:4]),
        http_content_type_encoding(content_type),
        _declared(body[:HEAD]),
    ):
        if name and _for_pages(name):
            yield name


def _declared(head: bytes) -> str | None:
    return html_body_declared_encoding(head) if head.lstrip().startswith(b"<?xml") else None


def _for_pages(name: str) -> bool:
    try:
        info = codecs.lookup(resolve_encoding(name) or name)
    except (LookupError, ValueError):
        return False
    return bool(getattr(info, "_is_text_encoding", True)) and info.name.replace("-", "_") not in _NOT_FOR_PAGES


def _exactly(body: bytes, encoding: str) -> str | None:
    try:
        return _without_bom(body.decode(encoding))
    except (UnicodeError, LookupError):
        return None


def _without_bom(text: str) -> str:
    return text.removeprefix("\ufeff")
