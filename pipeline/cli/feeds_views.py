"""What ``brinkwatch feeds`` prints: tables for people, lines of JSON for programs. Decisions only."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors import moves
from connectors.check import Checked
from connectors.discovery import Found
from connectors.opml import shown
from connectors.status import Status
from pipeline.records import Article
from pipeline.watch.render import clean

WIDE = 200


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table without rules, as wide as the terminal; a file or a pipe has no width that lines must fit."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown_table = Table(*head, box=None)
    for row in rows:
        shown_table.add_row(*(Text(clean(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(shown_table)


def status_json(status: Status) -> str:
    """One feed's state as a line of JSON; times are ISO 8601 or null."""
    state = status.state
    values: dict[str, Any] = {
        "id": status.feed.id,
        "title": status.feed.title,
        "url": status.feed.url,
        "state": status.standing.value,
        "outcome": state.outcome.value if state else None,
        "error": state.detail if state and state.failures else "",
        "warning": state.detail if state and not state.failures else "",
        "polled_at": _iso(state.polled_at) if state else None,
        "next_poll": _iso(state.next_due) if state and status.feed.enabled else None,
        "interval_s": _interval(status),
        "failures": state.failures if state else 0,
        "moved_to": state.moved_to if state else "",
    }
    return json.dumps(values, ensure_ascii=False)


def status_row(status: Status, now: float) -> tuple[str, ...]:
    """One feed's state as cells: id, state, outcome, polled, next poll, interval, failures, what was off."""
    state = status.state
    if state is None:
        return (status.feed.id, status.standing.value, "", "", "", shown(_interval(status)), "", "")
    due = state.next_due if status.feed.enabled else None
    return (
        status.feed.id,
        status.standing.value,
        state.outcome.value,
        f"{age(now - state.polled_at)} ago" if state.polled_at else "",
        "" if due is None else "now" if due <= now else f"in {age(due - now)}",
        shown(_interval(status)),
        str(state.failures or ""),
        state.detail or _moved(status),
    )


def _moved(status: Status) -> str:
    """Where a feed is asked instead, or will be if it stays moved."""
    state = status.state
    if state is None or not state.moved_to:
        return ""
    asked = moves.address(status.feed, state, state.polled_at) == state.moved_to
    return f"{'asked at' if asked else 'redirected to'} {state.moved_to}"


STATUS_HEAD = ("feed", "state", "outcome", "polled", "next poll", "interval", "failures", "detail")


def _interval(status: Status) -> float:
    learned = status.state.interval_s if status.state else 0.0
    return round(learned or status.feed.interval_s)


def tally(words: Iterable[str]) -> str:
    """How many of each, the most first."""
    return ", ".join(f"{number} {word}" for word, number in Counter(words).most_common()) or "no feeds"


def age(seconds: float) -> str:
    """A length of time in its largest unit: ``50s``, ``12m``, ``3h``, ``2d``."""
    seconds = max(seconds, 0.0)
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length or (unit == "m" and seconds >= length):
            return f"{seconds // length:.0f}{unit}"
    return f"{seconds:.0f}s"


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def checked_row(checked: Checked) -> tuple[str, ...]:
    """One checked feed as cells."""
    parsed = checked.parsed
    entries = parsed.entries if parsed else ()
    newest = max((at for entry in entries if (at := entry.published or entry.updated)), default=None)
    return (
        checked.feed.id,
        checked.outcome.value,
        parsed.kind if parsed else "",
        str(len(entries)) if parsed else "",
        f"{newest:%Y-%m-%d %H:%M}" if newest else "",
        f"{checked.fetched.seconds:.2f}",
        checked.detail[:120],
    )


CHECKED_HEAD = ("feed", "outcome", "format", "entries", "newest", "seconds", "detail")


def article_json(article: Article) -> str:
    """One article that would be sent, as a line of JSON."""
    values = {
        "title": article.title,
        "url": article.url,
        "id": article.article_id,
        "published": msgspec.to_builtins(article.published_at),
        "text": article.text,
        "language": article.language,
    }
    return json.dumps(values, ensure_ascii=False)


def article_row(article: Article) -> tuple[str, ...]:
    """One article as cells."""
    return (f"{article.published_at:%Y-%m-%d %H:%M}", article.language, article.title, article.text[:80], article.url)


ARTICLE_HEAD = ("published", "language", "title", "text", "url")


def found_row(found: Found) -> tuple[str, ...]:
    """One feed that was found, as cells."""
    return (found.url, found.kind, found.title)


def tell(text: str) -> None:
    """A line on stderr, which may quote what came from outside."""
    print(clean(text, 1000), file=sys.stderr)
