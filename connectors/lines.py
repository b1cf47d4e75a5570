"""Articles as lines of JSON, as ``brinkwatch replay`` reads them, to entries: for archives and tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import msgspec

from connectors import jsontext
from connectors.entry import MAX_ENTRIES, MAX_ID, Entry, Parsed
from connectors.links import absolute
from connectors.outcome import Outcome
from connectors.plaintext import counted, one_line, tidy
from connectors.times import moment

CONTENT_TYPE = "application/x-ndjson"
MAX_LINE = 2 * 1024 * 1024
MAX_TOLD = 5
SOUND = b'{"published": "2026-01-01", "title": "A sound line"}'
"""What any parser reads that is well."""


class _Line(msgspec.Struct, frozen=True):
    """One line; fields beyond these are ignored."""

    published: str | None = None
    title: str | None = None
    text: str | None = None
    source: str | None = None
    url: str | None = None
    id: str | int | None = None
    language: str | None = None


class _BadLineError(Exception):
    """Why a line is no article."""


def are_lines(text: str) -> bool:
    """Whether ``text`` begins with a line that is an article: one object, which no JSON feed's first line is."""
    first = text.lstrip().partition("\n")[0]
    if not first.startswith("{") or len(first) > MAX_LINE:
        return False
    try:
        data = jsontext.decode(first)
    except (msgspec.DecodeError, RecursionError):
        return False
    return "items" not in data and "published" in data and ("title" in data or "text" in data)


def parse(text: str, url: str, first: int = 1) -> Parsed:
    """The entries of lines of JSON, of which the first has the number ``first``.

    A bad line costs itself only: a warning tells its number and why. Other text than lines of JSON is no feed.
    """
    entries: list[Entry] = []
    bad: list[str] = []
    beyond = 0
    lines = text.removeprefix("\ufeff").split("\n")
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        if len(entries) >= MAX_ENTRIES:
            beyond += 1
            continue
        try:
            entries.append(_entry(line, url))
        except _BadLineError as error:
            bad.append(f"line {number}: {error}")
    if bad and not entries and first == 1 and not text.lstrip().startswith("{"):
        return Parsed(outcome=Outcome.NOT_A_FEED, kind="lines", error=f"no lines of JSON: {bad[0]}")
    return Parsed(outcome=Outcome.OK, kind="lines", entries=tuple(entries), warnings=_warnings(bad, beyond))


def passed_over(number: int, why: str) -> Parsed:
    """A single line, of this number, that no parser could read to its end."""
    return Parsed(outcome=Outcome.OK, kind="lines", warnings=(f"line {number}: passed over: {why}",))


def _warnings(bad: list[str], beyond: int) -> tuple[str, ...]:
    more = (counted(len(bad) - MAX_TOLD, "more bad line"),) if len(bad) > MAX_TOLD else ()
    cut = (f"{beyond} lines beyond the first {MAX_ENTRIES} articles not read",) if beyond else ()
    return (*bad[:MAX_TOLD], *more, *cut)


def _entry(raw: str, base: str) -> Entry:
    if len(raw.encode("utf-8", errors="replace")) > MAX_LINE:
        raise _BadLineError(f"longer than {MAX_LINE} bytes")
    try:
        line = jsontext.decode(raw, _Line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _BadLineError(one_line(str(error), 200)) from None
    title, text = one_line(line.title or ""), tidy(line.text or "")
    if not title and not text:
        raise _BadLineError("neither title nor text")
    published = _published(line.published)
    return Entry(
        guid=tidy(str(line.id if line.id is not None else ""), MAX_ID),
        url=absolute(line.url, base) if line.url else "",
        title=title,
        text=text,
        published=published,
        language=tidy(line.language or "", 32).lower(),
        source=one_line(line.source or "", 253).lower(),
    )


def _published(value: str | None) -> datetime | None:
    """When it was published: a date alone is that day's noon, as in a replay."""
    if value is None:
        return None
    found = _noon(value.strip()) or moment(value)
    if found is None:
        raise _BadLineError(f"published: {one_line(value, 40)!r} is no ISO 8601 date or time")
    return found


def _noon(value: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(value), time(12), UTC)
    except ValueError:
        return None


def peek(body: bytes) -> Any:
    """The JSON of one line; None where it is none yet: a line that is still being written."""
    try:
        return jsontext.decode(body.decode())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
