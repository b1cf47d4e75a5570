"""The parsers' processes, several at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import feedserver

from connectors.formats import Source
from connectors.outcome import Outcome
from connectors.parsers import Parsers

BODY = feedserver.rss().encode()


def of(host: str) -> Source:
    """Where a body of that host is from."""
    return Source(f"https://{host}.example/feed")


async def test_a_body_that_takes_long_holds_no_other_host_up():
    """While one host's body keeps its child busy for as long as it may, the other hosts' feeds are read.

    Its next one waits for it: a host that is slow must not take a second child.
    """
    async with Parsers(parse_s=30.0) as parsers, contextlib.AsyncExitStack() as stack:
        child = await stack.enter_async_context(parsers.child("slow"))
        await child.parse(BODY, of("slow"))
        assert child._child
        os.kill(child._child.pid, signal.SIGSTOP)
        slow = asyncio.create_task(child.parse(BODY, of("slow")))
        second = asyncio.create_task(parsers.parse(BODY, Source("https://slow/")))
        for name in ("one", "two", "three"):
            assert (await parsers.parse(BODY, of(name))).outcome is Outcome.OK
        assert not slow.done()
        assert not second.done()
        os.kill(child._child.pid, signal.SIGCONT)
        assert (await slow).outcome is Outcome.OK
        await stack.aclose()
        assert (await second).outcome is Outcome.OK


async def test_hosts_that_were_slow_share_one_child():
    """However many hosts are slow, they get no more than one of the children, and one that is quick again is let go."""
    async with Parsers() as parsers:
        for name in ("a", "b", "c"):
            parsers._judge(name, 5.0)
        async with parsers.child("a") as first:
            waits = asyncio.create_task(parsers.child("b").__aenter__())
            async with parsers.child("d") as one, parsers.child("e") as two:
                assert len({first, one, two}) == 3
            await asyncio.sleep(0)
            assert not waits.done()
            waits.cancel()
            await asyncio.gather(waits, return_exceptions=True)
        async with parsers.child("a") as now:
            assert now is not first
        assert not parsers._turns


async def test_children_are_started_when_they_are_needed():
    """A list that is read one feed after the other costs the memory of one child."""
    async with Parsers() as parsers:
        for name in ("a", "b", "c", "d"):
            assert (await parsers.parse(BODY, of(name))).outcome is Outcome.OK
        assert sum(child._child is not None for child in parsers._children) == 1
        pids = [child._child.pid for child in parsers._children if child._child]
    assert all(not os.path.exists(f"/proc/{pid}") for pid in pids)  # noqa: PTH110, ASYNC240  # a moment, after all is done
