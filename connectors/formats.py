"""Bytes of a feed to entries: the format is told from the body, never from a server's header."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from connectors import jsonfeed, lines, sitemap, syndication, xmlevents
from connectors.charset import CharsetError, Decoded, decode
from connectors.entry import Parsed
from connectors.outcome import Outcome


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
