"""Subscription: what we asked of a hub, and what came of it. Decisions only; the clock and the dice are given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from connectors.websub.outcome import Standing

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
MAX_LEASE_S = 30 * DAY_S
PENDING_S = HOUR_S
"""For how long after a request its verification is awaited. Hubs queue, and repeat what they got no answer to."""
MAX_PARTINGS = 5
MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of hubs, and how often; seconds.

    Attributes:
        lease_s: The lease that is asked for.
        retry_s: The wait after a first request; it doubles with each that is not verified.
        retry_cap_s: The longest such wait.
        least_s: The least time between two requests, however short a lease is.
        denied_s: The wait after a hub said no.
        change_s: How often a feed may change hub or topic.
        spread_s: Over how long first requests are spread.
        grace_s: How much later than our poll a push may bring the same entry.
        penance_s: For how long a subscription that missed an entry is distrusted; it doubles with each.
        net_s: The interval of polls beside pushes.
        recent_s: How recent a push must be, for polls to be rarer.
    """

    lease_s: float = 5 * DAY_S
    retry_s: float = 300.0
    retry_cap_s: float = 6 * HOUR_S
    least_s: float = 60.0
    denied_s: float = 7 * DAY_S
    change_s: float = HOUR_S
    spread_s: float = 30.0
    grace_s: float = 600.0
    penance_s: float = HOUR_S
    net_s: float = HOUR_S
    recent_s: float = DAY_S


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription, ours or one that is being ended; times are Unix seconds, 0 for never.

    Attributes:
        token: The last part of its callback, which nobody can guess.
        feed: Id of the feed.
        feed_url: The feed's address.
        topic: What the hub calls the feed.
        hub: The hub's address.
        callback: Where the hub reaches us.
        secret: What pushes are signed with.
        base: By what relative links of a push are made absolute.
        made_at: When it was made.
        leaving: Whether the hub is asked to end it.
        asked_at: When the hub was asked last.
        next_ask: When to ask next.
        failures: Requests in a row that the hub has not verified.
        verified_at: Since when it is verified without a gap.
        lease_end: Until when the hub pushes.
        denied_at: When the hub said no.
        delivered_at: When a genuine push came last.
        missed_at: When a poll last found what no push had brought.
        misses: How often that was.
        reason: What was wrong last, in words.
    """

    token: str = field(repr=False)
    feed: str
    feed_url: str
    topic: str
    hub: str
    callback: str = field(repr=False)
    secret: str = field(repr=False)
    base: str
    made_at: float
    leaving: bool = False
    asked_at: float = 0.0
    next_ask: float = 0.0
    failures: int = 0
    verified_at: float = 0.0
    lease_end: float = 0.0
    denied_at: float = 0.0
    delivered_at: float = 0.0
    missed_at: float = 0.0
    misses: int = 0
    reason: str = ""


def standing(subscription: Subscription, now: float, terms: Terms) -> Standing:
    """How it stands."""
    if subscription.leaving:
        return Standing.LEAVING
    if subscription.denied_at:
        return Standing.DENIED
    if subscription.lease_end > now:
        return Standing.DISTRUSTED if now < _penance_end(subscription, terms) else Standing.VERIFIED
    return Standing.FAILING if subscription.failures > 1 or subscription.reason else Standing.ASKED


def _penance_end(subscription: Subscription, terms: Terms) -> float:
    if not subscription.misses:
        return 0.0
    return subscription.missed_at + min(terms.penance_s * 2.0 ** min(subscription.misses - 1, 16), 7 * DAY_S)


def net_interval_s(subscription: Subscription | None, now: float, terms: Terms) -> float:
    """The least interval of polls that the subscription stands in for; 0 where polling goes on as if it were not."""
    if subscription is None or standing(subscription, now, terms) is not Standing.VERIFIED:
        return 0.0
    recently = 0 <= now - subscription.delivered_at <= terms.recent_s  # a clock that was set back proves nothing
    return terms.net_s if recently else 0.0


def confirms(subscription: Subscription, mode: str, topic: str, now: float) -> bool:
    """Whether a verification of intent is of what was asked; a hub may repeat one whose answer it did not get."""
    if topic != subscription.topic or not subscription.asked_at:
        return False
    if mode == "unsubscribe":
        return subscription.leaving
    return mode == "subscribe" and not subscription.leaving and now - subscription.asked_at <= PENDING_S


def asked(subscription: Subscription, now: float, terms: Terms, dice: float) -> Subscription:
    """Before a request goes out. It counts as failed until it is verified, whatever becomes of the answer."""
    failures = subscription.failures + 1
    wait = min(terms.retry_s * 2.0 ** min(failures - 1, 16), terms.retry_cap_s) * (1 + 0.2 * dice)
    return replace(subscription, asked_at=now, failures=failures, next_ask=now + wait)


def refused(subscription: Subscription, why: str, now: float, retry_after_s: float) -> Subscription:
    """After a request that the hub did not accept; what it asks to wait is waited."""
    due = max(subscription.next_ask, now + retry_after_s)
    return replace(subscription, reason=why[:MAX_REASON], next_ask=due)


def verified(subscription: Subscription, lease_s: float, now: float, terms: Terms, dice: float) -> Subscription:
    """After the hub verified it for ``lease_s``. It is renewed when half to three quarters of the lease are over."""
    lease = min(lease_s, MAX_LEASE_S)
    again = max(lease * (0.5 + 0.25 * dice), terms.least_s)
    held = subscription.lease_end >= now and subscription.verified_at
    return replace(
        subscription,
        verified_at=subscription.verified_at if held else now,
        lease_end=now + lease,
        next_ask=now + again,
        failures=0,
        denied_at=0.0,
        reason="",
    )


def denied(subscription: Subscription, why: str, now: float, terms: Terms) -> Subscription:
    """After the hub said no, which it may at any time (W3C WebSub, 5.2)."""
    return replace(
        subscription,
        denied_at=now,
        asked_at=0.0,
        verified_at=0.0,
        lease_end=0.0,
        next_ask=now + terms.denied_s,
        reason=why[:MAX_REASON],
    )


def retried(subscription: Subscription) -> Subscription:
    """A denied one when its wait is over: as if it were new."""
    return replace(subscription, denied_at=0.0, failures=0)


def delivered(subscription: Subscription, now: float) -> Subscription:
    """After a genuine push; misses of more than 30 days ago are forgiven."""
    forgiven = now - subscription.missed_at > 30 * DAY_S
    return replace(subscription, delivered_at=now, misses=0 if forgiven else subscription.misses)


def missed(subscription: Subscription, now: float) -> Subscription:
    """After a poll found what no push brought: the hub is asked anew, and is verified from then on only."""
    return replace(
        subscription,
        missed_at=now,
        misses=subscription.misses + 1,
        delivered_at=0.0,
        verified_at=0.0,
        next_ask=min(subscription.next_ask, now),
        reason="a poll found what no push had brought",
    )


def answerable(subscription: Subscription, polled_before: float, now: float, terms: Terms) -> bool:
    """Whether a push should have brought what a poll finds now: it was verified at the poll before, and is since."""
    since = subscription.verified_at
    return standing(subscription, now, terms) is Standing.VERIFIED and 0 < since <= polled_before


def left(subscription: Subscription, now: float) -> Subscription:
    """When it is to be ended."""
    return replace(subscription, leaving=True, next_ask=now, failures=0)


def over(subscription: Subscription, now: float) -> bool:
    """Whether one that is being ended may be forgotten: nothing is left at the hub, or the hub does not answer."""
    if not subscription.leaving:
        return False
    if not subscription.asked_at and not subscription.lease_end:
        return True
    ended = subscription.failures > 0 and 0 < subscription.lease_end < now
    return ended or (subscription.failures >= MAX_PARTINGS and now >= subscription.next_ask)
