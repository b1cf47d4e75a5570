"""Following: what goes on beside the polls: the list is read again, and shards are taken and given up."""

from __future__ import annotations

import asyncio
import logging
import time

from config.errors import ConfigError
from config.feed_lists import FeedLists
from connectors import metrics, shards
from connectors.loop import Connector
from connectors.poll import Poller
from connectors.rests import RESTS
from connectors.store import Store
from connectors.stores import Stores

log = logging.getLogger(__name__)
LIST_S = 1.0
SHARDS_S = 2.0


async def follow_lists(connector: Connector, lists: FeedLists) -> None:
    """Look at the files each second, for ever; where one is wrong, the feeds stay as they were."""
    while True:
        await asyncio.sleep(LIST_S)
        if not lists.changed():
            continue
        try:
            feeds = await asyncio.to_thread(lists.read)
        except ConfigError as error:
            metrics.LIST_GOOD.set(0)
            for fault in error.faults:
                log.error("the changed list of feeds is not used: %s", fault)  # noqa: TRY400  # faults say it all
        else:
            connector.adopt(feeds)
            metrics.LIST_GOOD.set(1)
            metrics.LIST_LOADED.set_to_current_time()


class Sharing:
    """Holds this process's share of the shards, as others come and go."""

    def __init__(self, connector: Connector, poller: Poller, stores: Stores) -> None:
        self._connector = connector
        self._poller = poller
        self._stores = stores

    async def follow(self) -> None:
        """Look every two seconds, for ever.

        Raises:
            StoreError: A shard's state can't be used.
        """
        while True:
            await self.look()
            await asyncio.sleep(SHARDS_S)

    async def look(self) -> None:
        """Give up what is above the share, take what is free below it.

        Raises:
            StoreError: A shard's state can't be used.
        """
        held = [number for number in self._stores.held if number not in self._stores.retired]
        move = shards.move(held, self._stores.goal())
        for number in move.leave:
            self._stores.retire(number)
            self._connector.drop(self._feeds(number))
        back = self._stores.retired[: move.want]
        for number in back:
            self._stores.retire(number, retired=False)
            self._connector.line_up(self._feeds(number))
        self._leave_idle()
        taken = await self._take(move.want - len(back))
        if move.leave or back or taken:
            self._connector.tell_feeds()
        metrics.SHARDS.set(len(self._stores.held))

    def _leave_idle(self) -> None:
        busy = {self._stores.number(name) for name in self._connector.polling()}
        for number in self._stores.retired:
            if number not in busy:
                self._poller.forget(self._feeds(number))
                self._stores.leave(number)
                log.info("a shard is given up", extra={"fields": {"shard": number, "of": self._stores.of}})

    async def _take(self, want: int) -> int:
        """Take up to so many shards that are free; how many it got."""
        taken = 0
        for number in self._stores.wanted():
            if taken >= want:
                break
            store = await asyncio.to_thread(_opened, self._stores, number)
            if self._stores.hold(number, store):
                taken += 1
                self._poller.adopt(self._stores.feeds_of(number), self._stores.noted_of(number, RESTS))
                feeds = self._feeds(number)
                self._connector.line_up(feeds)
                fields = {"shard": number, "of": self._stores.of, "feeds": len(feeds)}
                log.info("a shard is taken", extra={"fields": fields})
        return taken

    def _feeds(self, number: int) -> list[str]:
        return [name for name in self._connector.listed if self._stores.number(name) == number]


def _opened(stores: Stores, number: int) -> Store | None:
    store = stores.opened(number)
    if store is not None:
        store.prune(time.time())
    return store
