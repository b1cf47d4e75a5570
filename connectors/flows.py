"""Flows: how much news comes in, told in every article, and remembered with the state of the feeds that bring it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol
from weakref import WeakKeyDictionary

from msgspec import structs

from connectors.store import Store
from pipeline.records import Article
from pipeline.records.flow import Flow, FlowMeter

SAVE_S = 60.0
NOTE = "flow"


class Parted(Protocol):
    """What knows where a feed's state is: ``Store``, ``Stores``."""

    def part(self, feed_id: str) -> Store:
        """Where a feed's state is."""


class Flows:
    """A meter for each shard, which goes where the shard goes. Articles a day are told as if all shards were alike."""

    def __init__(self, state: Parted) -> None:
        self._state = state
        self._meters: WeakKeyDictionary[Store, FlowMeter] = WeakKeyDictionary()
        self._due: WeakKeyDictionary[Store, float] = WeakKeyDictionary()

    def measured(self, feed_id: str, articles: Iterable[Article]) -> tuple[Article, ...]:
        """``articles`` of a feed, each with how much news comes in; the drill is no news."""
        store = self._state.part(feed_id)
        if (meter := self._meters.get(store)) is None:
            meter = self._meters[store] = FlowMeter.restored(store.noted(NOTE))

        def told(article: Article) -> Article:
            if article.drill:
                return article
            flow = meter.note(article.observed_at, article.source)
            return structs.replace(article, flow=_of_all(flow, store.shard.of))

        return tuple(told(article) for article in articles)

    def save(self, feed_id: str) -> None:
        """Once a minute: what is lost by a kill is a minute of counting.

        Raises:
            StoreError: It can't be written.
        """
        store = self._state.part(feed_id)
        if store in self._meters and time.monotonic() >= self._due.get(store, 0.0):
            store.note(NOTE, self._meters[store].saved())
            self._due[store] = time.monotonic() + SAVE_S


def resharded(saved: Iterable[str], of: int) -> tuple[str, ...]:
    """What shards had noted of how much comes in, for each of ``of`` shards: a day's articles are not told twice."""
    return tuple(meter.saved() for meter in FlowMeter.shared_out(map(FlowMeter.restored, saved), of))


def _of_all(flow: Flow, shards: int) -> Flow:
    return flow if shards == 1 else structs.replace(flow, articles=flow.articles * shards)
