"""WebSub beside the polls of connect: put together here, and off unless a callback address is set."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from config.errors import BrinkwatchError
from config.feeds import Feed
from config.networks import networks
from config.settings import Settings
from connectors.fetch import user_agent
from connectors.poll import Poller
from connectors.shards import pinned
from connectors.websub.asking import TURN_S, Asking
from connectors.websub.hub import HubClient
from connectors.websub.listener import Listener, listening
from connectors.websub.pushes import Pushes, Up
from connectors.websub.store import SubscriptionStore
from connectors.websub.subscriber import Subscriber
from connectors.websub.subscription import Terms

log = logging.getLogger(__name__)


@asynccontextmanager
async def subscribed(
    settings: Settings,
    feeds: Sequence[Feed],
    poller: Poller,
    delivery: Up,
    *,
    terms: Terms | None = None,
    turn_s: float = TURN_S,
) -> AsyncIterator[Subscriber | None]:
    """Subscribe to hubs that polled feeds name, and take what they push, while the context lasts.

    Gives the subscriber, whose ``follow`` takes a changed list of feeds; None where WebSub is off.

    Raises:
        BrinkwatchError: The address to listen on can't be had, or the subscriptions can't be read.
    """
    if not settings.websub_callback_url:
        yield None
        return
    async with AsyncExitStack() as stack:
        of = settings.connect_shards
        pins = pinned(settings.connect_shard, of)
        store = stack.enter_context(SubscriptionStore(settings.data_dir / "connectors", pins, of))
        subscriber = Subscriber(settings.websub_callback_url, store, terms)
        subscriber.follow(feeds)
        poller.on_shown, poller.net_s = subscriber.note, subscriber.net_s
        client = await stack.enter_async_context(
            HubClient(user_agent(settings.contact), networks(settings.fetch_allow_networks), settings.fetch_proxy)
        )
        pushes = Pushes(subscriber, poller, delivery)
        stack.push_async_callback(pushes.close)
        listener = Listener(subscriber, pushes)
        await stack.enter_async_context(listening(listener, settings.websub_host, settings.websub_port))
        log.info("listening for pushes", extra={"fields": {"port": settings.websub_port}})
        asking = asyncio.create_task(Asking(subscriber, client, turn_s).run())
        asking.add_done_callback(_tell)
        stack.push_async_callback(_ended, asking)
        yield subscriber


async def _ended(asking: asyncio.Task[None]) -> None:
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


def _tell(asking: asyncio.Task[None]) -> None:
    """Say why hubs are asked no more: leases end then, and polling takes over."""
    if not asking.cancelled() and (error := asking.exception()) is not None:
        known = isinstance(error, BrinkwatchError)  # its text says it all
        log.error("hubs are asked no more: %s", error, exc_info=None if known else error)
