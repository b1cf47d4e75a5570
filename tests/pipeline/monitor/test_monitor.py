"""The monitor against a real broker, which is killed and comes back."""

from __future__ import annotations

import threading
import time

import pytest
from service import wait_for

from pipeline.kafka.client import producer
from pipeline.kafka.group import GroupMember
from pipeline.monitor.exported import Exported
from pipeline.monitor.run import run
from pipeline.monitor.survey import Lag
from pipeline.monitor.surveyor import Surveyor
from pipeline.records.topics import Topics

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def send(settings, *sent):
    """Messages to the articles' topic, written so many seconds ago."""
    with producer(settings, "test") as sender:
        for age_s in sent:
            sender.send(
                Topics(settings.topic_prefix).articles.name,
                b"v",
                partition=0,
                timestamp_ms=int((time.time() - age_s) * 1000),
            ).get(30)


def test_a_lag_in_seconds_is_the_age_of_the_first_message_that_is_left(broker):
    """Before anything is committed, after a part of it, and when all is."""
    settings = broker.settings("monitor")
    topics = Topics(settings.topic_prefix)
    place = (topics.extract_group, topics.articles.name)
    send(settings, 500, 100)
    with Surveyor(settings) as surveyor:
        first = surveyor.look()
        assert (first.brokers, first.offline, first.ends[topics.articles.name]) == (1, 0, 2)
        assert next(iter(first.disks.values())).usable > 0
        assert first.topic_bytes[topics.articles.name] > 0
        assert first.lags[place].messages == 2
        assert 499 < first.lags[place].seconds < 700
        member = GroupMember(settings, topics.articles.name, topics.extract_group, "test")
        try:
            wait_for(lambda: member.poll(1), 60, "a message")
            assert member.commit()
            part = surveyor.look()
            assert part.members[topics.extract_group] == 1
            assert part.lags[place].messages == 1
            assert 99 < part.lags[place].seconds < 300
            wait_for(lambda: member.poll(1), 60, "the other one")
            assert member.commit()
            assert surveyor.look().lags[place] == Lag(0, 0.0)
            assert member.standing().ok
            assert member.answered_s() < 30
        finally:
            member.close()


def test_it_goes_on_when_the_broker_comes_back(broker):
    """A broker that dies is told of within a round's bounds, without figures; and the monitor needs no restart."""
    settings = broker.settings("monitor")
    exported, stop = Exported(), threading.Event()
    thread = threading.Thread(target=run, args=(settings, exported, stop, 0.5), daemon=True)
    thread.start()
    try:
        wait_for(lambda: exported._last, 60, "the first survey")
        broker.kafka.kill()
        try:
            wait_for(lambda: exported._last is None, 60, "the broker to be missed")
        finally:
            broker.kafka.start()
        wait_for(lambda: exported._last, 90, "a survey of the broker that is back")
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()
