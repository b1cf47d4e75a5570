"""Delivery against a real broker that goes away."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from samples import article

from connectors import deliver
from connectors.deliver import Delivery

if TYPE_CHECKING:
    from brokers import Broker


def senders() -> int:
    """How many sending threads of producers are alive."""
    return sum(type(thread).__module__ == "kafka.producer.sender" for thread in threading.enumerate())


@pytest.mark.slow
async def test_a_batch_that_expires_takes_no_other_down(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """While one poll's articles expire and another's are on their way, both go on, and no thread is left behind.

    The log tells why once, not that the others' producer was closed.
    """
    monkeypatch.setattr(deliver, "REQUEST_MS", 1000)
    monkeypatch.setattr(deliver, "ACKNOWLEDGE_MS", 2500)
    before = senders()
    async with Delivery(broker.settings("deliver")) as delivery:
        await delivery.send([article(article_id="0" * 32)])
        await asyncio.to_thread(broker.kafka.kill)
        try:
            early = asyncio.create_task(delivery.send([article(article_id="1" * 32)]))
            await asyncio.sleep(1.5)
            late = asyncio.create_task(delivery.send([article(article_id="2" * 32)]))
            async with asyncio.timeout(20):
                while delivery.up and not early.done():  # noqa: ASYNC110  # a thread of kafka-python's ends the wait
                    await asyncio.sleep(0.05)
        finally:
            await asyncio.to_thread(broker.kafka.start)
        await asyncio.wait_for(asyncio.gather(early, late), 90)
        assert senders() == before + 1
    assert senders() == before
    told = [str(getattr(record, "fields", "")) for record in caplog.records]
    assert sum("Expiring" in each for each in told) == 1
    assert not any("closed forcefully" in each for each in told)


@pytest.mark.slow
async def test_an_end_in_the_middle_is_no_error(broker: Broker, monkeypatch: pytest.MonkeyPatch):
    """A stop while articles are on their way to a broker that is gone ends the producer and raises nothing."""
    monkeypatch.setattr(deliver, "FLUSH_S", 0.2)
    before = senders()
    async with Delivery(broker.settings("deliver")) as delivery:
        await delivery.send([article(article_id="0" * 32)])
        await asyncio.to_thread(broker.kafka.kill)
        try:
            task = asyncio.create_task(delivery.send([article(article_id="1" * 32)]))
            await asyncio.sleep(0.3)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await delivery.__aexit__()
            assert senders() == before
        finally:
            await asyncio.to_thread(broker.kafka.start)
