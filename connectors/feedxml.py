"""XML feeds to feedparser's values: without entities of their own, and with what belongs to an entry only.

feedparser takes every element within an entry for the entry's: the link of a story that is told of beside it becomes
the article's. So its parsers are driven here, and are not told of such elements. Where a document is no well-formed
XML nobody can say what stands in what, and its loose parser reads it as it is.
"""

from __future__ import annotations

import html.entities
import io
import re
import xml.sax
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from xml.sax import handler
from xml.sax.xmlreader import InputSource

import feedparser.api

from connectors import references

OWN_LINK = "own link"
"""The key of an entry's ``<link>`` of RSS: any later link, such as one of a translation, stands in feedparser's."""
PERMANENT = "permanent guid"
"""The key of whether an entry's guid is an address, also where an empty link stands beside it."""
_MEDIA = "search.yahoo.com/mrss"
_OF_ENTRIES = frozenset(
    {
        "title", "link", "description", "guid", "id", "summary", "abstract", "content", "encoded", "body",
        "fullitem", "pubdate", "published", "issued", "created", "updated", "modified", "date", "item", "entry",
        "language", "subtitle", "tagline",
    }
)  # fmt: skip
"""Elements that say what an entry is, and are an entry's only where they stand directly in it."""
_ODD = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What feedparser raises at an element that it did not expect where it stands."""
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")
_BEFORE_ROOT = re.compile(r"[^<]++|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_DOCTYPE = re.compile(
    r"""<!DOCTYPE(?:[^\[>"'<]|"[^"<]*"|'[^'<]*')*+
    (?:\[(?:[^\]"'<]|"[^"]*"|'[^']*'|<!--.*?-->|<\?.*?\?>|<(?!!--|\?))*+\]\s*+)?>""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_UP_TO_A_TAG = re.compile(r"<!DOCTYPE(?:[^<]|<(?![a-z]))*+", re.IGNORECASE)
"""What is cut out where no end of the document type can be told."""
_ENTITY = re.compile(r"<!ENTITY\s+([^\s%\"'<>]{1,64})\s")
_REFERENCE = re.compile(r"&([^\s&;<>\"'#]{1,64});")


@dataclass(frozen=True, slots=True)
class Read:
    """What feedparser made of a document.

    Attributes:
        version: Its name for the format; empty for none that it knows.
        feed: The feed's values.
        entries: The entries' values.
        error: Why it is no well-formed XML; empty where it is.
        entities: How many entities it declares, whose references are left out.
        lost: The names of elements that could not be read, and how often each; all others were.
        mended: How many references to characters it has that XML does not allow.
    """

    version: str
    feed: Any = field(default_factory=dict)
    entries: list[Any] = field(default_factory=list)
    error: str = ""
    entities: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)
    mended: int = 0


def read(text: str) -> Read:
    """The feed in ``text``, without its document type: no entity is ever expanded, and nothing is fetched."""
    text, entities = without_doctype(_DECLARATION.sub(_lines, text.lstrip("\ufeff"), count=1))
    if _next_doctype(text) is not None:
        return Read("", error="more than one document type")
    text, mended = references.mended(text)
    parser, error = _strict(text)
    if error:
        parser = _Loose("", None, "utf-8", {})
        _set_up(parser)
        parser.feed(text)
    return Read(parser.version, parser.feeddata, parser.entries, error, entities, parser.lost, mended)


def without_doctype(text: str) -> tuple[str, int]:
    """``text`` without its document type and what refers to entities that it declares; how many it declares.

    A reference by a name that HTML has, such as ``&nbsp;``, becomes what HTML means by it.
    """
    at = _next_doctype(text)
    found = (_DOCTYPE.match(text, at) or _UP_TO_A_TAG.match(text, at)) if at is not None else None
    if found is None:
        return text, 0
    rest = text[: found.start()] + _lines(found) + text[found.end() :]
    names = frozenset(_ENTITY.findall(found[0]))
    return (_REFERENCE.sub(lambda each: _meant(each, names), rest) if names else rest), len(names)


def _lines(found: re.Match[str]) -> str:
    """The line ends of what is cut out: errors name lines."""
    return "\n" * found[0].count("\n")


def _meant(reference: re.Match[str], declared: frozenset[str]) -> str:
    name = reference[1]
    if name not in declared or name in {"amp", "lt", "gt", "quot", "apos"}:
        return reference[0]
    return "".join(f"&#{ord(character)};" for character in html.entities.html5.get(f"{name};", ""))


def _next_doctype(text: str) -> int | None:
    """Where a document type begins; None where none stands before the first element."""
    at = 0
    while (skipped := _BEFORE_ROOT.match(text, at)) is not None:
        at = skipped.end()
    return at if text[at : at + 9].upper() == "<!DOCTYPE" else None


def _strict(text: str) -> tuple[Any, str]:
    """The parser that has read ``text``, and why it could not to its end."""
    parser = _Strict("", None, "utf-8")
    _set_up(parser)
    reader = xml.sax.make_parser()  # noqa: S317  # expat, of a document without a document type: nothing to expand
    reader.setFeature(handler.feature_namespaces, True)  # noqa: FBT003  # sax takes no names
    reader.setFeature(handler.feature_external_ges, False)  # noqa: FBT003
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    source = InputSource()
    source.setEncoding("utf-8")
    source.setByteStream(io.BytesIO(text.encode("utf-8", errors="replace")))
    try:
        reader.parse(source)
    except xml.sax.SAXException as error:
        return parser, f"{type(error).__name__}: {parser.exc or error}"[:200]
    return parser, ""


def _set_up(parser: Any) -> None:
    """Markup is left as it is: only plain text leaves the reader, and guids are to stay as they are written."""
    parser.resolve_relative_uris = False
    parser.sanitize_html = False


class _Forgiving:
    """An element that feedparser can't read costs only itself; the counts that it keeps of what is open stay right."""

    @cached_property
    def lost(self) -> Counter[str]:
        """The names of such elements."""
        return Counter()

    def unknown_starttag(self: Any, tag: str, attrs: list[tuple[str, str]]) -> None:
        depth, bases, langs = self.depth, len(self.basestack), len(self.langstack)
        try:
            super().unknown_starttag(tag, attrs)  # type: ignore[misc]  # feedparser's, which has no types
        except _ODD:
            self.lost[tag] += 1
            self.depth = depth + 1
            self.basestack[bases:], self.langstack[langs:] = [self.baseuri], [self.lang]

    def unknown_endtag(self: Any, tag: str) -> None:
        depth, bases, langs = self.depth, len(self.basestack), len(self.langstack)
        try:
            super().unknown_endtag(tag)  # type: ignore[misc]  # as above
        except _ODD:
            self.lost[tag] += 1
            if self.incontent and self.contentparams.get("type") == "application/xhtml+xml":
                self.handle_data(f"</{tag.rpartition(':')[2]}>", escape=0)
            self.depth = depth - 1
            del self.basestack[max(bases - 1, 0) :], self.langstack[max(langs - 1, 0) :]
            self.baseuri = next(iter(self.basestack[-1:]), "") or self.baseuri
            self.lang = self.langstack[-1] if self.langstack else self.lang

    def pop(self: Any, element: str, strip_whitespace: int = 1) -> Any:
        """The text of an element; empty where it can't be read, so that what ends with it is ended by the caller."""
        try:
            return super().pop(element, strip_whitespace)  # type: ignore[misc]  # as above
        except _ODD:
            self.lost[element] += 1
            return ""


class _Own(_Forgiving):
    """What an entry says itself is kept apart from what else is said in it, which feedparser puts in its place."""

    def _end_link(self: Any) -> None:
        text = self.pop("link")
        if text and self.inentry and not self.insource and not self.inimage:
            self.entries[-1][OWN_LINK] = text

    def _end_guid(self: Any) -> None:
        permanent = bool(self.guidislink)
        super()._end_guid()  # type: ignore[misc]  # feedparser's, which has no types
        if permanent and self.inentry and not self.insource:
            self.entries[-1][PERMANENT] = True

    _end_id = _end_guid

    def _start_media_description(self: Any, _: Any) -> None:
        self.push("media_description", 1)

    def _end_media_description(self: Any) -> None:
        self.pop("media_description")


class _Loose(_Own, feedparser.api.LooseFeedParser):  # type: ignore[misc]  # feedparser has no types
    """Reads what is no XML."""

    def handle_charref(self, ref: str) -> None:
        """A reference without its end is one, too; where no character has its number, it is U+FFFD."""
        try:
            super().handle_charref(ref)
        except (ValueError, OverflowError):
            self.handle_data(references.LOST)


class _Strict(_Own, feedparser.api.StrictFeedParser):  # type: ignore[misc]  # as above
    """Is not told of what stands in an entry and is not the entry's."""

    _level = 0
    _entry_level = 0
    _skipped = 0

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:  # noqa: N802  # sax
        self._level += 1
        if self._skipped or self._is_foreign(*name):
            self._skipped += 1
            return
        within = self.inentry
        super().startElementNS(name, qname, attrs)
        if self.inentry and not within:
            self._entry_level = self._level

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802  # sax
        self._level -= 1
        if self._skipped:
            self._skipped -= 1
            return
        super().endElementNS(name, qname)

    def characters(self, text: str) -> None:
        if not self._skipped:
            super().characters(text)

    def _is_foreign(self, namespace: str | None, local: str) -> bool:
        """Whether an element that begins speaks of something in the entry: neither its own, nor markup of its text."""
        if local.lower() == "links" and not self.incontent:
            return True  # feedparser keeps its own list of links under this name
        nested = self.inentry and self._level > self._entry_level + 1
        if not nested or self.incontent or self.insource or _MEDIA in (namespace or ""):
            return False
        return local.lower() in _OF_ENTRIES
