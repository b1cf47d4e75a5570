"""Replay: dated articles through the same extraction, scoring and rules as live, in the articles' own time.

Signals are gathered by dyad and sorted before they are scored, and scoring reads no clock: so the order of the input
does not matter, and the same input gives the same bytes twice. An article counts as observed when it was published.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from config.alerts import AlertRules
from config.errors import BrinkwatchError
from pipeline.records import Alert, Article, Dyad, Signal
from pipeline.records.dyad import NOBODY
from pipeline.records.flow import Flow, measured
from pipeline.records.minhash import signature
from pipeline.scoring.book import Book

log = logging.getLogger(__name__)
BATCH = 100
MAX_LINE = 2 * 1024 * 1024
AFTERMATH = timedelta(hours=1)
"""How long time goes on after the last article: holds come to their end, and nothing resolves for want of more news."""
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Between these, what is reckoned from a time is one that the calendar holds."""


class LineError(BrinkwatchError):
    """A line of the input that is no article."""


class Line(msgspec.Struct, frozen=True):
    """One line of the input; fields beyond these are ignored."""

    published: str
    title: str | None = None
    text: str | None = None
    source: str | None = None
    url: str | None = None
    flow: Flow | None = None
    drill: bool = False


class Extraction(Protocol):
    """What extraction makes of an article."""

    @property
    def signals(self) -> Sequence[Signal]:
        """The signals found."""


class Engine(Protocol):
    """What finds signals: ``pipeline.extraction.engine.Engine``, or a test's."""

    def extract(self, articles: list[Article]) -> Sequence[Any]:
        """One ``Extraction`` for each article."""


