"""What each role may do on Kafka, and nothing more: one source for the chart, for tests and for an administrator.

Each grant is there because a client of that role asks the broker for it. What Kafka grants by implication is not said
again: Read, Write and Alter bring Describe with them; whoever may write any topic may write it idempotently (Kafka 3.0,
KIP-679).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline.records.topics import Topic, Topics

CLUSTER = "kafka-cluster"
"""The one name that Kafka has for the cluster."""


class Resource(StrEnum):
    """What a grant is about."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"
    CLUSTER = "cluster"


class Operation(StrEnum):
    """What may be done with it, in Kafka's words."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    ALTER = "Alter"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"


@dataclass(frozen=True, slots=True)
class Grant:
    """Some operations on one resource, from any host.

    Attributes:
        resource: Its type.
        name: Its name, or how the names begin.
        operations: Never empty.
        prefixed: Whether ``name`` is only how the names begin.
    """

    resource: Resource
    name: str
    operations: tuple[Operation, ...]
    prefixed: bool = False


def grants(topics: Topics) -> Mapping[str, tuple[Grant, ...]]:
    """The grants of every role, by its name."""
    return {
        "connect": (_topic(topics.articles, Operation.WRITE),),
        "extract": _extract(topics),
        "score": _score(topics),
        "notify": _notify(topics),
        "subscriber": _subscriber(topics),
        "viewer": _viewer(topics),
        "operator": _operator(topics),
        "monitor": _monitor(topics),
        "topics": tuple(_topic(topic, *_TO_APPLY) for topic in topics.all),
    }


_TO_APPLY = (Operation.CREATE, Operation.ALTER, Operation.DESCRIBE_CONFIGS)
"""Make what is missing, look at what is there, and grow it where that is asked for."""


def _extract(topics: Topics) -> tuple[Grant, ...]:
    """A member of its group: reads and commits; writes signals, and what could not be used."""
    return (
        _topic(topics.articles, Operation.READ),
        _group(topics.extract_group, Operation.READ),
        _topic(topics.signals, Operation.WRITE),
        _topic(topics.deadletter, Operation.WRITE),
    )


def _score(topics: Topics) -> tuple[Grant, ...]:
    """The one that writes in transactions, and those that stand by.

    It looks at how far extract has come (its group's offsets, the ends of articles): silence counts only when
    nothing is behind. Its own offsets leave in the transaction, under its group. The lease is a group on ``dyads``.
    """
    return (
        _topic(topics.signals, Operation.READ),
        _group(topics.score_group, Operation.READ),
        _transactional_id(topics.score_group),
        _topic(topics.dyads, Operation.READ, Operation.WRITE),
        _group(topics.score_lease, Operation.READ),
        _topic(topics.alerts, Operation.WRITE),
        _topic(topics.alerts_current, Operation.WRITE),
        _topic(topics.deadletter, Operation.WRITE),
        _topic(topics.articles, Operation.DESCRIBE),
        _group(topics.extract_group, Operation.DESCRIBE),
    )


def _notify(topics: Topics) -> tuple[Grant, ...]:
    """A member of a group for each receiver; what is open now, for an Alertmanager; and what could not be delivered."""
    return (
        _topic(topics.alerts, Operation.READ),
        _topic(topics.alerts_current, Operation.READ),
        _group(topics.notify_group(""), Operation.READ, prefixed=True),
        _topic(topics.deadletter, Operation.WRITE),
    )


def _subscriber(topics: Topics) -> tuple[Grant, ...]:
    """Alerts, and what is open now; ``brinkwatch alerts`` needs no group, other clients take one of theirs."""
    return (
        _topic(topics.alerts, Operation.READ),
        _topic(topics.alerts_current, Operation.READ),
        _group(f"{topics.prefix}.subscriber.", Operation.READ, prefixed=True),
    )


def _viewer(topics: Topics) -> tuple[Grant, ...]:
    """``brinkwatch watch``, without a group. It reads the articles that it counts, for heartbeats are no news."""
    return (
        _topic(topics.dyads, Operation.READ),
        _topic(topics.alerts_current, Operation.READ),
        _topic(topics.alerts, Operation.READ),
        _topic(topics.signals, Operation.READ),
        _topic(topics.articles, Operation.READ),
        _topic(topics.deadletter, Operation.DESCRIBE),
    )


def _operator(topics: Topics) -> tuple[Grant, ...]:
    """``brinkwatch deadletters``: letters, the marks behind them, and the topics that they go back to."""
    return (
        _topic(topics.deadletter, Operation.READ, Operation.WRITE),
        _topic(topics.articles, Operation.WRITE),
        _topic(topics.signals, Operation.WRITE),
        _transactional_id(topics.redrive_id),
    )


def _monitor(topics: Topics) -> tuple[Grant, ...]:
    """Looks at everything, and reads what a group has not read yet, to know how old it is.

    Brokers tell of their disks only to who may describe the cluster.
    """
    return (
        *(_topic(topic, Operation.READ) for topic in (topics.articles, topics.signals, topics.alerts)),
        *(_topic(topic, Operation.DESCRIBE) for topic in (topics.alerts_current, topics.dyads, topics.deadletter)),
        *(
            _group(group, Operation.DESCRIBE)
            for group in (topics.extract_group, topics.score_group, topics.score_lease)
        ),
        _group(topics.notify_group(""), Operation.DESCRIBE, prefixed=True),
        Grant(Resource.CLUSTER, CLUSTER, (Operation.DESCRIBE,)),
    )


def _topic(topic: Topic, *operations: Operation) -> Grant:
    return Grant(Resource.TOPIC, topic.name, operations)


def _group(name: str, operation: Operation, *, prefixed: bool = False) -> Grant:
    return Grant(Resource.GROUP, name, (operation,), prefixed)


def _transactional_id(name: str) -> Grant:
    return Grant(Resource.TRANSACTIONAL_ID, name, (Operation.WRITE,))
