"""The connectors' metrics: every name, label and bucket, declared once. Known label sets start at 0."""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import Counter, Gauge, Histogram

from config import exposition, refusal, vitals
from config.health import KAFKA, board
from config.metrics import export
from config.settings import Settings
from connectors.outcome import Outcome
from connectors.websub.outcome import Pushed, Standing


class Handling(StrEnum):
    """What became of an entry."""

    NEW = "new"
    """Sent, and acknowledged by the broker."""
    UPDATED = "updated"
    """Sent again under the same id, its title or text having changed."""
    HELD = "held"
    """Changed once more, after so many updates that the next one has to wait."""
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


class Kind(StrEnum):
    """What kind of place is asked."""

    FEED = "feed"
    PAGE = "page"
    """The page of an article that a feed shows only in part."""


ATTEMPTS = Counter(
    "brinkwatch_connect_fetch_attempts_total", "Polls that were begun, by kind of source.", ["kind"], registry=None
)
FETCHES = Counter("brinkwatch_connect_fetches_total", "Polls by how they ended.", ["kind", "outcome"], registry=None)
FETCH_SECONDS = Histogram(
    "brinkwatch_connect_fetch_seconds",
    "Time of one fetch, redirects and body included.",
    ["kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30),
    registry=None,
)
FETCHED_BYTES = Counter(
    "brinkwatch_connect_fetched_bytes_total",
    "Bytes of bodies as they came over the wire, those that were given up included.",
    ["kind"],
    registry=None,
)
POLL_DELAY = Histogram(
    "brinkwatch_connect_poll_delay_seconds",
    "How long after it was due a poll began: 0 where all is well; what was due while the process was down counts.",
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600),
    registry=None,
)
ARTICLES = Counter(
    "brinkwatch_connect_articles_total", "Entries of feeds, by what became of them.", ["outcome"], registry=None
)
PUBLISHED_TO_FETCHED = Histogram(
    "brinkwatch_connect_published_to_fetched_seconds",
    "Time from an article's publication to its discovery; articles sent for the first time, first polls left out.",
    buckets=(1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 21600, 86400),
    registry=None,
)
FEEDS = Gauge("brinkwatch_connect_feeds", "Feeds by how they stand.", ["state"], registry=None)
LAST_POLL = Gauge(
    "brinkwatch_connect_last_poll_timestamp_seconds", "When a poll ended last (Unix time).", registry=None
)
LAST_SUCCESS = Gauge(
    "brinkwatch_connect_last_success_timestamp_seconds",
    "When a feed last answered as one (Unix time); until then when the process started.",
    registry=None,
)
LAST_ARTICLE = Gauge(
    "brinkwatch_connect_last_article_timestamp_seconds",
    "When the broker last acknowledged an article (Unix time); until then when the process started.",
    registry=None,
)
LIST_GOOD = Gauge(
    "brinkwatch_connect_list_last_reload_successful",
    "Whether the list of feeds as it stands is in use.",
    registry=None,
)
LIST_LOADED = Gauge(
    "brinkwatch_connect_list_last_reload_success_timestamp_seconds",
    "When the list of feeds in use was read (Unix time).",
    registry=None,
)
SHARDS = Gauge(
    "brinkwatch_connect_shards",
    "Shards of the list that this process polls; over all processes as many as `connect_shards`.",
    registry=None,
)
HEARTBEATS = Counter(
    "brinkwatch_heartbeat_sent_total", "Heartbeat articles that the broker has acknowledged.", registry=None
)
PENDING = Gauge(
    "brinkwatch_connect_unacknowledged_articles",
    "Articles sent that the broker has not acknowledged yet.",
    registry=None,
)
SUBSCRIPTIONS = Gauge(
    "brinkwatch_connect_subscriptions", "WebSub subscriptions by how they stand.", ["state"], registry=None
)
PUSHES = Counter(
    "brinkwatch_connect_pushes_total", "Pushes of WebSub hubs by how they ended.", ["outcome"], registry=None
)
MISSES = Counter(
    "brinkwatch_connect_push_misses_total",
    "Times that a poll found what a verified WebSub subscription had not brought: it is distrusted for a while.",
    registry=None,
)
EXPORTS = {
    "connect": (
        ATTEMPTS, FETCHES, FETCH_SECONDS, FETCHED_BYTES, POLL_DELAY, ARTICLES, PUBLISHED_TO_FETCHED, FEEDS, LAST_POLL,
        LAST_SUCCESS, LAST_ARTICLE, LIST_GOOD, LIST_LOADED, SHARDS, HEARTBEATS, PENDING, SUBSCRIPTIONS, PUSHES,
        MISSES,
    ),
}  # fmt: skip
"""Which metrics of this module each process exports."""


def init() -> None:
    """Export the metrics of connect, every known label set at 0."""
    export(EXPORTS["connect"])
    for kind in Kind:
        for metric in (ATTEMPTS, FETCH_SECONDS, FETCHED_BYTES):
            metric.labels(kind.value)
        for outcome in Outcome:
            FETCHES.labels(kind.value, outcome.value)
    for handling in Handling:
        ARTICLES.labels(handling.value)
    for state in State:
        FEEDS.labels(state.value)
    for standing in Standing:
        SUBSCRIPTIONS.labels(standing.value)
    for pushed in Pushed:
        PUSHES.labels(pushed.value)
    LIST_GOOD.set(1)
    for last in (LAST_SUCCESS, LAST_ARTICLE, LIST_LOADED):
        last.set_to_current_time()


def serve(settings: Settings, port: int) -> None:
    """Serve /metrics on ``port`` from a daemon thread, as the settings say; port 0 serves nothing.

    Raises:
        BrinkwatchError: The address can't be had, or the certificate or the password.
    """
    init()
    vitals.init_heartbeat("connect")
    board.begin("connect", KAFKA)
    exposition.serve(settings, port)
    refusal.watch(settings)
