"""Who sends an article that two feeds show at once."""

from __future__ import annotations

import asyncio

import pytest

from connectors.claims import Claims


async def test_who_comes_second_waits_and_claims_nothing_meanwhile():
    """So two that want the same in another order can't wait for each other; afterwards all of it is free."""
    claims = Claims()
    async with claims.claimed() as first:
        assert not await first.waited(["a", "b"])
        assert not await first.waited(["b", "c"])
        async with claims.claimed() as second, claims.claimed() as third:
            waiting = asyncio.create_task(second.waited(["d", "b"]))
            await asyncio.sleep(0)
            assert not await third.waited(["d"])
            assert not waiting.done()
            first.end()
            assert await waiting
            assert not await second.waited(["b"])
    assert claims._held == {}


async def test_nobody_waits_for_ever():
    """Who has waited long enough in all goes on, and what others hold stays theirs."""
    claims = Claims(wait_s=0.05)
    async with claims.claimed() as first:
        assert not await first.waited(["a"])
        async with claims.claimed() as second:
            assert await second.waited(["a", "b"])
            assert not await second.waited(["a", "b"])
        assert set(claims._held) == {"a"}


async def test_a_poll_that_fails_lets_go():
    """Given up, its articles are the next one's."""
    claims = Claims()

    async def poll() -> None:
        async with claims.claimed() as claim:
            await claim.waited(["a"])
            await asyncio.sleep(3600)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(poll(), 0.02)
    assert claims._held == {}
