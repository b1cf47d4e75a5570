"""Bytes of a feed to entries: the format is told from the body, never from the header alone."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from connectors import jsonfeed, syndication
from connectors.charset import CharsetError, Decoded, decode
from connectors.entry import Parsed
from connectors.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Source:
    """Where a body came from: its address (relative links count from it) and its Content-Type."""

    url: str
    content_type: str = ""


def parse(body: bytes, source: Source) -> Parsed:
    """The entries of a feed: RSS, RDF, Atom or JSON Feed.

    Time and memory grow with the body; run it in the sandbox for what comes from outside.
    """
    if not body.strip(b" \t\r\n\0"):
        return Parsed(outcome=Outcome.EMPTY, error="the body is empty")
    try:
        decoded = decode(body, source.content_type)
    except CharsetError as error:
        return Parsed(outcome=Outcome.BAD_ENCODING, error=str(error))
    return _parse_text(decoded, source)


def _parse_text(decoded: Decoded, source: Source) -> Parsed:
    start = decoded.text[:512].lstrip()
    read = jsonfeed.parse if start.startswith(("{", "[")) else syndication.parse
    parsed = read(decoded.text, source.url)
    if decoded.warning and parsed.outcome is Outcome.OK:
        return msgspec.structs.replace(parsed, warnings=(decoded.warning, *parsed.warnings))
    return parsed
