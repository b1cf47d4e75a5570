"""How much is in hand."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import pytest
from feedserver import rss

from connectors.fetch import Fetcher, Limits, user_agent
from connectors.hand import MOST, SMALL, Hand
from connectors.outcome import Outcome

if TYPE_CHECKING:
    from feedserver import FeedServer


async def hold(hand: Hand, size: int, until: asyncio.Event, order: list[int]) -> None:
    """Hold so many bytes until the event."""
    async with hand.holding(size):
        order.append(size)
        await until.wait()


async def started(hand: Hand, sizes: list[int], until: asyncio.Event, order: list[int]) -> list[asyncio.Task[None]]:
    """One task for each size, each run until it waits."""
    tasks = [asyncio.create_task(hold(hand, size, until, order)) for size in sizes]
    await asyncio.sleep(0)
    return tasks


async def test_more_than_there_is_room_for_waits_in_order():
    """No more bytes than the limit are held at once, and a large one is not overtaken for ever by small ones."""
    hand, go, order = Hand(100), asyncio.Event(), []
    tasks = await started(hand, [60, 50, 10], go, order)
    assert (order, hand.held) == ([60], 60)
    go.set()
    await asyncio.gather(*tasks)
    assert (order, hand.held) == ([60, 50, 10], 0)


async def test_one_larger_than_the_limit_goes_alone():
    """A body over the limit must not wait for ever."""
    hand, go, order = Hand(100), asyncio.Event(), []
    tasks = await started(hand, [500, 1], go, order)
    assert order == [500]
    go.set()
    await asyncio.gather(*tasks)
    assert hand.held == 0


@pytest.mark.parametrize("admitted", [False, True])
async def test_given_up_while_waiting_it_holds_nothing(admitted: bool):
    """A poll that is cancelled leaves its room to the next, at the very moment at which it got it too."""
    hand, go, order = Hand(100), asyncio.Event(), []
    first, second, third = await started(hand, [100, 90, 20], go, order)
    if admitted:
        hand.held -= 100
        hand._admit()
        hand.held += 100
        second.cancel()
    else:
        second.cancel()
    go.set()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert order == [100, 20]
    assert hand.held == 0


@pytest.mark.parametrize("packed", [False, True])
async def test_only_a_few_large_bodies_are_read_at_once(server: FeedServer, packed: bool):
    """Where as many large ones are being read as may be, another one waits for its time-out, and a small one does not.

    A body that is small on the wire and large when unpacked counts as what it is.
    """
    large = rss(2000)
    assert len(large) > SMALL > len(gzip.compress(large.encode()))
    async with Fetcher(user_agent(), Limits(total_s=1.0)) as fetcher:
        async with fetcher._hand.holding(MOST):
            assert (await fetcher.fetch(server.url("/feed"))).outcome is Outcome.OK
            server.body, server.packed = large, packed
            assert (await fetcher.fetch(server.url("/feed"))).outcome is Outcome.TIMEOUT
        fetched = await fetcher.fetch(server.url("/feed"))
    assert fetched.body == large.encode()
    assert fetcher._hand.held == 0
