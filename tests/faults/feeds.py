"""The feeds of a run over real HTTP on loopback: entries appear as time goes on."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from email.utils import format_datetime
from xml.sax.saxutils import escape

from rssserver import serve

from tests.faults import news

SHOWN = 150
"""Latest entries that a feed shows: those of five minutes, so none leaves before it could be read."""


class Feeds:
    """Publishes the news of ``seed`` from ``start`` to ``stop``, ``news.RATE`` entries a second.

    Not ``dated``, an entry does not say when it was published: it counts from when it was read, on the wall's clock.
    """

    def __init__(self, seed: int, *, slow: bool, dated: bool = True) -> None:
        self._seed, self._slow, self._dated = seed, slow, dated
        self._begun: float | None = None
        self._items: list[news.Item] = []
        self._by_feed: dict[int, list[news.Item]] = defaultdict(list)
        self._ended = False
        self._lock = threading.Lock()
        self._server = serve(self.rss)

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self._server.server_address[1])

    def config(self) -> str:
        """A feeds.yaml that polls them all."""
        lines = ["feeds:"]
        for number in range(news.FEEDS if self._slow else news.LANES + news.FREE):
            feed = news.feed(number, self.port)
            kind = f"drill: {str(feed.drill).lower()}, interval: {feed.interval_s:g}s"
            lines.append(f"  - {{id: {feed.id}, url: '{feed.url}', {kind}, language: en}}")
        return "\n".join(lines) + "\n"

    def start(self) -> None:
        """From now on entries appear."""
        self._begun = time.monotonic()

    def stop(self) -> int:
        """No more entries appear; how many there are."""
        with self._lock:
            self._publish()
            self._ended = True
            return len(self._items)

    def close_news(self) -> None:
        """Publish the closing entry."""
        with self._lock:
            self._add(news.closing(self._seed, len(self._items)))

    @property
    def published(self) -> list[news.Item]:
        """What has appeared, in order."""
        with self._lock:
            return list(self._items)

    def end(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def rss(self, number: int) -> bytes:
        """What a feed shows now, oldest first."""
        with self._lock:
            self._publish()
            shown = self._by_feed[number][-SHOWN:]
        head = "<rss version='2.0'><channel><title>wire</title><language>en</language>"
        return f"{head}{''.join(_rss_item(item, dated=self._dated) for item in shown)}</channel></rss>".encode()

    def _publish(self) -> None:
        if self._begun is None or self._ended:
            return
        due = int((time.monotonic() - self._begun) * news.RATE)
        while len(self._items) < due:
            self._add(news.item(self._seed, len(self._items), slow=self._slow))

    def _add(self, item: news.Item) -> None:
        self._items.append(item)
        self._by_feed[item.feed].append(item)


def _rss_item(item: news.Item, *, dated: bool) -> str:
    entry = item.entry
    assert entry.published is not None
    date = f"<pubDate>{format_datetime(entry.published)}</pubDate>" if dated else ""
    return (
        f"<item><guid isPermaLink='false'>{entry.guid}</guid><link>{escape(entry.url)}</link>"
        f"<description>{escape(entry.text)}</description>{date}</item>"
    )
