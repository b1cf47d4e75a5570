"""Sentences: cuts title and text into sentences whose offsets index the original.

Newlines, bullets and datelines bound a sentence; abbreviations and initials do not. Everything is bounded: text beyond
``MAX_TEXT`` is cut, a sentence beyond ``MAX_SENTENCE`` is cut in pieces, and after ``MAX_SENTENCES`` the rest is left.
"""

# ruff: noqa: RUF001 - typographic marks are the matter here

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.records.signal import TextPart

MAX_TEXT = 200_000
MAX_SENTENCE = 1_000
MAX_SENTENCES = 400

# Looking behind keeps a run of a million dots from being tried again at each of its dots.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]{0,3}+(?=\s)|\n+")
_BULLET = re.compile(r"\s*(?:[•●▪◦‣·*–—-]+\s+|\d{1,2}[.)]\s+(?=[A-Z]))")
_DATELINE = re.compile(
    r"(?:[A-Z][A-Z'.’-]+(?:[ /][A-Z][A-Z'.’-]+){0,3})"
    r"(?:,\s[A-Z][A-Za-z'. ]{1,20})?(?:,?\s(?:\d{1,2}\s)?[A-Z][a-z]{2,8}\.?(?:\s\d{1,2})?(?:,?\s\d{4})?)?"
    r"(?:\s?\((?:[A-Z][\w&./ -]{1,20})\))?\s?(?:[-–—]{1,2}|:)\s+"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“‘'])(?:Mr|Mrs|Ms|Dr|Prof|Gen|Lt|Col|Sgt|Maj|Capt|Cmdr|Adm|Brig|Sen|Rep|Gov|St|No|vs|Jan|Feb|Mar|Apr|Jun|Jul|Aug|"
    r"Sep|Sept|Oct|Nov|Dec|Inc|Corp|Co|Ltd|Mt|Ft|approx|est|cf|etc|e\.g|i\.e|a\.m|p\.m|[A-Z](?:\.[A-Z])*)\.$"
)
_ABBREVIATION_WINDOW = 16
_OPENERS = "\"'“‘«([—–-"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence.

    Attributes:
        part: Which text it is of.
        index: Its number in title and text together, 0-based.
        start, end: Its place in that text.
        text: The characters between.
    """

    part: TextPart
    index: int
    start: int
    end: int
    text: str


def split(title: str, text: str) -> list[Sentence]:
    """The sentences of ``title``, then of ``text``."""
    found: list[Sentence] = []
    parts: tuple[tuple[TextPart, str], ...] = (("title", title[:MAX_SENTENCE]), ("text", text[:MAX_TEXT]))
    for part, whole in parts:
        for start, end in _spans(whole):
            if len(found) == MAX_SENTENCES:
                return found
            found.append(Sentence(part, len(found), start, end, whole[start:end]))
    return found


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for stop in [*_stops(text), len(text)]:
        begin, end = _trimmed(text, start, stop)
        start = stop
        while end - begin > MAX_SENTENCE:
            cut = text.rfind(" ", begin + 1, begin + MAX_SENTENCE)
            cut = cut if cut > begin else begin + MAX_SENTENCE
            yield begin, cut
            begin = cut + 1 if text[cut : cut + 1] == " " else cut
        if end > begin:
            yield begin, end


def _stops(text: str) -> Iterator[int]:
    """Offsets after which a new sentence begins."""
    for match in _END.finditer(text):
        following = text[match.end() : match.end() + 8].lstrip()
        if match[0][0] == "\n":
            if not _wrapped(text, match, following):
                yield match.end()
        elif _begins(following) and not _abbreviated(text, match):
            yield match.end()


def _wrapped(text: str, newline: re.Match[str], following: str) -> bool:
    """Whether a single newline only wraps a line: the next begins small, and nothing ended before it."""
    before = text[max(0, newline.start() - 1) : newline.start()]
    return len(newline[0]) == 1 and following[:1].islower() and (before.isalnum() or before == ",")


def _begins(following: str) -> bool:
    first = following.lstrip(_OPENERS)[:1]
    return not first or not first.islower()


def _abbreviated(text: str, match: re.Match[str]) -> bool:
    if match[0] != ".":
        return False
    window = text[max(0, match.start() - _ABBREVIATION_WINDOW) : match.end()]
    return _ABBREVIATION.search(window) is not None


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without surrounding space, leading bullet and dateline."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    for prefix in (_BULLET, _DATELINE):
        match = prefix.match(text, start, min(end, start + 120))
        if match and match.end() < end:
            start = match.end()
    return start, end
