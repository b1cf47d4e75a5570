"""Topics are made as declared, once, and differences are told, never mended by force."""

from __future__ import annotations

from typing import Any

import pytest

from config.settings import load_settings
from deploy.topics import Difference, TopicError, Wish, apply_topics, differences, wanted
from pipeline.records.topics import Topic, Topics


def test_same_topic_has_no_difference():
    """A topic just as declared must not be reported, nor one with more partitions: that is the operator's choice."""
    topic = Topics().articles
    assert differences(topic, topic.partitions, topic.configs) == ()
    assert differences(topic, topic.partitions + 4, topic.configs) == ()


def test_differences_name_topic_setting_and_both_values():
    """Too few partitions and a changed or unknown setting must each be told in words that an operator can act on."""
    topic = Topic("x.articles.v1", 4, "delete", 1000)
    configs: dict[str, str | None] = {**topic.configs, "retention.ms": "5"}
    del configs["cleanup.policy"]
    found = [str(each) for each in differences(topic, 2, configs)]
    assert found == [
        "x.articles.v1: partitions is 2, not 4",
        "x.articles.v1: cleanup.policy is None, not delete",
        "x.articles.v1: retention.ms is 5, not 1000",
    ]


@pytest.mark.parametrize(
    ("setting", "expected", "found", "fault"),
    [
        ("cleanup.policy", "compact", "delete", True),
        ("partitions", "4", "2", True),
        ("max.message.bytes", "100", "99", True),
        ("max.message.bytes", "100", None, True),
        ("max.message.bytes", "100", "101", False),
        ("retention.ms", "100", "5", False),
    ],
)
def test_fault_is_what_could_lose_data(setting, expected, found, fault):
    """An operator may keep news for less long, or take larger messages; a state deleted by age must stop a roll-out."""
    assert Difference("x", setting, expected, found).is_fault is fault


def test_more_partitions_where_that_is_safe():
    """Extract and signals scale by partitions; of dyads an old partition would keep an old state for ever."""
    topics = Topics()
    counts = {topic.name: topic.partitions for topic in wanted(topics, {"articles": 12})}
    assert counts == {topic.name: topic.partitions for topic in topics.all} | {topics.articles.name: 12}
    for word, number in (("dyads", 2), ("prefix", 5), ("articles", 3), ("signals", 1001)):
        with pytest.raises(TopicError, match=word):
            wanted(topics, {word: number})


@pytest.mark.slow
def test_apply_twice_creates_once(broker):
    """The first call makes all six topics as declared; the second must find nothing to do and nothing that differs."""
    settings = broker.settings("apply", topics=False)
    topics = Topics(settings.topic_prefix)
    first, second = apply_topics(settings, topics), apply_topics(settings, topics)
    assert set(first.created) == {topic.name for topic in topics.all}
    assert first.differences == ()
    assert second.created == ()
    assert second.differences == ()


@pytest.mark.slow
def test_existing_topic_that_differs_is_told_and_left(broker):
    """A topic made by hand with one partition must be reported with its differences, and not be touched."""
    settings = broker.settings("differs", topics=False)
    topics = Topics(settings.topic_prefix)
    with _admin(settings) as admin:
        admin.create_topics({topics.articles.name: {"num_partitions": 1, "configs": {"retention.ms": "60000"}}})
        applied = apply_topics(settings, topics)
        partitions = len(admin.describe_topics([topics.articles.name])[0]["partitions"])
    assert {(each.setting, each.found) for each in applied.differences} >= {
        ("partitions", "1"),
        ("retention.ms", "60000"),
    }
    assert topics.articles.name not in applied.created
    assert partitions == 1


@pytest.mark.slow
def test_topics_grow_only_when_asked_and_never_in_a_dry_run(broker):
    """A run that should only tell must change nothing; growing must leave nothing to report, and shrink nothing."""
    settings = broker.settings("grows", topics=False)
    topics = Topics(settings.topic_prefix)
    foretold = apply_topics(settings, topics, wish=Wish(dry_run=True))
    assert len(foretold.created) == len(topics.all)
    assert apply_topics(settings, topics, wish=Wish({"articles": 5})).created == foretold.created
    more = {"articles": 7}
    assert [each.is_fault for each in apply_topics(settings, topics, wish=Wish(more)).differences] == [True]
    for _ in range(2):
        assert apply_topics(settings, topics, wish=Wish(more, grow=True, dry_run=True)).grown == (topics.articles.name,)
    grown = apply_topics(settings, topics, wish=Wish(more, grow=True))
    assert (grown.grown, grown.differences) == ((topics.articles.name,), ())
    after = apply_topics(settings, topics, wish=Wish({"articles": 6}, grow=True))
    assert (after.created, after.grown, after.differences) == ((), (), ())


def test_unreachable_broker_says_so(unused_tcp_port):
    """kafka-python only says that it can't bootstrap: the error must name the address and what to look at."""
    settings = load_settings(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")
    with pytest.raises(TopicError, match=rf"Kafka can't be reached: 127.0.0.1:{unused_tcp_port}: .*is the broker up"):
        apply_topics(settings, Topics(), timeout=0.5)


def _admin(settings: Any) -> Any:
    import contextlib

    from kafka import KafkaAdminClient

    return contextlib.closing(KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers))
