"""How much is in hand."""

from __future__ import annotations

import asyncio

import pytest

from connectors.hand import Hand


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
