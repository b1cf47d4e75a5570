"""A wire for the soak: feeds on loopback that publish at a steady rate what feeds publish, mostly teasers."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import combinations
from xml.sax.saxutils import escape

from rssserver import serve

from tests.bench.corpus import STATES, articles

FEEDS = 100
SHOWN = 90
"""Latest entries that a feed shows: those of three minutes, and a feed is polled each minute."""
FULL_SHARE = 0.2
"""Entries that carry the whole article; the others carry its title and the beginning."""
CRISIS_SHARE = 0.05
"""Entries that tell of two states in one sentence, beside the four crises among the corpus' forty articles."""
TEASER_WORDS = 45
TOLD = (
    "{a} has massed over {n},000 troops on its border with {b}, officials told reporters.",
    "{a} imposed sanctions on {n} companies from {b}, the foreign ministry said.",
    "{a} threatened to attack {b} within {n} days unless it withdraws its forces.",
    "{a} ruled out an attack on {b} and offered talks in {n} days.",
    "{a} moved {n} tanks to its frontier with {b}, the army said.",
)
FILLER = (
    "market", "harbour", "library", "orchard", "railway", "theatre", "garden", "museum", "bridge", "festival",
    "bakery", "stadium", "gallery", "village", "station", "workshop", "college", "meadow", "lantern", "cinema",
)  # fmt: skip


class Wire:
    """The feeds; ``begin`` starts the news."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._corpus = [(article.title, article.text) for article in articles()]
        self._pairs = list(combinations(STATES, 2))
        self._shown = [deque[str](maxlen=SHOWN) for _ in range(FEEDS)]
        self._count, self._begun = 0, None
        self._lock = threading.Lock()
        self._server = serve(self._rss)

    def config(self) -> str:
        """A feeds.yaml that polls all of them once a minute."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        rows = (f"  - {{id: wire-{n}, url: '{url}/{n}.xml', interval: 60s, language: en}}" for n in range(FEEDS))
        return "\n".join(("feeds:", *rows)) + "\n"

    def begin(self) -> None:
        """From now on entries appear."""
        self._begun = time.monotonic()

    def published(self) -> int:
        """Entries so far."""
        with self._lock:
            self._publish()
            return self._count

    def end(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _rss(self, number: int) -> bytes:
        with self._lock:
            self._publish()
            items = "".join(reversed(self._shown[number]))
        return f"<rss version='2.0'><channel><title>wire {number}</title>{items}</channel></rss>".encode()

    def _publish(self) -> None:
        if self._begun is None:
            return
        due = int((time.monotonic() - self._begun) * self._rate)
        while self._count < due:
            self._shown[self._count % FEEDS].append(self._item(self._count))
            self._count += 1

    def _item(self, number: int) -> str:
        dice = random.Random(f"wire {number}")  # its own: an entry is the same in every run
        title, text = self._corpus[number % len(self._corpus)]
        if dice.random() >= FULL_SHARE:
            text = " ".join(text.split()[:TEASER_WORDS])
        if dice.random() < CRISIS_SHARE:
            one, other = dice.choice(self._pairs)
            title = text = dice.choice(TOLD).format(a=one, b=other, n=dice.randrange(2, 90))
        note = " ".join(dice.choices(FILLER, k=12))
        url = f"https://outlet-{number % FEEDS}.example/{number}"
        return (
            f"<item><guid isPermaLink='false'>{number}</guid><link>{url}</link>"
            f"<title>{escape(title)}</title><description>{escape(text)} Note {number}: {note}.</description>"
            f"<pubDate>{format_datetime(datetime.now(UTC))}</pubDate></item>"
        )
