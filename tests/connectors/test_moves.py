"""Permanent redirects: when a feed is asked at its new address, and when no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.feeds import Feed
from connectors.moves import LEAST_S, PATIENCE, TIMES, Move, address, failed, followed
from connectors.outcome import Outcome
from connectors.store import FeedState

FEED = Feed("wire", "https://old.example/rss")
NEW = "https://new.example/rss"
DAY_S = 86_400.0


def state(move: Move, url: str = FEED.url) -> FeedState:
    """What is known of the feed."""
    return FeedState("wire", url, Outcome.OK, moved_to=move.to, moved_times=move.times, moved_since=move.since)


def after(*targets: str, gap_s: float = DAY_S, outcome: Outcome = Outcome.OK) -> Move:
    """The move after polls of the list's address that were led to these targets."""
    move = Move()
    for number, target in enumerate(targets):
        move = followed(FEED, move, FEED.url, outcome, target, number * gap_s)
    return move


def test_ten_polls_over_a_week_settle_it():
    """From then on the new address is asked, and answers that it gives itself keep it so."""
    move = after(*[NEW] * TIMES)
    assert move == Move(NEW, TIMES, 0.0)
    assert address(FEED, state(move), TIMES * DAY_S) == NEW
    assert followed(FEED, move, NEW, Outcome.OK, "", 99 * DAY_S) == move
    assert followed(FEED, move, NEW, Outcome.TIMEOUT, "", 99 * DAY_S) == move


@pytest.mark.parametrize(
    ("move", "now"),
    [(after(*[NEW] * (TIMES - 1)), 90 * DAY_S), (after(*[NEW] * 100, gap_s=60), LEAST_S - 1), (Move(), 0)],
    ids=["nine polls", "a hundred within a week", "none"],
)
def test_before_that_the_address_of_the_list_is_asked(move: Move, now: float):
    """Neither few polls over a long time nor many in a short one are a move: an outage page may redirect, too."""
    assert address(FEED, state(move), now) == FEED.url


def test_another_target_or_a_plain_answer_starts_anew():
    """Only one and the same address, without a break, is believed."""
    assert after(*[NEW] * 9, "https://other.example/rss") == Move("https://other.example/rss", 1, 9 * DAY_S)
    assert after(*[NEW] * 9, "") == Move()


def test_failures_between_neither_count_nor_break():
    """A server that is down for a while has not moved back."""
    move = after(*[NEW] * 9)
    assert followed(FEED, move, FEED.url, Outcome.SERVER_ERROR, "", 10 * DAY_S) == move
    assert followed(FEED, move, FEED.url, Outcome.NOT_FOUND, NEW, 10 * DAY_S) == move


@pytest.mark.parametrize(
    "target",
    ["http://new.example/rss", "https://user:secret@new.example/", "ftp://new.example/", "https:///rss", FEED.url,
     "https://new.example/a b", "https://new.example/" + "a" * 3000, "https://[new.example/", "https://new.example/\n"],
)  # fmt: skip
def test_some_addresses_are_never_taken_over(target: str):
    """A step back from https, a password that would stand in logs, what is no address: it is followed, not kept."""
    assert after(*[target] * TIMES) == Move()


def test_a_list_that_changed_forgets_the_move():
    """The operator's new address counts at once."""
    assert address(FEED, replace(state(Move(NEW, 99, 0.0)), url="https://older.example/rss"), 99 * DAY_S) == FEED.url
    assert address(FEED, None, 99 * DAY_S) == FEED.url


def test_a_second_move_is_counted_from_the_list_s_address():
    """The address that it moved to may move on: the list's leads there, too, and is asked until that has settled."""
    move = followed(FEED, Move(NEW, TIMES, 0.0), NEW, Outcome.OK, "https://third.example/rss", 99 * DAY_S)
    assert move == Move("https://third.example/rss", 1, 99 * DAY_S)
    assert address(FEED, state(move), 99 * DAY_S) == FEED.url


def test_a_new_address_that_fails_for_good_is_given_up():
    """404, 410 and a name that is gone tell at once; a server that is down has five polls."""
    assert failed(FEED, NEW, Outcome.NOT_FOUND, 1)
    assert failed(FEED, NEW, Outcome.DNS_ERROR, 1)
    assert not failed(FEED, NEW, Outcome.TIMEOUT, PATIENCE - 1)
    assert failed(FEED, NEW, Outcome.TIMEOUT, PATIENCE)
    assert not failed(FEED, FEED.url, Outcome.NOT_FOUND, 99)
    assert not failed(FEED, "", Outcome.RATE_LIMITED, 99)
