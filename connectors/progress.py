"""Progress: what is known of a feed after a poll, and when the next one is. Decisions only, given clock and dice."""

from __future__ import annotations

from dataclasses import dataclass, replace

from config.feeds import Feed
from config.retry_after import MAX_RETRY_AFTER_S
from connectors import memory, moves, rhythm, schedule
from connectors.entry import Parsed
from connectors.fetch import Fetched
from connectors.memory import Memory
from connectors.moves import Move
from connectors.outcome import Outcome
from connectors.rhythm import Pace, Rhythm
from connectors.schedule import Next, Rules, Usual, Why
from connectors.sift import Sifted
from connectors.store import FeedState

MAX_GAP_S = schedule.DAY_S
"""After so long without a look entries may have come and gone unseen: the rhythm is taken from the document anew."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a document told of its feed's rhythm.

    Attributes:
        ttl_s: Seconds between polls that it asks for; 0 for none.
        shown: When its entries were published, as far as they say; Unix seconds.
        new: When those were published that were not known before.
    """

    ttl_s: float = 0.0
    shown: tuple[float, ...] = ()
    new: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a poll ended.

    Attributes:
        outcome: What it came to, reading included.
        fetched: What the server said.
        asked: The address that was asked; empty where none was, as the body was pushed or the host is left alone.
        detail: What was off, in words.
        read: What the document told; None where none was read.
    """

    outcome: Outcome
    fetched: Fetched
    asked: str = ""
    detail: str = ""
    read: Read | None = None


def told(parsed: Parsed, sifted: Sifted) -> Read:
    """What a document that was read and sifted tells."""
    first_seen = {row.article_id for row in sifted.seen if not row.revision}
    return Read(
        parsed.ttl_s,
        tuple(entry.published.timestamp() for entry in parsed.entries if entry.published),
        tuple(a.published_at.timestamp() for a in sifted.articles if a.article_id in first_seen),
    )


def after(feed: Feed, before: FeedState | None, ended: Ended, now: float, dice: float) -> tuple[FeedState, Next]:
    """What is known of ``feed`` after a poll that ended ``now`` (Unix seconds), and why the next one is when it is.

    Validators change only with a body that was read to its end.

    Args:
        feed: The feed.
        before: What was known; None before its first poll.
        ended: How the poll ended.
        now: When it ended.
        dice: A random number in [0, 1).
    """
    known = before or FeedState(feed.id, feed.url, ended.outcome)
    remembered = _remembered(memory.recalled(known.memory), ended, now)
    remembered = replace(remembered, retry_after_s=min(max(0.0, ended.fetched.retry_after_s), MAX_RETRY_AFTER_S))
    interval_s = _interval_s(feed, remembered.rhythm, now)
    failures = 0 if ended.outcome.success else known.failures + 1
    usual = Usual(interval_s, adapted=_adapts(feed), first=not known.polled_at)
    rules = _rules(remembered, ended)
    back = moves.failed(feed, ended.asked, ended.outcome, failures)
    chosen = (
        _moved_back(usual, rules, dice) if back else schedule.next_poll(ended.outcome, usual, failures, rules, dice)
    )
    state = replace(
        known,
        outcome=ended.outcome,
        detail=ended.detail,
        failures=failures,
        polled_at=now,
        read_at=now if ended.outcome is Outcome.OK else known.read_at,
        next_due=None if chosen.wait_s is None else now + chosen.wait_s,
        interval_s=interval_s,
        memory=memory.written(remembered),
    )
    return (_forgotten(state) if back else _moved(feed, _revalidated(state, ended), ended, now)), chosen


def put_off(before: FeedState | None, wait_s: float, now: float) -> FeedState | None:
    """What is known of a feed that is not asked until ``wait_s`` after ``now``: its host rests. That is no poll."""
    if before is None or before.next_due is None:
        return before
    return replace(before, next_due=max(before.next_due, now + wait_s))


def pace(feed: Feed) -> tuple[float, ...]:
    """The intervals that ``feed`` is polled by: where they change, it is due at another time."""
    return (feed.interval_s, feed.floor_s, feed.cap_s) if _adapts(feed) else (feed.interval_s,)


def fits(feed: Feed, state: FeedState) -> bool:
    """Whether the interval of the last poll is one of ``feed``, as far as it is known."""
    if _adapts(feed):
        return not state.interval_s or feed.floor_s <= state.interval_s <= feed.cap_s
    return state.interval_s in {0.0, feed.interval_s}


def paced(feed: Feed, state: FeedState, dice: float) -> tuple[FeedState, Next]:
    """``state`` with the next poll when it would be if the last one had ended by ``feed``'s intervals of now; and why.

    What the publisher asked for, and the failures, count as they did then: it is never sooner than they allow.
    """
    if state.next_due is None:
        return state, Next(None, Why.GONE)
    if state.next_due <= state.polled_at:
        return state, Next(0.0, Why.MORE)
    known = memory.recalled(state.memory)
    usual = Usual(_interval_s(feed, known.rhythm, state.polled_at), adapted=_adapts(feed))
    rules = Rules(known.ttl_s, known.max_age_s, known.retry_after_s)
    if state.outcome is Outcome.GONE:  # of an address that it had moved to
        chosen = _moved_back(usual, rules, dice)
    else:
        chosen = schedule.next_poll(state.outcome, usual, state.failures, rules, dice)
    next_due = None if chosen.wait_s is None else state.polled_at + chosen.wait_s
    return replace(state, next_due=next_due, interval_s=usual.interval_s), chosen


def _remembered(before: Memory, ended: Ended, now: float) -> Memory:
    """What an answer changes: a 304 repeats no ttl, and need not repeat its freshness (RFC 9111, 4.3.4)."""
    if ended.outcome is Outcome.NOT_MODIFIED:
        kept = before.rhythm and rhythm.learned(before.rhythm, (), now)
        return replace(before, max_age_s=_bounded(ended.fetched.fresh_s) or before.max_age_s, rhythm=kept)
    if ended.outcome is not Outcome.OK or ended.read is None:
        return before
    known = before.rhythm
    if known is None or abs(now - known.as_of) > MAX_GAP_S:  # the clock may have been set, too
        found = rhythm.begun(ended.read.shown, now)
    else:
        found = rhythm.learned(known, ended.read.new, now)
    return Memory(_bounded(ended.read.ttl_s), _bounded(ended.fetched.fresh_s), found)


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), schedule.MAX_RULE_S)  # in this order: what is no number is none


def _interval_s(feed: Feed, known: Rhythm | None, now: float) -> float:
    if not _adapts(feed):
        return feed.interval_s
    pace = Pace(feed.interval_s, feed.floor_s, feed.cap_s)
    return rhythm.interval_s(known or rhythm.blank(now), pace, now)


def _adapts(feed: Feed) -> bool:
    """A drill is quick whatever it publishes."""
    return feed.adapts and not feed.drill


def _rules(remembered: Memory, ended: Ended) -> Rules:
    """The freshness of an error page is its own: it neither shortens nor lengthens what the feed asks for."""
    fresh_s = ended.fetched.fresh_s if ended.outcome.success else 0.0
    return Rules(remembered.ttl_s, max(remembered.max_age_s, fresh_s), ended.fetched.retry_after_s)


def _moved_back(usual: Usual, rules: Rules, dice: float) -> Next:
    """Not the course of what ended, for another address is asked next: a 410 does not stop the list's."""
    chosen = schedule.next_poll(Outcome.CONNECT_ERROR, usual, 1, rules, dice)
    return replace(chosen, why=Why.MOVED_BACK) if chosen.why is Why.BACKOFF else chosen


def _forgotten(state: FeedState) -> FeedState:
    """Without the move, and without validators, which are of a server that is not asked any more."""
    return replace(state, etag="", last_modified="", moved_to="", moved_times=0, moved_since=0.0)


def _revalidated(state: FeedState, ended: Ended) -> FeedState:
    if ended.outcome is not Outcome.OK or not ended.asked:  # what was pushed says nothing of the address that is asked
        return state
    return replace(state, etag=ended.fetched.validators.etag, last_modified=ended.fetched.validators.last_modified)


def _moved(feed: Feed, state: FeedState, ended: Ended, now: float) -> FeedState:
    if not ended.asked:
        return state
    before = Move(state.moved_to, state.moved_times, state.moved_since)
    move = moves.followed(feed, before, ended.asked, ended.outcome, ended.fetched.permanent_url, now)
    return replace(state, moved_to=move.to, moved_times=move.times, moved_since=move.since)
