"""How much is in hand."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import pytest
from feedserver import rss
from loopback import NETWORKS

from connectors.fetch import Fetcher, Limits, Manner, user_agent
from connectors.hand import LARGE, SMALL, Hand
from connectors.metrics import Kind
from connectors.outcome import Outcome

if TYPE_CHECKING:
    from feedserver import FeedServer


async def test_while_much_is_in_hand_there_is_no_room():
    """Who wants more waits until enough was let go; one body over the limit is held, and closes the room alone."""
    hand = Hand(100)
    with hand.holding(500):
        waiting = asyncio.create_task(hand.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        with hand.holding(60):
            pass
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5)
    with hand.holding(60):
        await asyncio.wait_for(hand.room(), 5)
        with hand.holding(40):
            assert hand.held == 100
            waiting = asyncio.create_task(hand.room())
            await asyncio.sleep(0)
            assert not waiting.done()
    await asyncio.wait_for(waiting, 5)
    assert hand.held == 0


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("full", [False, True])
async def test_only_a_few_large_bodies_are_read_at_once(server: FeedServer, packed: bool, full: bool):
    """Where as many are being read as may be, or much is in hand, a large one waits for its time-out; a small one goes.

    A body that is small on the wire and large when unpacked counts as what it is.
    """
    large = rss(2000)
    assert len(large) > SMALL > len(gzip.compress(large.encode()))
    hand = Hand()
    async with Fetcher(user_agent(), Limits(total_s=1.0), allowed=NETWORKS, hand=hand) as fetcher:
        if full:
            hand._add(10**9)
        else:
            fetcher._large._value -= LARGE
        assert (await fetcher.fetch(server.url("/feed"))).outcome is Outcome.OK
        server.body, server.packed = large, packed
        assert (await fetcher.fetch(server.url("/feed"))).outcome is Outcome.TIMEOUT
        if full:
            hand._add(-(10**9))
        else:
            fetcher._large._value += LARGE
        assert (await fetcher.fetch(server.url("/feed"))).body == large.encode()
        assert fetcher._large._value == LARGE


async def test_a_page_waits_for_nobodys_hand(server: FeedServer):
    """What is in hand may be waiting for that page; and feeds that wait for room keep no page from being read."""
    server.body = rss(2000)
    hand = Hand()
    async with Fetcher(user_agent(), Limits(total_s=5.0), allowed=NETWORKS, hand=hand) as fetcher:
        hand._add(10**9)
        fetcher._large._value -= LARGE
        fetched = await fetcher.fetch(server.url("/feed"), manner=Manner(Kind.PAGE))
    assert fetched.outcome is Outcome.OK
