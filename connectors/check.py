"""Check: feeds fetched and read once, without Kafka and without a trace in the state."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from config.feeds import Feed
from config.settings import Settings
from connectors import files, identity, lines
from connectors.entry import Entry, Parsed
from connectors.fetch import Fetched, Fetcher, Limits, fetcher_of
from connectors.formats import Source
from connectors.outcome import Outcome
from connectors.plaintext import counted
from connectors.recognition import identify, repeated
from connectors.rests import hostname
from connectors.rota import MAX_POLLS
from connectors.sandbox import Sandbox
from connectors.surprise import failed
from pipeline.records import Article, encode
from pipeline.records.codec import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Checked:
    """How a feed was found.

    Attributes:
        feed: Which one.
        fetched: How the fetch ended.
        parsed: What was read; None where nothing came.
    """

    feed: Feed
    fetched: Fetched
    parsed: Parsed | None = None

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.parsed.outcome if self.parsed else self.fetched.outcome

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was off but could be lived with."""
        if self.parsed is None:
            return ()
        entries = self.parsed.entries
        left_out = repeated(len(entries), identify(self.feed, entries))
        return (*self.parsed.warnings, *filter(None, (left_out, _undated(entries))))

    @property
    def detail(self) -> str:
        """What was off, in words."""
        if self.parsed is None:
            wait = self.fetched.retry_after_s
            return f"{self.fetched.error}; asks to wait {wait:.0f} s" if wait else self.fetched.error
        return self.parsed.error or "; ".join(self.warnings)


class Checker:
    """Fetches and reads feeds; make it with ``checker``."""

    def __init__(self, fetcher: Fetcher, sandbox: Sandbox) -> None:
        self.fetcher = fetcher
        self.sandbox = sandbox
        self._slots = asyncio.Semaphore(MAX_POLLS)
        self._hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(1))

    async def check(self, feed: Feed) -> Checked:
        """Fetch and read ``feed`` once; a host is asked for one feed at a time."""
        async with self._hosts[hostname(feed.url)], self._slots:
            if files.is_file(feed.url):
                fetched = await files.fetch(feed.url)
            else:
                fetched = await self.fetcher.fetch(feed.url, way=feed.way)
            if fetched.outcome is not Outcome.OK:
                return Checked(feed, fetched)
            return Checked(feed, fetched, await self.sandbox.parse(fetched.body, files.source(fetched)))

    async def check_all(self, feeds: Sequence[Feed], on_checked: Callable[[int], None]) -> list[Checked]:
        """Check every feed; ``on_checked`` is told of each that is through. In the order of ``feeds``."""

        async def one(feed: Feed) -> Checked:
            try:
                checked = await self.check(feed)
            except Exception as error:  # noqa: BLE001  # what one feed brings must not end the check of the others
                checked = Checked(feed, failed(feed, error))
            on_checked(1)
            return checked

        return list(await asyncio.gather(*(one(feed) for feed in feeds)))

    async def read_file(self, path: Path, feed: Feed) -> Checked:
        """A feed in a file on this machine; relative links count from the address that it says is its own.

        Of an archive of lines that is larger than a feed may be, the first portion.

        Raises:
            OSError: It can't be read.
        """
        limit = Limits().max_bytes
        body = await asyncio.to_thread(_head, path, limit + 1)
        if len(body) > limit and lines.are_lines(body[: lines.MAX_LINE].decode("utf-8", errors="replace")):
            return await self.check(replace(feed, url=_address(path)))
        if len(body) > limit:
            return Checked(feed, Fetched(Outcome.TOO_LARGE, error=f"more than {limit} bytes"))
        fetched = Fetched(Outcome.OK, body=body)
        parsed = await self.sandbox.parse(body, Source(""))
        if parsed.self_url:
            parsed = await self.sandbox.parse(body, Source(parsed.self_url))
        return Checked(feed, fetched, parsed)


def _undated(entries: Sequence[Entry]) -> str:
    """What is to be said of entries that count as published when they are read; empty where there are none."""
    now = datetime.now(UTC)
    undated = sum(identity.published_at(entry, now) == now for entry in entries)
    return f"{counted(undated, 'entry', 'entries')} without a usable date" if undated else ""


def _address(path: Path) -> str:
    return path.absolute().as_uri()


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


@asynccontextmanager
async def checker(settings: Settings) -> AsyncIterator[Checker]:
    """A checker with a fetcher and a sandbox of its own."""
    async with Sandbox() as sandbox, fetcher_of(settings) as fetcher:
        yield Checker(fetcher, sandbox)


def to_be_sent(checked: Checked) -> list[Article]:
    """The articles that a first poll would send, in the feed's order."""
    now = datetime.now(UTC)
    entries = checked.parsed.entries if checked.parsed else ()
    found = identify(checked.feed, entries)
    articles = (identity.article(entry, checked.feed, now, "wall", known_as) for known_as, entry in found.items())
    return [article for article in articles if len(encode(article)) <= MAX_BYTES]
