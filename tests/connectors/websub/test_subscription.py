"""What follows from what: the life of a subscription, without clock or sockets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.websub import subscription as rules
from connectors.websub.outcome import Standing
from connectors.websub.rate import BURST, Bucket, spent
from connectors.websub.subscription import Subscription, Terms

TERMS = Terms()
HOUR = 3600.0
NOW = 1_800_000_000.0
NEW = Subscription(
    token="t", feed="wire", feed_url="https://wire.example/feed", topic="https://wire.example/feed",
    hub="https://hub.example/", callback="https://us.example/t", secret="s", base="https://wire.example/feed",
    made_at=NOW,
)  # fmt: skip
VERIFIED = rules.verified(rules.asked(NEW, NOW, TERMS, 0.5), 24 * HOUR, NOW, TERMS, 0.5)


def stands(subscription: Subscription, now: float = NOW) -> Standing:
    """How it stands."""
    return rules.standing(subscription, now, TERMS)


def net(subscription: Subscription | None, now: float = NOW) -> float:
    """The interval of the net."""
    return rules.net_interval_s(subscription, now, TERMS)


def test_secrets_are_not_shown():
    """A subscription in a log or an error tells neither its secret nor its callback."""
    shown = repr(replace(NEW, secret="very-secret", token="unguessable", callback="https://us.example/unguessable"))
    assert "very-secret" not in shown
    assert "unguessable" not in shown


def test_how_it_stands():
    """From being asked to its end."""
    once = rules.asked(NEW, NOW, TERMS, 0.5)
    assert [stands(NEW), stands(once), stands(VERIFIED)] == [Standing.ASKED, Standing.ASKED, Standing.VERIFIED]
    assert stands(rules.asked(once, NOW, TERMS, 0.5)) is Standing.FAILING
    assert stands(rules.refused(once, "HTTP 500", NOW, 0)) is Standing.FAILING
    assert stands(VERIFIED, NOW + 25 * HOUR) is Standing.ASKED
    assert stands(rules.missed(VERIFIED, NOW)) is Standing.DISTRUSTED
    assert stands(rules.denied(VERIFIED, "no", NOW, TERMS)) is Standing.DENIED
    assert stands(rules.left(VERIFIED, NOW)) is Standing.LEAVING


def test_polls_are_rarer_only_while_pushes_are_proven():
    """Verified, delivered within a day, not distrusted: all three, or polling goes on as if there were no hub."""
    good = rules.delivered(VERIFIED, NOW)
    assert net(good) == HOUR
    assert [net(None), net(NEW), net(VERIFIED)] == [0, 0, 0]
    assert net(good, good.lease_end) == 0
    assert net(rules.missed(good, NOW)) == 0
    assert net(rules.left(good, NOW)) == 0
    assert net(rules.denied(good, "no", NOW, TERMS)) == 0
    assert net(replace(good, lease_end=NOW + 90 * HOUR), NOW + 25 * HOUR) == 0
    assert net(replace(good, delivered_at=NOW + HOUR)) == 0


def test_only_what_was_asked_is_confirmed():
    """By topic, by mode, and within an hour of the request; the same verification may come twice."""
    once = rules.asked(NEW, NOW, TERMS, 0.5)
    assert rules.confirms(once, "subscribe", NEW.topic, NOW)
    assert rules.confirms(VERIFIED, "subscribe", NEW.topic, NOW + 60)
    assert not rules.confirms(NEW, "subscribe", NEW.topic, NOW)
    assert not rules.confirms(once, "subscribe", NEW.topic + "/", NOW)
    assert not rules.confirms(once, "unsubscribe", NEW.topic, NOW)
    assert not rules.confirms(once, "publish", NEW.topic, NOW)
    assert not rules.confirms(once, "subscribe", NEW.topic, NOW + 2 * HOUR)
    gone = rules.left(VERIFIED, NOW)
    assert rules.confirms(gone, "unsubscribe", NEW.topic, NOW)
    assert not rules.confirms(gone, "subscribe", NEW.topic, NOW)


@given(st.integers(1, 40), st.floats(0, 0.999))
def test_a_hub_that_is_away_is_asked_ever_more_rarely(times: int, dice: float):
    """The wait grows to six hours and a little, and never to nothing."""
    one = NEW
    for _ in range(times):
        one = rules.asked(one, NOW, TERMS, dice)
    wait = one.next_ask - NOW
    assert TERMS.retry_s <= wait <= TERMS.retry_cap_s * 1.2
    assert times < 2 or wait >= min(2 * TERMS.retry_s, TERMS.retry_cap_s)


def test_what_a_hub_asks_to_wait_is_waited():
    """Retry-After prolongs the wait, and never shortens it."""
    once = rules.asked(NEW, NOW, TERMS, 0.0)
    assert rules.refused(once, "HTTP 429", NOW, 7200).next_ask == NOW + 7200
    assert rules.refused(once, "HTTP 429", NOW, 1).next_ask == once.next_ask


@given(st.floats(1, 1e12), st.floats(0, 0.999))
def test_a_lease_is_renewed_before_it_ends_but_not_all_the_time(lease_s: float, dice: float):
    """Within three quarters of it, unless it is shorter than a hub is ever asked; one of years is for a month."""
    one = rules.verified(NEW, lease_s, NOW, TERMS, dice)
    lease = one.lease_end - NOW
    assert lease <= rules.MAX_LEASE_S + 1
    again = one.next_ask - NOW
    assert again >= min(TERMS.least_s, again)
    assert again <= max(lease * 0.75, TERMS.least_s) + 1
    assert again >= TERMS.least_s - 1


def test_a_renewal_is_no_gap():
    """What is verified since when goes on over a renewal, and begins anew where a lease had ended before, or trust."""
    assert rules.verified(VERIFIED, HOUR, NOW + HOUR, TERMS, 0.5).verified_at == NOW
    assert rules.verified(VERIFIED, HOUR, NOW + 25 * HOUR, TERMS, 0.5).verified_at == NOW + 25 * HOUR
    assert rules.verified(rules.missed(VERIFIED, NOW + 1), HOUR, NOW + 9, TERMS, 0.5).verified_at == NOW + 9


def test_a_miss_needs_two_polls_within_the_subscription():
    """An entry may be older than the subscription, so it counts only if the poll before was within it too."""
    assert rules.answerable(VERIFIED, NOW + 1, NOW + HOUR, TERMS)
    assert not rules.answerable(VERIFIED, NOW - 1, NOW + HOUR, TERMS)
    assert not rules.answerable(VERIFIED, NOW + 1, NOW + 25 * HOUR, TERMS)
    assert not rules.answerable(rules.missed(VERIFIED, NOW + 2), NOW + 3, NOW + HOUR, TERMS)


@pytest.mark.parametrize(("misses", "hours"), [(1, 1), (2, 2), (5, 16), (60, 7 * 24)])
def test_who_misses_again_is_distrusted_longer(misses: int, hours: int):
    """Doubling from an hour to a week; a push within it does not shorten it, a month without a miss forgives."""
    one = rules.delivered(replace(VERIFIED, misses=misses, missed_at=NOW, lease_end=NOW + 900 * HOUR), NOW)
    assert stands(one, NOW + hours * HOUR - 1) is Standing.DISTRUSTED
    assert stands(one, NOW + hours * HOUR) is Standing.VERIFIED
    assert rules.delivered(one, NOW + 800 * HOUR).misses == 0


def test_parting_ends():
    """What no hub knows of is forgotten at once; what one knows of when its lease is over, or after five silences."""
    gone = rules.left(VERIFIED, NOW)
    assert rules.over(rules.left(NEW, NOW), NOW)
    assert not rules.over(VERIFIED, NOW + 99 * HOUR)
    assert not rules.over(gone, NOW)
    assert rules.over(rules.asked(gone, NOW, TERMS, 0.5), gone.lease_end + 1)
    for _ in range(5):
        assert not rules.over(gone, NOW)
        gone = rules.asked(gone, NOW, TERMS, 0.5)
    assert not rules.over(gone, NOW)
    assert rules.over(gone, gone.next_ask)


def test_a_denied_one_is_tried_again_after_a_week():
    """A no is not for ever, and is not asked about every hour."""
    one = rules.denied(VERIFIED, "x" * 5000, NOW, TERMS)
    assert one.next_ask == NOW + 7 * 24 * HOUR
    assert len(one.reason) == 200
    assert not rules.confirms(one, "subscribe", one.topic, NOW)
    assert rules.confirms(rules.asked(rules.retried(one), NOW, TERMS, 0.5), "subscribe", one.topic, NOW)


def test_a_bucket_holds_a_burst_and_refills():
    """Sixty pushes at once, then one a second; a clock that stands still or goes back gives nothing."""
    bucket = Bucket(at=NOW)
    for _ in range(int(BURST)):
        bucket = spent(bucket, NOW) or pytest.fail("a burst is less than sixty")
    assert spent(bucket, NOW) is None
    assert spent(bucket, NOW - 100) is None
    assert spent(bucket, NOW + 1) is not None
    full = spent(bucket, NOW + 1e6)
    assert full
    assert full.left == BURST - 1
