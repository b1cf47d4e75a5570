"""Bytes of a feed to entries: the format is told from the body, never from a server's header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from connectors import jsonfeed, lines, sitemap, syndication, xmlevents
from connectors.charset import CharsetError, Decoded, decode
from connectors.entry import Entry, Parsed
from connectors.outcome import Outcome
from connectors.plaintext import MAX_TEXT, counted
from connectors.references import LOST


@dataclass(frozen=True, slots=True)
class Source:
    """Where a body came from.

    Attributes:
        url: Its address; relative links count from it.
        content_type: Its Content-Type.
        line: Where the body is a portion of a file of lines, the number of its first one; else 0.
    """

    url: str
    content_type: str = ""
    line: int = 0


def parse(body: bytes, source: Source) -> Parsed:
    """The entries of a feed: RSS, RDF, Atom, JSON Feed, a news sitemap, or lines of JSON.

    Time and memory grow with the body; run it in the sandbox for what comes from outside.
    """
    parsed = _parse_body(body, source)
    harm = _harm(parsed.entries)
    return msgspec.structs.replace(parsed, warnings=(*parsed.warnings, *harm)) if harm else parsed


def _harm(entries: Sequence[Entry]) -> list[str]:
    """What was lost of texts on the way."""
    cut = sum(len(entry.text) >= MAX_TEXT - 1 for entry in entries)  # a blank at the cut goes, too
    lossy = sum(LOST in entry.title or LOST in entry.text for entry in entries)
    return [
        *([f"{counted(cut, 'text')} cut at {MAX_TEXT} characters"] if cut else []),
        *([f"{counted(lossy, 'entry', 'entries')} with letters that can't be read"] if lossy else []),
    ]


def _parse_body(body: bytes, source: Source) -> Parsed:
    if source.line:
        return lines.parse(body.decode("utf-8", errors="replace"), source.url, source.line)
    if not body.strip(b" \t\r\n\0"):
        return Parsed(outcome=Outcome.EMPTY, error="the body is empty")
    try:
        decoded = decode(body, source.content_type)
    except CharsetError as error:
        return Parsed(outcome=Outcome.BAD_ENCODING, error=str(error))
    return _parse_text(decoded, source)


def _parse_text(decoded: Decoded, source: Source) -> Parsed:
    parsed = _read(decoded.text, source)
    if decoded.warning and parsed.outcome is Outcome.OK:
        return msgspec.structs.replace(parsed, warnings=(decoded.warning, *parsed.warnings))
    return parsed


def _read(text: str, source: Source) -> Parsed:
    if text.lstrip("\ufeff \t\r\n\0")[:1] in {"{", "["}:
        return lines.parse(text, source.url) if lines.are_lines(text) else jsonfeed.parse(text, source.url)
    root = xmlevents.root_of(text)
    if root in sitemap.ROOTS:
        return sitemap.parse(text, source.url)
    if root == "opml":
        return Parsed(outcome=Outcome.NOT_A_FEED, error="a list of feeds (OPML); `brinkwatch feeds import` reads it")
    return syndication.parse(text, source.url)
