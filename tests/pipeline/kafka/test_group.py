"""A group member, on a real broker: what is committed has been written, and what is not is read again."""

from __future__ import annotations

import threading
import time

import kafka.errors
import pytest
from kafka.coordinator.base import MemberState

from pipeline.kafka.client import BrokerUnavailable, consumer, producer
from pipeline.kafka.group import GroupMember
from pipeline.kafka.message import Outgoing
from pipeline.records.topics import Topics


def send(settings, topic, values):
    with producer(settings, "test") as sender:
        for value in values:
            sender.send(topic, key=value, value=value, headers=[("h", b"1")])
        sender.flush()


def member(settings):
    topics = Topics(settings.topic_prefix)
    return GroupMember(settings, topics.articles.name, topics.extract_group, "test")


def polled(reader, count, seconds=20):
    """Poll until ``count`` messages came."""
    found, end = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        found += reader.poll(100)
    return found


def test_uncommitted_messages_come_again(broker):
    """A member that dies between poll and commit leaves its messages to the next one, headers and all."""
    settings = broker.settings("group")
    send(settings, Topics(settings.topic_prefix).articles.name, [b"a", b"b", b"c"])
    first = member(settings)
    assert sorted(m.value for m in polled(first, 3)) == [b"a", b"b", b"c"]
    first.close()
    second = member(settings)
    again = polled(second, 3)
    assert sorted(m.value for m in again) == [b"a", b"b", b"c"]
    assert again[0].headers == [("h", b"1")]
    assert second.commit()
    second.close()
    third = member(settings)
    assert polled(third, 1, seconds=3) == []
    third.close()


def test_writes_are_on_the_topic_when_commit_returns(broker):
    """Commit waits for the broker's acknowledgement of every write."""
    settings = broker.settings("group")
    topics = Topics(settings.topic_prefix)
    send(settings, topics.articles.name, [b"a"])
    reader = member(settings)
    polled(reader, 1)
    reader.write([Outgoing(topics.signals.name, b"k", b"v")])
    assert reader.commit()
    reader.close()
    with consumer(settings, "check") as check:
        check.subscribe([topics.signals.name])
        (record,) = next(iter(check.poll(timeout_ms=10_000).values()))
        assert (record.key, record.value) == (b"k", b"v")


def test_refused_write_commits_nothing(broker):
    """A write that the broker refuses must raise, and the polled messages stay uncommitted."""
    settings = broker.settings("group")
    topics = Topics(settings.topic_prefix)
    send(settings, topics.articles.name, [b"a"])
    reader = member(settings)
    polled(reader, 1)
    reader.write([Outgoing(topics.signals.name, b"k", b"x" * (9 * 1024 * 1024))])
    with pytest.raises(kafka.errors.KafkaError):
        reader.commit()
    reader.close()
    second = member(settings)
    assert len(polled(second, 1)) == 1
    second.close()


def test_unreachable_broker_is_explained(broker, monkeypatch):
    """kafka-python's time-out says nothing: ours names the address and what to look at."""
    monkeypatch.setattr("pipeline.kafka.client.BOOTSTRAP_MS", 500)
    settings = broker.settings("group", topics=False).model_copy(update={"bootstrap_servers": "127.0.0.1:1"})
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:1 .*is the broker up"):
        producer(settings, "test")


def test_what_is_left_is_polled_again_and_not_committed(broker):
    """Work that was not done within a bundle comes back to the same member, and to the next one if that dies."""
    settings = broker.settings("group")
    send(settings, Topics(settings.topic_prefix).articles.name, [b"%d" % number for number in range(20)])
    first = member(settings)
    messages = polled(first, 20)
    cut = 11  # in the middle of a partition, with others after it
    assert first.commit(messages[cut:])
    again = polled(first, 20 - cut)
    assert sorted(m.value for m in again) == sorted(m.value for m in messages[cut:])
    first.close()
    second = member(settings)
    assert sorted(m.value for m in polled(second, 20 - cut)) == sorted(m.value for m in messages[cut:])
    assert second.commit()
    second.close()


def test_a_commit_waits_for_a_broker_that_was_killed(broker):
    """A broker that falls with a bundle polled costs the bundle nothing: it commits once the broker is back."""
    settings = broker.settings("group")
    send(settings, Topics(settings.topic_prefix).articles.name, [b"a"])
    reader = member(settings)
    assert polled(reader, 1)
    outcome = []
    broker.kafka.kill()
    committing = threading.Thread(target=lambda: outcome.append(reader.commit()))
    committing.start()
    time.sleep(1)  # it must have met the closed port
    broker.kafka.start()
    committing.join(120)
    assert outcome in ([True], [False])  # False: its session ended meanwhile, and the next owner repeats it
    reader.close()


def test_a_refused_connection_ends_no_poll(broker, monkeypatch):
    """Where the broker is gone, nobody knows whether all was read; asking must not end the job, as it once did."""
    settings = broker.settings("group")
    send(settings, Topics(settings.topic_prefix).articles.name, [b"a"])
    reader = member(settings)
    assert polled(reader, 1)

    def refused(*_, **__):
        raise kafka.errors.KafkaConnectionError("111 ECONNREFUSED")

    monkeypatch.setattr(reader._consumer, "position", refused)
    assert not reader.caught_up()
    reader.pass_marks()
    monkeypatch.undo()
    assert reader.commit()
    reader.close()


def test_a_rebalance_that_was_forgotten_is_taken_up(broker):
    """As kafka-python leaves it where the answer comes between two polls: it must not be without work for ever."""
    settings = broker.settings("group")
    send(settings, Topics(settings.topic_prefix).articles.name, [b"a"])
    reader = member(settings)
    assert polled(reader, 1)
    coordinator = reader._consumer._coordinator
    coordinator.state, coordinator.rejoin_needed = MemberState.REBALANCING, False
    end = time.monotonic() + 30
    while coordinator.state is not MemberState.STABLE and time.monotonic() < end:
        reader.poll(1)
    assert coordinator.state is MemberState.STABLE
    assert reader.owned()
    reader.close()
