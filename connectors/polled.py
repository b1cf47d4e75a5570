"""Polled: how a poll went, as it is counted and told."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from config.feeds import Feed
from connectors import metrics
from connectors.fetch import Fetched
from connectors.files import NOT_READ
from connectors.metrics import Handling, Kind
from connectors.outcome import Outcome
from connectors.schedule import Next, Why
from connectors.sift import Sifted
from connectors.store import FeedState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Poll:
    """How one poll of a feed went.

    Attributes:
        feed: Which feed.
        outcome: How it ended.
        handled: How many entries met which end.
        detail: What was off, in words; empty where nothing was.
        seconds: How long the fetch took.
        rest_s: Seconds until it may be polled, where its host asked to be left alone and it was not asked: that is no
            poll, and is neither counted nor a failure; else 0.
    """

    feed: Feed
    outcome: Outcome
    handled: Mapping[Handling, int] = field(default_factory=dict)
    detail: str = ""
    seconds: float = 0.0
    rest_s: float = 0.0


def resting(feed: Feed, rest_s: float, wait_s: float) -> Poll:
    """A poll that was put off for ``wait_s``, as the host asked for ``rest_s``; it is logged."""
    detail = f"not asked: its host asked to be left alone for another {rest_s:.0f} s"
    fields = {"feed": feed.id, "next_s": round(wait_s, 1), "next_why": Why.RETRY_AFTER.value, "detail": detail}
    log.info("%s: %s", feed.id, detail, extra={"fields": fields})
    return Poll(feed, Outcome.RATE_LIMITED, detail=detail, rest_s=wait_s)


def fresh(sifted: Sifted) -> frozenset[str]:
    """The ids of articles that are sent for the first time."""
    first = {row.article_id for row in sifted.seen if not row.revision}
    return frozenset(article.article_id for article in sifted.articles if article.article_id in first)


def claimed(sifted: Sifted) -> frozenset[str]:
    """The ids under which another feed that is read meanwhile would send what this one is about to send."""
    return fresh(sifted) | sifted.unknown


def count(poll: Poll) -> None:
    """Count a poll by how it ended."""
    metrics.FETCHES.labels(Kind.FEED.value, poll.outcome.value).inc()
    metrics.LAST_POLL.set_to_current_time()
    if poll.outcome.success:
        metrics.LAST_SUCCESS.set_to_current_time()


def count_articles(poll: Poll, sifted: Sifted | None, *, first: bool) -> None:
    """Count what became of the entries, and how late they were found.

    A ``first`` poll finds days of old articles, an archive years: they tell nothing of the delay.
    """
    for handling, number in poll.handled.items():
        metrics.ARTICLES.labels(handling.value).inc(number)
    if not sifted or first:
        return
    new = fresh(sifted)
    for article in (article for article in sifted.articles if article.article_id in new):
        delay = (article.fetched_at - article.published_at).total_seconds()
        metrics.PUBLISHED_TO_FETCHED.observe(max(delay, 0.0))


def tell(poll: Poll, before: FeedState | None, state: FeedState, fetched: Fetched, chosen: Next) -> None:
    """Log a poll."""
    level = _level(poll, before)
    if not log.isEnabledFor(level):
        return
    fields = {
        "feed": poll.feed.id,
        "outcome": poll.outcome.value,
        "status": fetched.status,
        "bytes": len(fetched.body),
        "seconds": round(poll.seconds, 3),
        **{handling.value: number for handling, number in poll.handled.items() if number},
        "failures": state.failures,
        "next_s": None if state.next_due is None else round(state.next_due - state.polled_at, 1),
        "next_why": chosen.why.value,
        "detail": poll.detail,
    }
    said = f"{poll.feed.id}: {poll.outcome.value}" + (f": {poll.detail}" if poll.detail else "")
    log.log(level, said, extra={"fields": fields})


def _level(poll: Poll, before: FeedState | None) -> int:
    """Info is for what changes: of tens of thousands of feeds nearly every poll finds nothing."""
    if not poll.outcome.success:
        return logging.WARNING
    if poll.detail.startswith(NOT_READ) and (before is None or before.detail != poll.detail):
        return logging.WARNING  # once, not at every poll
    news = any(poll.handled.get(kind) for kind in (Handling.NEW, Handling.UPDATED, Handling.TOO_LARGE))
    return logging.INFO if news or before is None or not before.outcome.success else logging.DEBUG
