"""Dated headlines served as RSS by a real HTTP server, a day at a time."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, time
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from rssserver import serve

FEEDS = 4


def published(row: dict[str, Any]) -> datetime:
    """When a row was published; one that only names the day counts as noon of it."""
    moment = datetime.fromisoformat(row["published"])
    if row["precision"] == "day":
        moment = datetime.combine(moment, time(12))
    return moment.replace(tzinfo=moment.tzinfo or UTC)


class DayFeeds:
    """Rows of a stream as feeds that show one day's headlines; ``turn`` goes to the next day."""

    def __init__(self, stream: Path) -> None:
        self._days: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in stream.open(encoding="utf-8"):
            row = json.loads(line)
            self._days[published(row).date().isoformat()].append(row)
        self.days = sorted(self._days)
        self._day = ""
        self._server = serve(self.rss)

    def turn(self, day: str) -> int:
        """Show ``day``; how many headlines it has."""
        self._day = day
        return len(self._days[day])

    def config(self) -> str:
        """A feeds.yaml that polls them."""
        port = self._server.server_address[1]
        rows = "".join(f"  - {{id: day-{n}, url: 'http://127.0.0.1:{port}/{n}.rss'}}\n" for n in range(FEEDS))
        return "feeds:\n" + rows

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def rss(self, number: int) -> bytes:
        """The feed's items of the day, newest first, as publishers do."""
        rows = sorted(self._days[self._day][number::FEEDS], key=published, reverse=True)
        return f"<rss version='2.0'><channel><title>day</title>{''.join(map(_item, rows))}</channel></rss>".encode()


def _item(row: dict[str, Any]) -> str:
    return (
        f"<item><title>{escape(row['title'])}</title><link>{escape(row['url'])}</link>"
        f"<pubDate>{format_datetime(published(row))}</pubDate></item>"
    )
