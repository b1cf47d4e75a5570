"""XML from outside as events, by expat: no entities of its own, nothing fetched, bounded depth.

For documents that feedparser does not know: sitemaps and OPML. expat comes with Python, streams, and gives what stands
before a fault; a document that declares an entity is refused at the declaration, so that none is ever expanded. It is
not told where to find a DTD, so nothing outside of the document is read.
"""

from __future__ import annotations

import html.entities
import re
from collections.abc import Mapping
from typing import Protocol
from xml.parsers import expat

from connectors import references

MAX_DEPTH = 100
MAX_ATTRIBUTES = 100
_BUILT_IN = frozenset({"amp", "lt", "gt", "quot", "apos"})
_AMPERSAND = re.compile(
    references.OPAQUE + r"|&(?:#(?:[0-9]++|[xX][0-9a-fA-F]++);|([A-Za-z][A-Za-z0-9]{1,31});)?", re.DOTALL
)
_DECLARATION = re.compile(r"[\s\ufeff]*<\?xml[^>]{0,200}\?>")
_BEFORE_ROOT = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")


class XmlError(Exception):
    """A document that is no well-formed XML, or does what is not allowed."""


class Handler(Protocol):
    """What reads a document; a path holds the local names from the root to the element, in lower case."""

    def start(self, path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        """An element begins; the names of its attributes are as written, but for the prefix."""

    def end(self, path: tuple[str, ...], text: str) -> None:
        """An element ends; ``text`` is what stands directly in it."""


def root_of(text: str, head: int = 16_384) -> str:
    """The local name of the root element of ``text``, in lower case; empty where none begins in the ``head``."""
    text, at = text[:head], 0
    while (skipped := _BEFORE_ROOT.match(text, at)) is not None:
        at = skipped.end()
    found = _ROOT.match(text, at)
    return found[1].lower() if found else ""


def read(text: str, handler: Handler) -> None:
    """Tell ``handler`` of every element of ``text``.

    Raises:
        XmlError: What is wrong, and where; the handler was told of all that stands before.
    """
    reader = _Reader(handler)
    try:
        reader.parser.Parse(_clean(text), True)  # noqa: FBT003  # expat takes no names
    except expat.ExpatError as error:
        raise XmlError(f"no well-formed XML: {error}") from None


def _clean(text: str) -> bytes:
    """What expat can read: without characters that XML forbids, and with entities of HTML as what they stand for."""
    declaration = _DECLARATION.match(text)
    body = text[declaration.end() :] if declaration else text
    body, _ = references.mended(references.NO_XML.sub("", body))
    return _AMPERSAND.sub(_reference, body).encode("utf-8", errors="replace")


def _reference(found: re.Match[str]) -> str:
    if found[0][0] == "<" or found[0][1:2] == "#" or found[1] in _BUILT_IN:
        return found[0]
    if found[1] and (meant := html.entities.html5.get(f"{found[1]};")):
        return "".join(f"&#{ord(character)};" for character in meant)
    return f"&amp;{found[0][1:]}"  # an ampersand that nobody escaped, or the name of nothing


class _Reader:
    """Keeps the path and the text of what is open."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._path: list[str] = []
        self._texts: list[list[str]] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self.parser.EntityDeclHandler = self._declares

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(_local(name).lower())
        self._texts.append([])
        if len(self._path) > MAX_DEPTH:
            raise XmlError(f"more than {MAX_DEPTH} levels, one in another")
        if len(attributes) > MAX_ATTRIBUTES:
            raise XmlError(f"an element with more than {MAX_ATTRIBUTES} attributes")
        self._handler.start(tuple(self._path), {_local(key): value for key, value in attributes.items()})

    def _end(self, _: str) -> None:
        self._handler.end(tuple(self._path), "".join(self._texts.pop()))
        self._path.pop()

    def _data(self, data: str) -> None:
        if self._texts:
            self._texts[-1].append(data)

    def _declares(self, *_: object) -> None:
        raise XmlError("the document declares entities, which is not allowed")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
