"""A member of a consumer group that commits only what has been written: at least once, with ids that repeat."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Any

import kafka.errors
from kafka import ConsumerRebalanceListener, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import OffsetAndMetadata

from config.settings import Settings
from pipeline.kafka.client import consumer, producer
from pipeline.kafka.message import Message, Outgoing, flat

log = logging.getLogger(__name__)
WRITE_TIMEOUT_S = 60
# The other side of these: the partitions have a new owner, who repeats the work with the same ids.
REBALANCED = (
    kafka.errors.CommitFailedError,
    kafka.errors.RebalanceInProgressError,
    kafka.errors.IllegalGenerationError,
    kafka.errors.UnknownMemberIdError,
)


class GroupMember:
    """Polls a topic, writes to others, and commits the polled offsets once every write is acknowledged.

    Not thread-safe but for ``commit``'s loss list: one bundle at a time uses it. Whatever fails raises; the caller ends
    the process, and what was not committed is read again.
    """

    def __init__(self, settings: Settings, topic: str, group: str, client_id: str) -> None:
        self._producer = producer(settings, client_id, linger_ms=5)
        self._consumer = consumer(
            settings,
            client_id,
            group_id=group,
            # Short, so that a killed member's partitions move within seconds; see docs/operations.md.
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_000,
            fetch_max_wait_ms=100,
            # The default assignor once left two of three members without partitions.
            partition_assignment_strategy=(CooperativeStickyAssignor,),
        )
        self._listener = _Lost()
        self._consumer.subscribe([topic], listener=self._listener)
        self._polled: dict[TopicPartition, int] = {}
        self._writes: list[Any] = []

    def poll(self, at_most: int, timeout_ms: int = 100) -> list[Message]:
        """The next messages, at most ``at_most``. Call only when the last ones are committed."""
        polled = self._consumer.poll(timeout_ms=timeout_ms, max_records=at_most)
        for partition, records in polled.items():
            self._polled[partition] = records[-1].offset + 1
        return list(flat(polled))

    def write(self, messages: Iterable[Outgoing]) -> None:
        """Hand messages to the producer; ``commit`` waits for them."""
        self._writes += [
            self._producer.send(m.topic, key=m.key, value=m.value, headers=m.headers, timestamp_ms=m.timestamp_ms)
            for m in messages
        ]

    def commit(self) -> bool:
        """Wait until every write is acknowledged, then commit what was polled.

        Returns:
            False if a rebalance refused the commit: all is written, and the new owner will repeat it with equal ids.

        Raises:
            KafkaError: A write was refused or timed out; nothing is committed.
        """
        self._producer.flush(timeout=WRITE_TIMEOUT_S)
        for write in self._writes:
            write.get(timeout=WRITE_TIMEOUT_S)
        self._writes.clear()
        polled, self._polled = self._polled, {}
        lost = self._listener.take()
        offsets = {
            partition: OffsetAndMetadata(at, "", -1) for partition, at in polled.items() if partition not in lost
        }
        if not offsets:
            return not polled
        try:
            self._consumer.commit(offsets)
        except REBALANCED as error:
            log.warning(
                "commit refused by a rebalance; the new owner repeats it", extra={"fields": {"why": repr(error)}}
            )
            return False
        return True

    def caught_up(self) -> bool:
        """Whether the last fetch reached the end of every assigned partition."""
        marks = [(self._consumer.highwater(p), self._consumer.position(p)) for p in self._consumer.assignment()]
        return all(end is not None and at >= end for end, at in marks)

    def close(self) -> None:
        """Leave the group and close the connections."""
        self._consumer.close(autocommit=False)
        self._producer.close(timeout=WRITE_TIMEOUT_S)


class _Lost(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python ships no types
    """Remembers partitions taken away. Runs on kafka-python's IO thread: never blocks, never commits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost: set[TopicPartition] = set()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        log.info("partitions revoked", extra={"fields": {"partitions": sorted(p.partition for p in revoked)}})

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        with self._lock:
            self._lost.update(lost)
        log.warning("partitions lost", extra={"fields": {"partitions": sorted(p.partition for p in lost)}})

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        log.info("partitions assigned", extra={"fields": {"partitions": sorted(p.partition for p in assigned)}})

    def take(self) -> set[TopicPartition]:
        """What was lost since the last call."""
        with self._lock:
            lost, self._lost = self._lost, set()
        return lost
