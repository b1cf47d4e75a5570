"""Whether a group has worked off its topic, on a real broker."""

from __future__ import annotations

import time

from pipeline.kafka.client import producer
from pipeline.kafka.group import GroupMember
from pipeline.kafka.upstream import EVERY_S, Upstream
from pipeline.records.topics import Topics


def test_settled_means_all_is_committed(broker):
    """Score's time may follow the clock only where extract has nothing left to do."""
    settings = broker.settings("upstream")
    topics = Topics(settings.topic_prefix)
    upstream = Upstream(settings, topics.articles.name, topics.extract_group, "look")
    assert upstream.settled()  # nothing was ever written
    with producer(settings, "test") as sender:
        sender.send(topics.articles.name, key=b"a", value=b"a").get(10)
    time.sleep(EVERY_S + 0.1)
    assert not upstream.settled()
    member = GroupMember(settings, topics.articles.name, topics.extract_group, "work")
    end = time.monotonic() + 20
    while not member.poll(10) and time.monotonic() < end:
        pass
    time.sleep(EVERY_S + 0.1)
    assert not upstream.settled()  # read, but not committed
    assert member.commit()
    time.sleep(EVERY_S + 0.1)
    assert upstream.settled()
    member.close()
    upstream.close()
