"""The reader-writer, on a real broker: all or nothing, and only one at a time."""

from __future__ import annotations

import time

import pytest

from config.errors import BrinkwatchError
from pipeline.kafka.client import consumer, producer
from pipeline.kafka.exactly_once import GATHER_BYTES, Fenced, ReaderWriter, gather
from pipeline.kafka.message import Message, Outgoing, flat
from pipeline.records.topics import Topics


def start(settings):
    topics = Topics(settings.topic_prefix)
    io = ReaderWriter(settings, topics.signals.name, topics.score_group, "test")
    io.start()
    return io


def send(settings, count):
    with producer(settings, "test") as sender:
        for number in range(count):
            sender.send(Topics(settings.topic_prefix).signals.name, key=b"k%d" % number, value=b"%d" % number)
        sender.flush()


def polled(io, count, seconds=20):
    found, end = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        found += io.poll(100)
    return found


def committed(settings, topic):
    """Every committed message of a topic."""
    with consumer(settings, "check", isolation_level="read_committed") as check:
        check.subscribe([topic])
        found, quiet = [], 0
        while quiet < 10:
            batch = list(flat(check.poll(timeout_ms=200)))
            found += batch
            quiet = 0 if batch else quiet + 1
    return found


def test_offsets_and_writes_leave_together(broker):
    """After a commit the next instance goes on behind it; before it, it starts again from the same place."""
    settings = broker.settings("once")
    send(settings, 5)
    io = start(settings)
    assert len(polled(io, 5)) == 5
    assert io.uncommitted
    io.close()
    io = start(settings)
    assert len(polled(io, 5)) == 5
    io.commit([Outgoing(Topics(settings.topic_prefix).alerts.name, b"a", b"1")])
    assert not io.uncommitted
    io.close()
    io = start(settings)
    assert polled(io, 1, seconds=3) == []
    io.close()
    assert [m.value for m in committed(settings, Topics(settings.topic_prefix).alerts.name)] == [b"1"]


def test_a_backlog_is_gathered_within_bounds():
    """A transaction costs what it changed, so a backlog goes in large pieces; what is at the end is not waited with."""

    def run(polls, at_most=10, ends=100):
        """The numbers of messages that ``polls`` give, gathered; the end is reached after so many polls."""
        given = []

        def poll(most):
            given.append(min(most, polls[len(given)]))
            return [Message("t", 0, 0, 0, None, b"x" * size) for _ in range(given[-1])]

        return len(gather(poll, lambda: len(given) >= ends, at_most)), len(given)

    size = 1
    assert run([4, 4, 4]) == (10, 3)
    assert run([4, 4, 0, 4]) == (8, 3)
    assert run([0, 4]) == (0, 1)
    assert run([4, 4, 4], ends=1) == (4, 1)
    size = GATHER_BYTES // 4
    assert run([2, 2, 2, 2]) == (4, 2)


def test_second_instance_fences_the_first(broker):
    """Two instances never hold two opinions: what the fenced one writes is refused and never seen."""
    settings = broker.settings("once")
    alerts = Topics(settings.topic_prefix).alerts.name
    send(settings, 1)
    first = start(settings)
    polled(first, 1)
    second = start(settings)
    with pytest.raises(Fenced, match=r"once-.*\.score: this process is fenced"):
        first.commit([Outgoing(alerts, b"a", b"old")])
    assert isinstance(first.failure, Fenced)
    polled(second, 1)
    second.commit([Outgoing(alerts, b"a", b"new")])
    second.close()
    assert [m.value for m in committed(settings, alerts)] == [b"new"]


def test_compacted_topic_is_read_to_its_end(broker):
    """Restoring reads every committed dyad, and stops."""
    settings = broker.settings("once")
    dyads = Topics(settings.topic_prefix).dyads.name
    io = start(settings)
    for number in range(3):
        io.commit([Outgoing(dyads, b"k", b"%d" % number)])
    assert [m.value for m in io.compacted(dyads)] == [b"0", b"1", b"2"]
    io.close()


def test_caught_up_is_what_the_broker_says(broker):
    """Time may follow the clock only where a partition was read to its end."""
    settings = broker.settings("once")
    io = start(settings)
    assert set(io.caught_up().values()) == {True}
    send(settings, 20)
    time.sleep(0.3)
    assert False in io.caught_up().values()
    polled(io, 20)
    time.sleep(0.3)
    assert set(io.caught_up().values()) == {True}
    io.close()


def test_missing_topic_is_explained(broker):
    """A forgotten `topics apply` must not look like an empty stream."""
    settings = broker.settings("once", topics=False)
    io = ReaderWriter(settings, f"{settings.topic_prefix}.signals.v1", "group", "test")
    with pytest.raises(BrinkwatchError, match="does not exist"):
        io.start()
    io.close()
