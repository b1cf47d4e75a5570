"""Asking: the loop that asks hubs for what is due, few at once and fewer of one host."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import count

from connectors.rests import hostname
from connectors.websub.hub import HubClient
from connectors.websub.subscriber import Subscriber
from connectors.websub.subscription import Subscription

MAX_REQUESTS = 8
MAX_REQUESTS_A_HOST = 2
TURN_S = 1.0
COUNT_TURNS = 10
"""Between two counts of how the subscriptions stand."""


class Asking:
    """Asks hubs until it is cancelled."""

    def __init__(self, subscriber: Subscriber, client: HubClient, turn_s: float = TURN_S) -> None:
        """Look every ``turn_s`` seconds for what is due."""
        self._subscriber = subscriber
        self._client = client
        self._turn_s = turn_s
        self._under_way: dict[asyncio.Task[None], Subscription] = {}

    async def run(self) -> None:
        """Ask, for ever.

        Raises:
            BrinkwatchError: A subscription can't be written down.
        """
        try:
            for turn in count():
                self._start_due()
                if not turn % COUNT_TURNS:
                    self._subscriber.count()
                await asyncio.sleep(self._turn_s)
                for task in [task for task in self._under_way if task.done()]:
                    del self._under_way[task]
                    task.result()
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    def _start_due(self) -> None:
        hosts = Counter(hostname(one.hub) for one in self._under_way.values())
        asked = {one.token for one in self._under_way.values()}
        for one in self._subscriber.due():
            if len(self._under_way) >= MAX_REQUESTS:
                return
            if one.token not in asked and hosts[hostname(one.hub)] < MAX_REQUESTS_A_HOST:
                hosts[hostname(one.hub)] += 1
                self._under_way[asyncio.create_task(self._ask(one))] = one

    async def _ask(self, one: Subscription) -> None:
        form = self._subscriber.asking(one)
        if form is None:
            return
        answer = await self._client.ask(one.hub, form)
        if not answer.accepted:
            self._subscriber.refused(one, answer.error, answer.retry_after_s)
