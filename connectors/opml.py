"""OPML: lists of feeds in and out. Source: https://opml.org/spec2.opml."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from config.errors import BrinkwatchError
from config.feeds import Defaults, Feed
from connectors import xmlevents
from connectors.charset import CharsetError, decode
from connectors.links import absolute
from connectors.plaintext import tidy
from connectors.xmlevents import XmlError

MAX_BYTES = 16 * 1024 * 1024
MAX_OUTLINES = 100_000
MAX_ID = 64
MAX_TITLE = 200
MAX_NAMED = 5
NAMESPACE = "https://brinkwatch.example/opml/1"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NO_ID = re.compile(r"[^a-z0-9]+")
_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_].*)?")
_OWN = ("id", "interval", "min_interval", "max_interval", "source", "full_text", "enabled", "drill")


class OpmlError(BrinkwatchError):
    """A list of feeds that can't be read."""


@dataclass(frozen=True, slots=True)
class Outline:
    """One feed of a list.

    Attributes:
        url: Its address.
        title: For people; may be empty.
        folders: The titles of the outlines around it, outermost first.
        given: What the list says of it in our own attributes, under the names of ``feeds.yaml``; and its language.
    """

    url: str
    title: str = ""
    folders: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list holds: its feeds in order, how many outlines have an address that is none, and the first of these."""

    outlines: tuple[Outline, ...]
    unusable: int = 0
    named: tuple[str, ...] = ()


def parse(body: bytes, name: str, *, files: bool = False) -> Listing:
    """The feeds of an OPML document; outlines without an address are folders, whose titles are kept.

    Args:
        body: The document.
        name: What to call it in an error.
        files: Whether addresses of files on this machine are taken: whoever wrote the list then names what is read.

    Raises:
        OpmlError: It is too large, no OPML, or does what is not allowed (declares entities, nests without end).
    """
    failed = f"reading OPML failed: {name}"
    if len(body) > MAX_BYTES:
        raise OpmlError(f"{failed}: more than {MAX_BYTES} bytes")
    try:
        text = decode(body, "").text
        if (root := xmlevents.root_of(text)) != "opml":
            raise OpmlError(f"{failed}: the root element is {root!r}, not opml" if root else f"{failed}: no XML")
        reader = _Reader(files=files)
        xmlevents.read(text, reader)
    except (CharsetError, XmlError) as error:
        raise OpmlError(f"{failed}: {error}") from None
    return Listing(tuple(reader.found), reader.unusable, tuple(reader.named))


class _Reader:
    """Collects outlines with an address."""

    def __init__(self, *, files: bool) -> None:
        self._files = files
        self.found: list[Outline] = []
        self.unusable = 0
        self.named: list[str] = []
        self._folders: list[str] = []

    def start(self, path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        """A feed, or a folder of them; either may hold more."""
        if path[-1] != "outline":
            return
        said = {key.lower(): value for key, value in attributes.items()}
        title = " ".join(tidy(said.get("title") or said.get("text") or "").split())[:MAX_TITLE].rstrip()
        address = said.get("xmlurl", "").strip()
        if address:
            self._keep(address, title, said)
        self._folders.append("" if address else title)

    def end(self, path: tuple[str, ...], text: str) -> None:  # noqa: ARG002  # the handler's shape
        """Leave the outline."""
        if path[-1] == "outline":
            self._folders.pop()

    def _keep(self, address: str, title: str, said: Mapping[str, str]) -> None:
        url = address if self._files and address.startswith("file:///") else absolute(_web(address), "")
        if not url:
            self.unusable += 1
            if len(self.named) < MAX_NAMED:
                self.named.append(address[:MAX_TITLE])
            return
        if len(self.found) >= MAX_OUTLINES:
            raise XmlError(f"more than {MAX_OUTLINES} feeds")
        given = {key: said[key].strip() for key in _OWN if said.get(key, "").strip()}
        if language := _LANGUAGE.fullmatch(said.get("language", "").strip().lower()):
            given["language"] = language[1]
        folders = tuple(folder for folder in self._folders if folder)
        self.found.append(Outline(url, title, folders, given))


def _web(address: str) -> str:
    """``feed:`` addresses, which some readers write, as those of the web."""
    rest = re.sub(r"^feed:(?://)?", "", address, flags=re.IGNORECASE)
    return rest if rest == address or "://" in rest else f"http://{rest}"


def with_ids(outlines: Iterable[Outline], taken: Iterable[str]) -> list[Outline]:
    """``outlines``, each with an id of its own in ``given``: the list's, else one made of its title or its host."""
    used, last = set(taken), Counter[str]()
    found = []
    for outline in outlines:
        wanted = outline.given.get("id", "")
        base = wanted if _ID.fullmatch(wanted) else made_id(outline.title, outline.url)
        name = base
        while name in used:
            last[base] += 1
            name = f"{base[: MAX_ID - 7]}-{last[base] + 1}"
        used.add(name)
        found.append(replace(outline, given={**outline.given, "id": name}))
    return found


def made_id(title: str, url: str) -> str:
    """A feed's id from its title, else from its address: lower-case words with hyphens, at most 40 characters."""
    for text in (title, re.sub(r"^\w+:/+(?:www\.)?", "", url)):
        plain = unicodedata.normalize("NFKD", text).encode("ascii", errors="ignore").decode().lower()
        if found := _NO_ID.sub("-", plain.replace("'", "")).strip("-")[:40].strip("-"):
            return found
    return "feed"


def document(feeds: Sequence[Feed], usual: Defaults, at: datetime, title: str = "Brinkwatch feeds") -> str:
    """``feeds`` as OPML 2.0; what OPML has no word for stands in attributes of a namespace of our own.

    What is ``usual`` in their list is left out. So is ``access``: its secrets stay where they are.
    """
    rows = "".join(f"    {_outline(feed, usual)}\n" for feed in feeds)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<opml version="2.0" xmlns:bw="{NAMESPACE}">\n'
        f"  <head>\n    <title>{escape(title)}</title>\n"
        f"    <dateCreated>{format_datetime(at)}</dateCreated>\n  </head>\n"
        f"  <body>\n{rows}  </body>\n</opml>\n"
    )


def _outline(feed: Feed, usual: Defaults) -> str:
    title = feed.title or feed.id
    values = {
        "type": "rss",
        "text": title,
        "title": feed.title,
        "xmlUrl": feed.url,
        "language": feed.language or "",
        "bw:id": feed.id,
        "bw:interval": "" if feed.adapts else shown(feed.interval_s),
        "bw:min_interval": shown(feed.floor_s) if feed.adapts and feed.floor_s != usual.min_interval else "",
        "bw:max_interval": shown(feed.cap_s) if feed.adapts and feed.cap_s != usual.max_interval else "",
        "bw:source": feed.source or "",
        "bw:full_text": "" if feed.full_text == usual.full_text else feed.full_text,
        "bw:enabled": "" if feed.enabled else "false",
        "bw:drill": "true" if feed.drill else "",
    }
    return f"<outline {' '.join(f'{key}={quoteattr(value)}' for key, value in values.items() if value)}/>"


def shown(seconds: float) -> str:
    """A duration as ``feeds.yaml`` has it."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"
