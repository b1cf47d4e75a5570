"""Looking names up."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from loopback import NETWORKS

from connectors.fetch import Fetcher, Limits
from connectors.lookup import Lookup
from connectors.outcome import Outcome

if TYPE_CHECKING:
    from feedserver import FeedServer


async def test_names_of_the_system():
    """A name has its addresses, one that is none has an error of the system's."""
    lookup = Lookup()
    found = await lookup.resolve("localhost", 80, socket.AF_UNSPEC)  # type: ignore[arg-type]  # as aiohttp asks
    assert "127.0.0.1" in {each["host"] for each in found}
    with pytest.raises(OSError):
        await lookup.resolve("no-such-host.invalid", 80)
    await lookup.close()


async def test_names_that_never_answer_hold_nothing_else_up(server: FeedServer, monkeypatch: pytest.MonkeyPatch):
    """Three hundred look-ups that hang end as timeouts; meanwhile another feed is read, and the loop is free."""
    over = threading.Event()
    real = socket.getaddrinfo

    def hanging(host: str, *rest: object) -> object:
        if host.endswith(".stuck.example"):
            over.wait(20)
        return real(host, *rest)  # type: ignore[call-overload]  # passed through

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    try:
        async with Fetcher("test", Limits(total_s=2.0, connect_s=1.0), allowed=NETWORKS) as fetcher:
            stuck = [asyncio.create_task(fetcher.fetch(f"http://{n}.stuck.example/")) for n in range(300)]
            await asyncio.sleep(0.1)
            fetched = await fetcher.fetch(server.url("/feed").replace("127.0.0.1", "localhost"))
            assert await asyncio.to_thread(lambda: "free") == "free"
            assert not any(task.done() for task in stuck)
            assert {(await task).outcome for task in stuck} == {Outcome.TIMEOUT}
            names = sum(each.name == "lookup" for each in threading.enumerate())
            assert (await fetcher.fetch("http://0.stuck.example/")).outcome is Outcome.TIMEOUT
            assert sum(each.name == "lookup" for each in threading.enumerate()) == names
    finally:
        over.set()
    assert fetched.outcome is Outcome.OK
