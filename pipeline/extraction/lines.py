"""Lines: extraction from a file of JSON lines to another, without Kafka."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from pipeline.extraction.engine import UNDATED
from pipeline.records import Article, Signal

if TYPE_CHECKING:
    from typing import TextIO

    from pipeline.extraction.engine import Engine, Extraction

BATCH = 64
MAX_LINE = 4 * 1024 * 1024
log = logging.getLogger(__name__)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of input; null is as good as absent.

    Attributes:
        id: Comes back in the answer.
        text: Body or sentence; spans index it.
        title: Headline, if it is apart; spans of its signals index it.
        published: When it was published, ISO 8601; without it only dates that need no comparison make history.
        source: The outlet.
        language: ISO 639-1 code.
        drill: Whether the invented names of the drill are names too.
    """

    id: str | int
    text: str | None = None
    title: str | None = None
    published: str | None = None
    source: str | None = None
    language: str | None = None
    drill: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One line of output: the id of the input line and its signals."""

    id: str | int
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that could not be used: its number, and why."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """A line, the article made of it, and what extraction found in that."""

    line: Line
    article: Article
    extraction: Extraction


def run_file(source: Iterable[str], sink: TextIO, engine: Engine) -> int:
    """Extract every line of ``source`` to ``sink``, in order; lines that can't be used are logged and left out.

    Returns:
        How many lines could not be used.
    """

    def write(reads: Sequence[Read]) -> None:
        sink.writelines(answer_line(read) for read in reads)
        sink.flush()

    return use_lines(source, engine, write)


def answer_line(read: Read) -> str:
    """The answer to a line, as a line."""
    answer = Answer(id=read.line.id, signals=read.extraction.signals)
    return msgspec.json.encode(answer).decode() + "\n"


def use_lines(source: Iterable[str], engine: Engine, use: Callable[[Sequence[Read]], None]) -> int:
    """Hand every line of ``source`` that can be used to ``use``, batch by batch, in order; log the others.

    Returns:
        How many lines could not be used.
    """
    bad = 0
    for batch in batches(source, engine):
        for result in batch:
            if isinstance(result, Bad):
                log.error("extracting failed: line %d: %s", result.number, result.why)
                bad += 1
        use([result for result in batch if isinstance(result, Read)])
    return bad


def batches(source: Iterable[str], engine: Engine) -> Iterator[list[Read | Bad]]:
    """What became of every line, in order, as many at a time as are parsed in one go; empty lines are passed over."""
    numbered = _numbered(source)
    while batch := list(islice(numbered, BATCH)):
        good = [(number, line) for number, line in batch if isinstance(line, Line)]
        found = iter(_extracted(good, engine))
        yield [next(found) if isinstance(line, Line) else line for _, line in batch]


def _numbered(source: Iterable[str]) -> Iterator[tuple[int, Line | Bad]]:
    decoder = msgspec.json.Decoder(Line)
    for number, raw in enumerate(source, start=1):
        if not raw.strip():
            continue
        if len(raw) > MAX_LINE:
            yield number, Bad(number, f"{len(raw)} characters, at most {MAX_LINE}")
            continue
        try:
            line = decoder.decode(raw)
            _when(line)
            yield number, line
        except (msgspec.DecodeError, ValueError, RecursionError, UnicodeError) as error:
            yield number, Bad(number, str(error))


def _extracted(lines: Sequence[tuple[int, Line]], engine: Engine) -> list[Read | Bad]:
    """The result of each line; if the batch fails, one by one, so that a poison line harms only itself."""
    articles = [as_article(line) for _, line in lines]
    try:
        found = engine.extract(articles)
    except Exception:  # whatever a hostile text provokes: the singles below say whose it is
        log.exception("extracting a batch failed; taking its lines one by one")
        return [_single(number, line, article, engine) for (number, line), article in zip(lines, articles, strict=True)]
    return [Read(line, article, one) for (_, line), article, one in zip(lines, articles, found, strict=True)]


def _single(number: int, line: Line, article: Article, engine: Engine) -> Read | Bad:
    try:
        return Read(line, article, engine.extract([article])[0])
    except Exception as error:  # noqa: BLE001 - reported by line number, the others go on
        return Bad(number, repr(error))


def as_article(line: Line) -> Article:
    """The line as an article; its id is a hash of the line's id and text."""
    published = _when(line)
    title, text = line.title or "", line.text or ""
    identity = hashlib.sha256(f"{line.id}\n{title}\n{text}".encode(errors="replace")).hexdigest()[:32]
    return Article(
        article_id=identity,
        url="",
        title=title,
        text=text,
        language=line.language or "und",
        source=line.source or "",
        feed="",
        published_at=published,
        fetched_at=published,
        observed_at=published,
        content_hash=identity,
        drill=line.drill,
    )


def _when(line: Line) -> dt.datetime:
    """The line's date; without a zone it is UTC.

    Raises:
        ValueError: It is no ISO 8601 date.
    """
    if line.published is None:
        return UNDATED
    try:
        moment = dt.datetime.fromisoformat(line.published)
    except ValueError:
        raise ValueError(f"published: an ISO 8601 date (found {line.published[:80]!r})") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
