"""Standings: how many feeds stand how, kept as they change: counting tens of thousands each second takes a core."""

from __future__ import annotations

from collections import Counter

from connectors import metrics
from connectors.metrics import State
from connectors.store import FeedState


def standing(state: FeedState | None) -> State:
    """How a feed of that state stands."""
    if state is None:
        return State.WAITING
    if state.next_due is None:
        return State.STOPPED
    return State.FAILING if state.failures else State.OK


class Standings:
    """How each feed of this process stands."""

    def __init__(self) -> None:
        self._of: dict[str, State] = {}
        self._counts: Counter[State] = Counter()
        self.disabled = 0

    def set(self, feed_id: str, state: FeedState | None) -> None:
        """How a feed stands from now on."""
        self.drop(feed_id)
        self._of[feed_id] = standing(state)
        self._counts[self._of[feed_id]] += 1

    def drop(self, feed_id: str) -> None:
        """A feed is not this process's any more."""
        if (before := self._of.pop(feed_id, None)) is not None:
            self._counts[before] -= 1

    def tell(self) -> None:
        """Set the metrics."""
        for state in State:
            number = self.disabled if state is State.DISABLED else self._counts[state]
            metrics.FEEDS.labels(state.value).set(number)
