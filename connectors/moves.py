"""Moves: a feed that permanent redirects lead elsewhere is, in time, polled there directly. Decisions only.

A single 301 may be a slip, a login page of a network, or an outage page: the new address counts only after it has been
the same for ten polls and a week. The list of feeds is the operator's, and is not rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from config.feeds import MAX_URL, Feed
from connectors.outcome import Outcome
from connectors.store import FeedState

TIMES = 10
LEAST_S = 7 * 24 * 3600.0
HARD = frozenset({
    Outcome.NOT_FOUND, Outcome.GONE, Outcome.REFUSED, Outcome.CLIENT_ERROR, Outcome.DNS_ERROR, Outcome.TLS_ERROR,
    Outcome.BAD_URL, Outcome.BLOCKED, Outcome.NOT_A_FEED, Outcome.REDIRECT_LOOP,
})  # fmt: skip
"""What tells that an address is no feed's any more, rather than that a server has a bad hour."""
PATIENCE = 5
"""After so many failures in a row of any kind the list's address is tried again."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where permanent redirects lead: the address (empty: nowhere), in how many polls in a row, since when."""

    to: str = ""
    times: int = 0
    since: float = 0.0


def address(feed: Feed, state: FeedState | None, now: float) -> str:
    """The address under which ``feed`` is polled: the list's, or the one that it has moved to for good."""
    if state is None or state.url != feed.url or not state.moved_to:
        return feed.url
    settled = state.moved_times >= TIMES and now - state.moved_since >= LEAST_S
    return state.moved_to if settled else feed.url


def followed(feed: Feed, before: Move, asked: str, outcome: Outcome, permanent_url: str, now: float) -> Move:
    """What is known of the move after a poll that was not ``failed``.

    Args:
        feed: The feed.
        before: What was known.
        asked: The address that was asked.
        outcome: How that ended.
        permanent_url: Where permanent redirects alone have led from there; empty for nowhere.
        now: The time, in Unix seconds.
    """
    if not outcome.success:
        return before  # a redirect to an error page is no move, and an outage is none back
    target = permanent_url if _usable(feed.url, permanent_url) else ""
    if not target:
        return before if asked != feed.url else Move()
    return Move(target, before.times + 1, before.since) if target == before.to else Move(target, 1, now)


def failed(feed: Feed, asked: str, outcome: Outcome, failures: int) -> bool:
    """Whether the address that ``feed`` had moved to is given up, so that the list's is tried again.

    Args:
        feed: The feed.
        asked: The address that was asked; empty where none was.
        outcome: How that ended.
        failures: Failures in a row, this one among them.
    """
    return bool(asked) and asked != feed.url and (outcome in HARD or failures >= PATIENCE)


def _usable(listed: str, target: str) -> bool:
    """An address that may stand in the state and in a log, and that is no step back from https."""
    try:
        parts = urlsplit(target)
        secure = parts.scheme == "https" or (parts.scheme == "http" and urlsplit(listed).scheme == "http")
        return bool(
            secure and parts.hostname and not parts.username and not parts.password
            and len(target) <= MAX_URL and target.isprintable() and " " not in target and target != listed
        )  # fmt: skip
    except ValueError:
        return False
