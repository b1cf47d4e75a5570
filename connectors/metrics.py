"""The connectors' metrics: every name, label and bucket, declared once. Known label sets start at 0."""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import Counter, Gauge, Histogram

from config import exposition, vitals
from config.health import KAFKA, board
from connectors.outcome import Outcome


class Handling(StrEnum):
    """What became of an entry."""

    NEW = "new"
    """Sent, and acknowledged by the broker."""
    UPDATED = "updated"
    """Sent again under the same id, its title or text having changed."""
    SEEN = "seen"
    """Known already."""
    REPEATED = "repeated"
    """A second entry of one document with the same identity."""
    TOO_LARGE = "too_large"
    """Larger than a message may be."""


class State(StrEnum):
    """How a feed stands."""

    WAITING = "waiting"
    """Not polled yet."""
    OK = "ok"
    FAILING = "failing"
    STOPPED = "stopped"
    """The publisher asked to stop."""
    DISABLED = "disabled"


FETCHES = Counter("brinkwatch_connect_fetches_total", "Polls of feeds, by how they ended.", ["outcome"])
FETCH_SECONDS = Histogram(
    "brinkwatch_connect_fetch_seconds",
    "Time of one fetch, redirects and body included.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30),
)
ARTICLES = Counter("brinkwatch_connect_articles_total", "Entries of feeds, by what became of them.", ["outcome"])
PUBLISHED_TO_FETCHED = Histogram(
    "brinkwatch_connect_published_to_fetched_seconds",
    "Time from an article's publication to its discovery; articles sent for the first time, first polls left out.",
    buckets=(1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 21600, 86400),
)
FEEDS = Gauge("brinkwatch_connect_feeds", "Feeds by how they stand.", ["state"])
LAST_POLL = Gauge("brinkwatch_connect_last_poll_timestamp_seconds", "When a poll ended last (Unix time).")
HEARTBEATS = Counter("brinkwatch_heartbeat_sent_total", "Heartbeat articles that the broker has acknowledged.")
PENDING = Gauge("brinkwatch_connect_unacknowledged_articles", "Articles sent that the broker has not acknowledged yet.")


def init() -> None:
    """Start every known label set at 0."""
    for outcome in Outcome:
        FETCHES.labels(outcome.value)
    for handling in Handling:
        ARTICLES.labels(handling.value)
    for state in State:
        FEEDS.labels(state.value)


def serve(host: str, port: int) -> None:
    """Serve /metrics on ``host``:``port`` from a daemon thread; port 0 serves nothing.

    Raises:
        BrinkwatchError: The address can't be had.
    """
    init()
    vitals.init_heartbeat("connect")
    board.begin("connect", KAFKA)
    exposition.serve(host, port)