@dataclass(slots=True)
class Replayed:
    """What a replay gave.

    Attributes:
        articles: Articles read.
        crashed: Ids of those on which extraction failed; live they would be dead letters.
        signals: Signals found, in order of dyad and time.
        alerts: Transitions, in order of time.
        dyads: Every dyad as it stands at the end, in alphabetical order.
        begins, ends: When the first article was observed, and up to when time went on; None without an article.
    """

    articles: int = 0
    crashed: list[str] = field(default_factory=list)
    signals: list[tuple[str, Signal]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    dyads: list[Dyad] = field(default_factory=list)
    begins: datetime | None = None
    ends: datetime | None = None


def published_at(text: str) -> datetime:
    """An ISO 8601 time in UTC; a date alone is that day's noon, a time without a zone is UTC.

    Raises:
        ValueError: It is neither, or before 1900, or after 8999.
    """
    try:
        at = datetime.combine(date.fromisoformat(text), time(12), UTC)
    except ValueError:
        at = datetime.fromisoformat(text)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if not _EARLIEST <= at < _LATEST:
        raise ValueError("before 1900, or after 8999")
    return at


def parse_line(raw: bytes, number: int) -> Article:
    """The article of line ``number`` (1-based).

    Raises:
        LineError: It is too long, no JSON, lacks ``published``, or has neither title nor text.
    """
    where = f"reading articles failed: line {number}"
    if len(raw) > MAX_LINE:
        raise LineError(f"{where}: longer than {MAX_LINE} bytes")
    try:
        line = msgspec.json.decode(raw, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LineError(f"{where}: {error}") from None
    try:
        at = published_at(line.published)
    except (ValueError, OverflowError) as error:
        raise LineError(f"{where}: published: {line.published[:40]!r} is no ISO 8601 date or time ({error})") from None
    if not (line.title or "").strip() and not (line.text or "").strip():
        raise LineError(f"{where}: neither title nor text")
    return as_article(line, at)


def as_article(line: Line, at: datetime) -> Article:
    """The line as an article that was published, fetched and observed at ``at``."""
    title, text, url = " ".join((line.title or "").split()), line.text or "", line.url or ""
    content = hashlib.sha256(f"{title}\n{text}".encode(errors="replace")).hexdigest()[:32]
    identity = url or f"{at.isoformat()}\n{line.source or ''}\n{content}"
    return Article(
        article_id=hashlib.sha256(identity.encode(errors="replace")).hexdigest()[:32],
        url=url,
        title=title,
        text=text,
        language="en",
        source=line.source or _host(url),
        feed="replay",
        published_at=at,
        fetched_at=at,
        observed_at=at,
        content_hash=content,
        minhash=signature(f"{title}\n{text}"),
        flow=line.flow,
        drill=line.drill,
    )


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of ``file``; of one that is too long only its beginning, which is still too long."""
    while raw := file.readline(MAX_LINE + 1):
        yield raw
        while len(raw) > MAX_LINE and not raw.endswith(b"\n"):
            raw = file.readline(MAX_LINE + 1)


def read(lines: Iterable[bytes], on_error: Callable[[LineError], None]) -> Iterator[Article]:
    """The articles of ``lines``; empty lines are passed over, and each bad one is told to ``on_error`` and skipped."""
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            yield parse_line(raw, number)
        except LineError as error:
            on_error(error)


def unique(articles: Iterable[Article]) -> Iterator[Article]:
    """The articles, each id once."""
    seen: set[str] = set()
    for article in articles:
        if article.article_id not in seen:
            seen.add(article.article_id)
            yield article


def batches(articles: Iterable[Article], size: int = BATCH) -> Iterator[list[Article]]:
    """The articles in lists of ``size``."""
    source = iter(articles)
    while batch := list(islice(source, size)):
        yield batch


def score(
    by_dyad: dict[str, list[Signal]], rules: AlertRules, end: datetime, on_dyad: Callable[[str], None] = lambda _: None
) -> tuple[list[Alert], list[Dyad]]:
    """Score each dyad's signals from first to last, then let time pass to ``end``.

    Returns:
        The transitions in order of time, and every dyad in alphabetical order.
    """
    alerts: list[Alert] = []
    dyads: list[Dyad] = []
    for dyad in sorted(by_dyad):
        book = Book(rules)
        for signal in sorted(by_dyad[dyad], key=lambda signal: (signal.observed_at, signal.signal_id)):
            book.apply(dyad, signal)
        book.advance(end)
        alerts += book.drain()[0]
        dyads += book.dyads()
        on_dyad(dyad)
    return sorted(alerts, key=lambda alert: (alert.at, alert.dyad, alert.sequence)), dyads


def _extract(engine: Engine, batch: list[Article], crashed: list[str]) -> Sequence[Any]:
    """What was found in a batch; if that fails, article by article, as the live job does."""
    try:
        return engine.extract(batch)
    except Exception as error:  # noqa: BLE001  hostile text may break extraction in any way; live it is a dead letter
        if len(batch) == 1:
            log.warning("an article can't be read: %s: %r", batch[0].url or batch[0].title[:80], error)
            crashed.append(batch[0].article_id)
            return []
    return [found for article in batch for found in _extract(engine, [article], crashed)]


def _with_flow(signals: Iterable[Signal], seen: dict[str, tuple[datetime, str]]) -> Iterator[Signal]:
    """The signals, each with how much news flowed when its article came in; a flow that was recorded stays."""
    flows = dict(zip(seen, measured(seen.values()), strict=True))
    for signal in signals:
        yield signal if signal.flow else replace(signal, flow=flows.get(signal.article_id))


def _gathered(signals: Iterable[Signal]) -> dict[str, list[Signal]]:
    """The signals under each of their dyads; those that name nobody are left out."""
    by_dyad: defaultdict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        for dyad in signal.dyads:
            by_dyad[dyad].append(signal)
    by_dyad.pop(NOBODY, None)
    return by_dyad


def replay(
    articles: Iterable[Article],
    engine: Engine,
    rules: AlertRules,
    on_batch: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Extract, gather, sort, score.

    Args:
        articles: In any order.
        engine: What finds signals.
        rules: The alert rules.
        on_batch: Told the number of articles of each batch that is done.
    """
    result = Replayed()
    times: list[datetime] = []
    found: list[Signal] = []
    seen: dict[str, tuple[datetime, str]] = {}
    for batch in batches(unique(article for article in articles if not article.heartbeat)):
        found += [signal for extraction in _extract(engine, batch, result.crashed) for signal in extraction.signals]
        seen |= {a.article_id: (a.observed_at, a.source) for a in batch if not a.drill}  # the drill is no news
        result.articles += len(batch)
        times = [pick((*times, *(article.observed_at for article in batch))) for pick in (min, max)]
        on_batch(len(batch))
    if not times:
        return result
    by_dyad = _gathered(_with_flow(found, seen))
    result.begins, result.ends = times[0], times[1] + AFTERMATH
    result.alerts, result.dyads = score(by_dyad, rules, result.ends)
    result.signals = [
        (dyad, signal)
        for dyad in sorted(by_dyad)
        for signal in sorted(by_dyad[dyad], key=lambda signal: (signal.observed_at, signal.signal_id))
    ]
    return result
