"""Plain text of HTML, however broken: the only form in which markup from outside goes any further."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from html.parser import HTMLParser

MAX_MARKUP = 1_000_000
MAX_TEXT = 200_000
MAX_TITLE = 1_000
LOOKS = 8
LEAST_LOOKED = 10_000
_SKIPPED = frozenset(
    {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head", "form", "button"}
)
_VOID = frozenset({"br", "hr", "img", "input", "wbr", "meta", "link", "source", "embed"})
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "fieldset", "figcaption",
        "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
        "section", "table", "td", "th", "tr", "ul",
    }
)  # fmt: skip
_MARKUP = re.compile(r"<[a-zA-Z/!?]|&(?:#\d|#[xX]|[a-zA-Z])")
_BLANKS = re.compile(r"[^\S\n]+")
# C0 and C1 controls, and what turns the direction of text around: they hide things from a reader.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def from_html(markup: str, limit: int = MAX_TEXT) -> str:
    """The text of ``markup``: one line a paragraph, tags and scripts gone, entities resolved.

    At most ``limit`` characters of it. What is no HTML comes out as it is, so this may be used where it is not
    known whether a text is marked up.
    """
    markup = _head(markup)
    if not _MARKUP.search(markup):
        return tidy(markup, limit)
    return tidy(_read(markup), limit)


def _read(markup: str) -> str:
    """The text of ``markup``, untidied.

    Behind the last ``>`` no tag ends, so all of that is text. The parser would find so too, but looks through the rest
    anew for each tag that begins there: for 90 KB half a minute.
    """
    end = markup.rfind(">") + 1
    reader = _TextReader(end)
    try:
        reader.feed(markup[:end])
        reader.close()
        reader.handle_rest(html.unescape(markup[end:]))
    except (AssertionError, ValueError):  # html.parser gives up on a few forms of broken declarations
        return re.sub(r"<[^>]*>", " ", markup[:end]) + markup[end:]
    return "".join(reader.parts)


def _head(markup: str) -> str:
    """As much of ``markup`` as is read; a tag that is cut in two, such as a picture's, would come out as text."""
    if len(markup) <= MAX_MARKUP:
        return markup
    head = markup[:MAX_MARKUP]
    begun = head.rfind("<")
    return head[:begun] if begun > head.rfind(">") else head


def tidy(text: str, limit: int = MAX_TEXT) -> str:
    """``text`` without control characters, blanks run together, empty lines dropped, at most ``limit`` characters."""
    text = _SURROGATES.sub("�", _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    lines = (line.strip() for line in _BLANKS.sub(" ", text).split("\n"))
    return "\n".join(line for line in lines if line)[:limit].rstrip()


def one_line(text: str, limit: int = MAX_TITLE) -> str:
    """The text of a title, which may be marked up: one line, at most ``limit`` characters."""
    return " ".join(from_html(text).split())[:limit].rstrip()


def counted(number: int, one: str, many: str = "") -> str:
    """``1 entry``, ``2 entries``; ``many`` is for plurals without a mere s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def cut_markup(texts: Iterable[str]) -> str:
    """What is to be said of ``texts`` that ``from_html`` does not read to their end; empty where there are none."""
    cut = sum(len(text) > MAX_MARKUP for text in texts)
    return f"{counted(cut, 'text')} cut at {MAX_MARKUP} characters of markup" if cut else ""


class _TextReader(HTMLParser):
    """Collects text; a block's edge is a line's end.

    Gives up (ValueError) on what is broken again and again: for the end of each such tag all that follows is looked
    through, and that is done for no more than so many times the text's length.
    """

    def __init__(self, length: int) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipping = ""
        self._depth = 0
        self._to_look = max(LOOKS * length, LEAST_LOOKED)

    def parse_starttag(self, i: int) -> int:
        return self._ended(i, super().parse_starttag(i))

    def parse_comment(self, i: int, report: bool = True) -> int:
        return self._ended(i, super().parse_comment(i, report))

    def parse_html_declaration(self, i: int) -> int:
        return self._ended(i, super().parse_html_declaration(i))

    def _ended(self, begin: int, end: int) -> int:
        """Where the markup ends that begins there; below 0 where no end was found."""
        if end < 0:
            self._to_look -= len(self.rawdata) - begin
        if self._to_look < 0:
            raise ValueError("too many tags without an end")
        return end

    def handle_rest(self, text: str) -> None:
        """Text in which no tag ends; behind the begin of a script it is the script's."""
        if not self.cdata_elem:
            self.handle_data(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the base's name
        if self._skipping:
            self._depth += tag == self._skipping
        elif tag in _SKIPPED:
            self._skipping, self._depth = tag, 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the base's name
        if not self._skipping and tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            self._depth -= tag == self._skipping
            if self._depth <= 0:
                self._skipping = ""
        elif tag in _BLOCKS and tag not in _VOID:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            # A line's end inside a paragraph is a blank, as browsers have it.
            self.parts.append(data.replace("\r", " ").replace("\n", " "))
