"""Surveys: figures from what a broker answers."""

from __future__ import annotations

from kafka import TopicPartition
from prometheus_client import CollectorRegistry, generate_latest

from pipeline.monitor import survey
from pipeline.monitor.exported import STALE_S, Exported
from pipeline.monitor.survey import Disk, Lag, Survey
from pipeline.records.topics import Topics

ONE, TWO = TopicPartition("t", 0), TopicPartition("t", 1)


def test_a_lag_is_as_old_as_the_oldest_message_and_as_long_as_all_partitions():
    """The sum over partitions, and the oldest of their first messages; caught up is 0, whatever the clocks say."""
    found = survey.lags({"g": {ONE: 5, TWO: 7}}, {ONE: 9, TWO: 7}, {(ONE, 5): 60_000, (TWO, 7): 1_000_000}, 100.0)
    assert found == {("g", "t"): Lag(4, 40.0)}


def test_a_group_that_never_committed_is_behind_from_the_first_message():
    """An extract that never ran must show as lag, not as nothing."""
    standing = survey.committed({}, {ONE: 3, TWO: 0}, {"g": "t"})
    assert standing == {"g": {ONE: 3, TWO: 0}}
    assert survey.behind(standing, {ONE: 3, TWO: 2}) == {"g": {TWO: 0}}


def test_what_is_gone_is_no_lag():
    """A group that stood still longer than the topic keeps messages can only be behind by those that are left."""
    standing = survey.committed({"g": {ONE: 2, TopicPartition("other", 0): 1}}, {ONE: 10}, {})
    assert standing == {"g": {ONE: 10}}


def test_groups_of_others_are_left_out():
    """A cluster may serve many installations."""
    topics = Topics("mine")
    assert [g for g in ("mine.extract", "mine.notify.desk", "mine.score.lease") if survey.ours(g, topics)] == [
        "mine.extract", "mine.notify.desk", "mine.score.lease",
    ]  # fmt: skip
    assert not any(survey.ours(g, topics) for g in ("mine2.extract", "extract", "mine.extractor"))


def test_disks_and_topics():
    """Two folders of one volume have its space once; a replica is counted once, and one on its way not at all."""

    def log(size, future=False):
        return {"partition_index": 0, "partition_size": size, "is_future_key": future}

    folders = [
        {"error_code": 0, "usable_bytes": 50, "topics": [{"name": "t", "partitions": [log(7)]}]},
        {"error_code": 0, "usable_bytes": 50, "topics": [{"name": "u", "partitions": [log(1), log(9, future=True)]}]},
        {"error_code": 56, "usable_bytes": -1, "topics": []},
    ]
    other = [{"error_code": 0, "usable_bytes": -1, "topics": [{"name": "t", "partitions": [log(6)]}]}]
    answers = [{"broker": 1, "log_dirs": folders}, {"broker": 2, "log_dirs": other}]
    assert survey.disks(answers) == {"1": Disk(17, 50), "2": Disk(6, None)}
    assert survey.topic_bytes(answers, ["t", "u"]) == {"t": 7, "u": 1}


def test_partitions_that_are_not_well():
    """A partition without a leader can't be asked for its end: the others still are."""

    def part(index, leader, in_sync):
        return {"partition_index": index, "leader_id": leader, "replica_nodes": [1, 2], "isr_nodes": in_sync}

    described = [{"name": "t", "partitions": [part(0, 1, [1, 2]), part(1, 1, [1]), part(2, -1, [])]}]
    assert (survey.under_replicated(described), survey.offline(described)) == (2, 1)
    assert survey.with_leader(described, ["t"]) == [ONE, TWO]


def test_a_broker_that_is_gone_does_not_count():
    """A controller tells of it for as long as it is registered, as fenced; older brokers say nothing of that."""
    assert survey.alive([{"broker_id": 1, "is_fenced": False}, {"broker_id": 2, "is_fenced": True}]) == 1
    assert survey.alive([{"broker_id": 1}, {"broker_id": 2}]) == 2


def test_nothing_stale_is_told():
    """While the broker is away there must be no figures, rather than those of before; nor if the loop stands."""
    now = 1000.0
    exported = Exported(lambda: now)
    registry = CollectorRegistry()
    registry.register(exported)

    def told():
        return generate_latest(registry).decode()

    assert "brinkwatch_broker_up 0.0" in told()
    exported.note(Survey(now, brokers=1, lags={("g", "t"): Lag(3, 2.5)}))
    assert "brinkwatch_broker_up 1.0" in told()
    assert 'brinkwatch_consumer_lag_seconds{group="g",topic="t"} 2.5' in told()
    exported.note(None)
    assert "brinkwatch_broker_up 0.0" in told()
    assert "brinkwatch_consumer_lag" not in told()
    assert "brinkwatch_broker_last_contact_timestamp_seconds 1000.0" in told()
    exported.note(Survey(now, brokers=1))
    now += STALE_S + 1
    assert "brinkwatch_broker_up 0.0" in told()
    assert "brinkwatch_brokers " not in told()
