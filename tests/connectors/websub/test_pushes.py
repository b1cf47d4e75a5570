"""Pushes that are not taken, and why: the bounds that sockets reach only slowly."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import hub
import pytest

from config.feeds import Feed
from connectors.outcome import Outcome
from connectors.store import FeedState, StoreError
from connectors.websub import pushes
from connectors.websub.outcome import Pushed
from connectors.websub.pushes import Push, Pushes
from connectors.websub.store import SubscriptionStore
from connectors.websub.subscriber import Subscriber
from connectors.websub.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FEED = Feed(id="wire", url="https://wire.example/feed")
ONE = Subscription(
    token="t", feed="wire", feed_url=FEED.url, topic=FEED.url, hub="https://hub.example/",
    callback="https://us.example/t", secret="s", base=FEED.url, made_at=1.0,
)  # fmt: skip
BODY = hub.rss(1)


class Wire:
    """A body that comes in pieces, and then ends, breaks off, or never goes on."""

    def __init__(self, *parts: bytes, then: Exception | None = None, stuck: bool = False) -> None:
        self._parts, self._then, self._stuck = list(parts), then, stuck

    async def readany(self) -> bytes:
        if self._parts:
            return self._parts.pop(0)
        if self._then:
            raise self._then
        if self._stuck:
            await asyncio.sleep(3600)
        return b""


class Reader:
    """A poller that has polled the feed, or not, and takes bodies as it is told."""

    def __init__(self, *, polled: bool = True, error: Exception | None = None, wait: asyncio.Event | None = None):
        self._polled, self._error, self._wait = polled, error, wait
        self.taken: list[bytes] = []

    def state(self, feed: Feed) -> FeedState | None:
        return FeedState(feed.id, feed.url, Outcome.OK) if self._polled else None

    async def take(self, _: Feed, fetched: Any, __: object, asked: str = "") -> Any:
        assert not asked
        if self._wait:
            await self._wait.wait()
        if self._error:
            raise self._error
        self.taken.append(fetched.body)
        return SimpleNamespace(outcome=Outcome.OK)


@contextmanager
def taking(folder: Path, reader: Reader, answer_s: float = pushes.ANSWER_S) -> Iterator[Pushes]:
    """What takes pushes of one subscription."""
    with SubscriptionStore(folder) as store:
        store.put(ONE)
        subscriber = Subscriber("https://us.example", store)
        subscriber.follow([FEED])
        yield Pushes(subscriber, reader, SimpleNamespace(up=True), answer_s)


def push(**changed: str) -> Push:
    """A push that is as it should be, but for what is changed."""
    values = {"token": "t", "signature": hub.signed("s", BODY), "content_type": "", "encoding": ""}
    return Push(**{**values, **changed})


async def test_a_body_in_pieces_is_whole(tmp_path: Path):
    """The signature is of all of it."""
    reader = Reader()
    with taking(tmp_path, reader) as take:
        assert await take.take(push(), Wire(BODY[:7], BODY[7:])) is Pushed.DELIVERED
    assert reader.taken == [BODY]


async def test_a_body_that_breaks_off_or_stops_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A sender that is gone, or slower than a body may be, holds no place."""
    monkeypatch.setattr(pushes, "BODY_S", 0.1)
    reader = Reader()
    with taking(tmp_path, reader) as take:
        assert await take.take(push(), Wire(BODY[:7], then=ConnectionResetError())) is Pushed.BROKEN
        assert await take.take(push(), Wire(BODY[:7], stuck=True)) is Pushed.BROKEN
    assert reader.taken == []


async def test_few_at_once(tmp_path: Path):
    """The ninth of nine is told to come again, without its body being read; when one ends there is room."""
    wait = asyncio.Event()
    with taking(tmp_path, Reader(wait=wait)) as take:
        tasks = [asyncio.create_task(take.take(push(), Wire(BODY))) for _ in range(8)]
        await asyncio.sleep(0)
        assert await take.take(push(), Wire(stuck=True)) is Pushed.BUSY
        wait.set()
        assert await asyncio.gather(*tasks) == [Pushed.DELIVERED] * 8
        assert await take.take(push(), Wire(BODY)) is Pushed.DELIVERED


async def test_what_takes_long_goes_on_behind_the_answer(tmp_path: Path):
    """The hub is told to come again; meanwhile nothing of the feed is begun anew, and the work is not lost."""
    wait = asyncio.Event()
    reader = Reader(wait=wait)
    with taking(tmp_path, reader, answer_s=0.05) as take:
        assert await take.take(push(), Wire(BODY)) is Pushed.UNACKNOWLEDGED
        assert await take.take(push(), Wire(stuck=True)) is Pushed.BUSY
        wait.set()
        await asyncio.gather(*take._late)
        assert reader.taken == [BODY]
        assert await take.take(push(), Wire(BODY)) is Pushed.DELIVERED


async def test_the_end_waits_for_no_push(tmp_path: Path):
    """What is still under way when the process ends is given up, and leaves no task behind."""
    reader = Reader(wait=asyncio.Event())
    with taking(tmp_path, reader, answer_s=0.01) as take:
        assert await take.take(push(), Wire(BODY)) is Pushed.UNACKNOWLEDGED
        await take.close()
        assert (take._late, reader.taken) == ({}, [])


async def test_a_feed_that_was_never_polled_is_not_read(tmp_path: Path):
    """Where the state of polling was lost, what is new can't be told; the hub comes again when it can."""
    reader = Reader(polled=False)
    with taking(tmp_path, reader) as take:
        assert await take.take(push(), Wire(BODY)) is Pushed.EARLY
    assert reader.taken == []


async def test_a_full_disk_is_no_acknowledgement(tmp_path: Path):
    """What can't be written down is not answered with 200."""
    with taking(tmp_path, Reader(error=StoreError("writing failed: disk full"))) as take:
        assert await take.take(push(), Wire(BODY)) is Pushed.UNACKNOWLEDGED


async def test_what_nobody_foresaw_is_one_push_s_end(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """It has a label and a trace, and does not reach the hub as an error of the listener."""
    with taking(tmp_path, Reader(error=ValueError("odd"))) as take:
        assert await take.take(push(), Wire(BODY)) is Pushed.UNREADABLE
    assert any(record.exc_info for record in caplog.records)
