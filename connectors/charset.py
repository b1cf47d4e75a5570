"""A feed's bytes as UTF-8: which encoding they are in, and what to do where it does not fit."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, resolve_encoding

from connectors.references import LOST

HEAD = 1024
MAX_REPLACED = 0.01
SAMPLE = 64 * 1024
WESTERN = 0.25
"""Of text in Latin letters, at most this share of bytes is beyond ASCII; of others, most are."""
KANA = 0.2
_ASCII = bytes(range(128))
_NOT_TEXT = r"<!\[CDATA\[|\]\]>|<[^<>]*>|https?://[^\s<]*"
_BYTES_NOT_TEXT = re.compile(_NOT_TEXT.encode())
_CHARACTERS_NOT_TEXT = re.compile(_NOT_TEXT)
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
    up to 1 % of the characters don't fit, they are replaced. Where nothing is declared, and most letters are no UTF-8,
    the bytes tell: text of which few letters are beyond ASCII is windows-1252, as in browsers; other scripts
    are told from how often their letters stand beside each other. Such Western text that is declared to be UTF-8, and
    is not, is windows-1252, too.

    Raises:
        CharsetError: The declared encoding does not fit, nor does UTF-8; or none is declared and none can be told.
    """
    candidates = list(dict.fromkeys(_candidates(body, content_type)))
    for encoding in _order(body, candidates):
        text = _exactly(body, encoding)
        if text is not None:
            fits = not candidates or encoding == candidates[0]
            return Decoded(text, encoding, "" if fits else f"declared {candidates[0]}, but it is {encoding}")
    declared = candidates[0] if candidates else ""
    text = _without_bom(body.decode(declared or "utf-8", errors="replace"))
    if _nearly(text, declared):
        return Decoded(text, declared or "utf-8", f"some bytes are no {declared or 'utf-8'}")
    if declared and not (declared == "utf-8" and _is_western(_words(body))):
        raise CharsetError(f"the bytes are no {declared}, nor UTF-8")
    told = _told(body)
    why = f"declared {declared}, but it is not" if declared else "no encoding declared, and no UTF-8"
    text = body.removeprefix(codecs.BOM_UTF8).decode(told, errors="replace")
    return Decoded(text, told, f"{why}: taken for {told}")


def _nearly(text: str, declared: str) -> bool:
    """Whether but a few bytes did not fit, where ``text`` has U+FFFD for them.

    What is UTF-8 for half of it is so by no chance. Else markup and addresses don't count, of which there may be
    so much that all the accents of a text are few.
    """
    words = _CHARACTERS_NOT_TEXT.sub(" ", text)
    lost, beyond = words.count(LOST), len(words) - len(words.encode("ascii", errors="ignore"))
    if declared in {"", "utf-8"} and beyond >= max(1, 2 * lost):
        return text.count(LOST) <= len(text) * MAX_REPLACED
    return bool(declared) and lost <= len("".join(words.split())) * MAX_REPLACED


def _told(body: bytes) -> str:
    """The encoding that the bytes themselves tell.

    Raises:
        CharsetError: None.
    """
    text = _words(body)
    if _is_western(text):
        return "windows-1252"
    if japanese := _japanese(text):
        return japanese
    from charset_normalizer import from_bytes

    best = from_bytes(text).best()
    if best is None:
        raise CharsetError("no encoding is declared, it is no UTF-8, and none can be told")
    return best.encoding


def _words(body: bytes) -> bytes:
    """The begin of ``body`` without markup and addresses."""
    return _BYTES_NOT_TEXT.sub(b" ", body[:SAMPLE])


def _is_western(text: bytes) -> bool:
    return len(text.translate(None, _ASCII)) <= len(text.translate(None, b" \t\r\n")) * WESTERN


def _japanese(text: bytes) -> str:
    """An encoding in which a good part of the text is kana, which no other text has in it by chance.

    The detector takes Shift_JIS for Korean now and then: the bytes of the one are all letters of the other.
    """
    for encoding in ("shift_jis", "euc_jp"):
        decoded = _exactly(text, encoding) or ""
        kana = sum("\u3041" <= character <= "\u30fe" for character in decoded)
        if kana > len("".join(decoded.split())) * KANA:
            return encoding
    return ""


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
