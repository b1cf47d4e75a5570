"""Heartbeats: what is sent, when, and that extract really reads it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from config.settings import load_settings
from connectors.heartbeat import beat, heartbeat
from pipeline.extraction.engine import Engine
from pipeline.records import Article, decode, encode

SENT = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


class Delivery:
    """Takes what it is sent, and ends the beat after some."""

    def __init__(self, most: int) -> None:
        self.sent: list[Article] = []
        self.asked, self._most = 0, most

    async def ready(self) -> None:
        self.asked += 1

    async def send(self, articles):
        self.sent += articles
        if len(self.sent) == self._most:
            raise asyncio.CancelledError


@pytest.mark.parametrize("model", ["auto", "none"])
def test_it_gives_a_signal_of_nobody(model):
    """Else it would prove nothing of extraction; and with a dyad in it, a reader of signals could count it as news."""
    (found,) = Engine.load(load_settings(sentence_model=model)).extract([heartbeat(SENT)])
    assert found.outcome == "signals"
    assert found.signals
    assert all(signal.heartbeat and signal.drill and signal.dyads == () for signal in found.signals)
    assert found.signals[0].published_at == SENT


def test_one_is_not_another():
    """Two of one moment must not be taken for one that came twice."""
    assert heartbeat(SENT).article_id != heartbeat(SENT).article_id
    assert decode(encode(heartbeat(SENT)), Article).heartbeat


async def test_they_are_sent_until_the_end():
    """One after another, each when it is sent, and none before the broker is there."""
    delivery = Delivery(3)
    with pytest.raises(asyncio.CancelledError):
        await beat(delivery, 0.01)
    assert delivery.asked == 1
    times = [article.published_at for article in delivery.sent]
    assert len(times) == 3
    assert times == sorted(times)


async def test_none_where_they_are_off():
    """The broker is asked for all the same: connect's health depends on it."""
    delivery = Delivery(1)
    await asyncio.wait_for(beat(delivery, 0), 10)
    assert (delivery.asked, delivery.sent) == (1, [])
