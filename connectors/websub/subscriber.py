"""Subscriber: our subscriptions, one for each feed that names a hub. What to do is decided in ``subscription``."""

from __future__ import annotations

import logging
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from config.feeds import Feed
from config.redaction import shown
from connectors import metrics
from connectors.shown import Shown
from connectors.websub import subscription as rules
from connectors.websub.discovery import Found, chosen, discover
from connectors.websub.outcome import Standing
from connectors.websub.quoted import quoted
from connectors.websub.store import SubscriptionStore
from connectors.websub.subscription import Subscription, Terms

log = logging.getLogger(__name__)
SECRET_BYTES = 32
NOTE_S = 60.0
MAX_TOPIC = 2_048


@dataclass(frozen=True, slots=True)
class _Awaited:
    """Entries that a poll found and that a push may still bring, until a moment."""

    ids: frozenset[str]
    until: float


class Subscriber:
    """Which subscriptions there are; each change is on disk before anything is said to a hub."""

    def __init__(
        self,
        prefix: str,
        store: SubscriptionStore,
        terms: Terms | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Subscribe with callbacks under ``prefix``, as ``terms`` say, by a clock of Unix seconds."""
        self._prefix = prefix.rstrip("/")
        self._store = store
        self._terms = terms or Terms()
        self._clock = clock
        self._begun = clock()
        self._dice = random.Random()  # noqa: S311  # spreads requests, guards nothing
        self._feeds: dict[str, Feed] = {}
        self._all = {subscription.token: subscription for subscription in store.all()}
        self._of_feed = {one.feed: one.token for one in self._all.values() if not one.leaving}
        self._awaited: dict[str, _Awaited] = {}

    def follow(self, feeds: Iterable[Feed]) -> None:
        """From now on these are the feeds: subscriptions of others, or of another address, are ended."""
        self._feeds = {feed.id: feed for feed in feeds if feed.enabled}
        for one in tuple(self._all.values()):
            feed = self._feeds.get(one.feed)
            if one.leaving:
                continue
            if feed is None or feed.url != one.feed_url:
                self._leave(one)
            elif one.callback != self._callback(one.token):  # hubs know us under an address of former times
                self._drop(one)
                self._make(feed, Found(one.topic, (one.hub,), one.base), one.hub)

    def feed(self, token: str) -> tuple[Feed, Subscription] | None:
        """Whose pushes come under ``token``; None where nobody's do."""
        one = self._all.get(token)
        feed = self._feeds.get(one.feed) if one else None
        return (feed, one) if one and feed and not one.leaving else None

    def known(self, token: str) -> bool:
        """Whether ``token`` is of a subscription, also of one that is being ended."""
        return token in self._all

    def net_s(self, feed: Feed) -> float:
        """The least seconds to the next poll of ``feed``, spread a little; 0 where pushes don't stand in for it."""
        if feed.id in self._awaited:
            return 0.0
        least = rules.net_interval_s(self._of(feed), self._clock(), self._terms)
        return min(least, feed.cap_s if feed.adapts else least) * (0.9 + 0.2 * self._dice.random())

    def note(self, shown: Shown) -> None:
        """A body was read: look for hubs in a polled one, and whether pushes bring what polls find."""
        if shown.pushed:
            awaited = self._awaited.get(shown.feed.id)
            if awaited and awaited.ids & shown.ids:
                del self._awaited[shown.feed.id]
            return
        one = self._of(shown.feed)
        now = self._clock()
        ours = shown.before < self._begun  # what was pushed while nobody listened is not the hub's fault
        if one and shown.fresh and not ours and rules.answerable(one, shown.before, now, self._terms):
            self._awaited.setdefault(shown.feed.id, _Awaited(shown.fresh, now + self._terms.grace_s))
        if shown.feed.id in self._feeds:
            self._discovered(shown.feed, one, discover(shown.feed.url, shown.fetched, shown.parsed), now)

    def delivered(self, one: Subscription) -> None:
        """A genuine push came; written down once a minute, for what hangs on it is counted in hours."""
        now = self._clock()
        current = self._all.get(one.token)
        if current and now - current.delivered_at >= min(NOTE_S, self._terms.recent_s / 10):
            self._put(rules.delivered(current, now))

    def confirm(self, token: str, query: Mapping[str, str]) -> str | None:
        """What to answer a hub that verifies our intent, or says no; None: that it is none of ours."""
        one = self._all.get(token)
        if one is None or len(query.get("hub.topic", "")) > MAX_TOPIC:
            return None
        mode, topic, now = query.get("hub.mode", ""), query.get("hub.topic", ""), self._clock()
        if mode == "denied" and topic == one.topic:
            return self._denied(one, query.get("hub.reason", ""), now)
        challenge = query.get("hub.challenge", "")
        if not challenge or not rules.confirms(one, mode, topic, now):
            return None
        if mode == "unsubscribe":
            self._drop(one)
        else:
            lease = _lease(query.get("hub.lease_seconds", ""), self._terms.lease_s)
            self._put(rules.verified(one, lease, now, self._terms, self._dice.random()))
        _say(f"{mode} verified", one)
        return challenge

    def due(self) -> list[Subscription]:
        """Of which subscriptions the hub is to be asked now, those that wait longest first."""
        now = self._clock()
        self._distrust(now)
        due = [one for one in self._all.values() if one.next_ask <= now]
        for one in due:
            if rules.over(one, now):
                self._drop(one)
        return sorted((one for one in due if one.token in self._all), key=lambda one: one.next_ask)

    def asking(self, one: Subscription) -> dict[str, str] | None:
        """The form to send to the hub, its request written down; None where there is nothing to ask any more."""
        current = self._all.get(one.token)
        if current is None:
            return None
        current = rules.retried(current) if current.denied_at and not current.leaving else current
        self._put(rules.asked(current, self._clock(), self._terms, self._dice.random()))
        form = {
            "hub.mode": "unsubscribe" if current.leaving else "subscribe",
            "hub.topic": current.topic,
            "hub.callback": current.callback,
        }
        if not current.leaving:
            form |= {"hub.lease_seconds": f"{self._terms.lease_s:.0f}", "hub.secret": current.secret}
        return form

    def refused(self, one: Subscription, why: str, retry_after_s: float) -> None:
        """The hub did not accept a request; unless it has verified it meanwhile, that is kept."""
        why = quoted(why, one.token, one.secret)
        current = self._all.get(one.token)
        if current and current.failures:
            self._put(rules.refused(current, why, self._clock(), retry_after_s))
        _say(f"the hub did not accept a request: {why}", one, logging.WARNING)

    def count(self) -> None:
        """Tell the metrics how the subscriptions stand."""
        now = self._clock()
        counts = Counter(rules.standing(one, now, self._terms) for one in self._all.values())
        for standing in Standing:
            metrics.SUBSCRIPTIONS.labels(standing.value).set(counts[standing])

    def _of(self, feed: Feed) -> Subscription | None:
        one = self._all.get(self._of_feed.get(feed.id, ""))
        return one if one and one.feed_url == feed.url else None

    def _discovered(self, feed: Feed, one: Subscription | None, found: Found, now: float) -> None:
        if one is None:
            if found.hubs:
                self._make(feed, found, found.hubs[0])
            return
        if found.base != one.base:
            one = replace(one, base=found.base)
            self._put(one)
        hub = chosen(found, one.hub, one.failures) if found.hubs else ""
        if (hub, found.topic) == (one.hub, one.topic) or now - one.made_at < self._terms.change_s:
            return
        self._leave(one)
        if hub:
            self._make(feed, found, hub)

    def _make(self, feed: Feed, found: Found, hub: str) -> None:
        token, now = secrets.token_urlsafe(SECRET_BYTES), self._clock()
        one = Subscription(
            token=token,
            feed=feed.id,
            feed_url=feed.url,
            topic=found.topic,
            hub=hub,
            callback=self._callback(token),
            secret=secrets.token_urlsafe(SECRET_BYTES),
            base=found.base,
            made_at=now,
            next_ask=now + self._terms.spread_s * self._dice.random(),
        )
        self._of_feed[feed.id] = token
        self._put(one)

    def _leave(self, one: Subscription) -> None:
        if self._of_feed.get(one.feed) == one.token:
            del self._of_feed[one.feed]
        self._awaited.pop(one.feed, None)
        self._put(rules.left(one, self._clock()))

    def _denied(self, one: Subscription, why: str, now: float) -> str:
        reason = quoted(why, one.token, one.secret)  # it is the hub's, and may hold anything
        if one.leaving:
            self._drop(one)
        else:
            self._put(rules.denied(one, reason, now, self._terms))
        _say(f"the hub denies it: {reason}", one, logging.WARNING)
        return ""

    def _distrust(self, now: float) -> None:
        for feed_id in [feed_id for feed_id, awaited in self._awaited.items() if awaited.until <= now]:
            del self._awaited[feed_id]
            if one := self._all.get(self._of_feed.get(feed_id, "")):
                metrics.MISSES.inc()
                self._put(rules.missed(one, now))
                _say("a poll found what no push had brought", one, logging.WARNING)

    def _callback(self, token: str) -> str:
        return f"{self._prefix}/{token}"

    def _put(self, one: Subscription) -> None:
        self._store.put(one)
        self._all[one.token] = one

    def _drop(self, one: Subscription) -> None:
        self._store.drop(one.token)
        self._all.pop(one.token, None)
        if self._of_feed.get(one.feed) == one.token:
            del self._of_feed[one.feed]


def _lease(text: str, asked_s: float) -> float:
    """The lease that a hub grants; where it does not say, or not in a number, what was asked for."""
    usable = text.isascii() and text.isdigit() and len(text) <= 12 and int(text) > 0  # noqa: PLR2004  # digits of 30,000 years
    return float(text) if usable else asked_s


def _say(what: str, one: Subscription, level: int = logging.INFO) -> None:
    """Neither the callback nor the secret: whoever reads the log could push. What the hub says may quote addresses."""
    fields = {"feed": one.feed, "hub": shown(one.hub)}
    log.log(level, "%s: WebSub: %s", one.feed, shown(what), extra={"fields": fields})
