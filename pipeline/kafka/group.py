"""A member of a consumer group that commits only what has been written: at least once, with ids that repeat."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

import kafka.errors
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.base import MemberState
from kafka.structs import OffsetAndMetadata

from config.health import Check
from config.kafka import answered_s
from config.settings import Settings
from pipeline.kafka.client import Patience, connects, consumer, partitions_of, producer
from pipeline.kafka.message import Message, Outgoing, flat, send
from pipeline.kafka.upstream import AWAY

log = logging.getLogger(__name__)
ANSWER_S = 60.0
"""How long a broker that lets us connect may take for a write or a commit."""
AWAY_S = 240.0
"""How long one that does not is waited for: below ``max_poll_interval_ms``, which costs us our partitions."""
LOOK_S = 5.0
COMMIT_MS = 10_000
COMMIT_PAUSE_S = 0.5
LOOK_MS = 500
MEMBERSHIP: Mapping[str, Any] = {
    # Short, so that a killed member's partitions move within seconds; see docs/operations.md.
    "session_timeout_ms": 6_000,
    "heartbeat_interval_ms": 1_000,
    # The default assignor once left two of three members without partitions.
    "partition_assignment_strategy": (CooperativeStickyAssignor,),
}
# The other side of these: the partitions have a new owner, who repeats the work with the same ids.
REBALANCED = (
    kafka.errors.CommitFailedError,
    kafka.errors.RebalanceInProgressError,
    kafka.errors.IllegalGenerationError,
    kafka.errors.UnknownMemberIdError,
)


class GroupMember:
    """Polls a topic, writes to others, and commits the polled offsets once every write is acknowledged.

    Not thread-safe: one bundle at a time uses it. Whatever fails raises; the caller ends the process, and what was not
    committed is read again.
    """

    def __init__(self, settings: Settings, topic: str, group: str, client_id: str) -> None:
        self._settings, self._topic = settings, topic
        self._producer = producer(settings, client_id, linger_ms=5, delivery_timeout_ms=int(AWAY_S * 1000))
        self._consumer = consumer(
            settings,
            client_id,
            group_id=group,
            # The longest a bundle may take: its work is bounded well below (extract_timeout_s, at most four times).
            max_poll_interval_ms=300_000,
            fetch_max_wait_ms=100,
            **MEMBERSHIP,
            # What a transaction took back was never written.
            isolation_level="read_committed",
        )
        partitions_of(self._consumer, topic)
        self._consumer.subscribe([topic], listener=_Told())
        self._polled: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._writes: list[Any] = []

    def poll(self, at_most: int, timeout_ms: int = 100) -> list[Message]:
        """The next messages, at most ``at_most``. Call only when the last ones are committed."""
        take_up_rebalance(self._consumer)
        polled = self._consumer.poll(timeout_ms=timeout_ms, max_records=at_most)
        for partition, records in polled.items():
            self._polled[partition] = records[-1].offset + 1
        return list(flat(polled))

    def stay(self, timeout_ms: int = 100) -> list[Message]:
        """Poll without fetching, so that long work costs no partition; gives only what a rebalance has just brought."""
        self._consumer.pause(*self._consumer.assignment())
        messages = self.poll(1, timeout_ms)
        self._consumer.resume(*self._consumer.paused())
        return messages

    def owned(self) -> set[int]:
        """The partitions that are ours now."""
        return {partition.partition for partition in self._consumer.assignment()}

    def answered_s(self) -> float | None:
        """Seconds since a broker last answered; None where none did. From any thread."""
        return answered_s(self._consumer)

    def standing(self) -> Check:
        """Whether its place in the group is settled: with partitions, or without where others have them all."""
        return standing(self._consumer)

    def write(self, messages: Iterable[Outgoing]) -> None:
        """Hand messages to the producer; ``commit`` waits for them."""
        self._writes += [send(self._producer, message) for message in messages]

    def commit(self, left: Iterable[Message] = ()) -> bool:
        """Wait until every write is acknowledged, then commit what was polled.

        Args:
            left: Polled messages that nothing was written for, in order; they, and what follows them in their
                partitions, are polled again.

        Returns:
            False if a rebalance refused the commit: all is written, and the new owner will repeat it with equal ids.

        Raises:
            KafkaError: A write was refused or timed out; nothing is committed.
        """
        self.flush()
        polled, self._polled = self._polled, {}
        back: dict[TopicPartition, int] = {}
        for message in left:
            back.setdefault(TopicPartition(message.topic, message.partition), message.offset)
        done = self._commit({**polled, **back})
        for partition, offset in back.items():
            with contextlib.suppress(ValueError):  # it has a new owner, who begins at what is committed
                self._consumer.seek(partition, offset)
        return done

    def flush(self) -> None:
        """Wait until every write is acknowledged; with patience while no broker lets us connect.

        Raises:
            KafkaError: A write was refused or timed out.
        """
        patience = self._patience()
        while not self._flushed():
            if patience.over:
                raise kafka.errors.KafkaTimeoutError(f"writing failed: {self._settings.bootstrap_servers}: no answer")
        for write in self._writes:
            write.get(timeout=LOOK_S)
        self._writes.clear()

    def _flushed(self) -> bool:
        try:
            self._producer.flush(timeout=LOOK_S)
        except kafka.errors.KafkaTimeoutError:
            return False
        return True

    def _patience(self) -> Patience:
        return Patience(lambda: connects(self._settings), ANSWER_S, AWAY_S)

    def commit_up_to(self, offsets: Mapping[int, int]) -> bool:
        """Commit the next offset to read of each partition, for who is done with a part of what was polled.

        Returns:
            False if a rebalance refused the commit: the new owner will repeat it.
        """
        return self._commit({TopicPartition(self._topic, number): at for number, at in offsets.items()})

    def _commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        if not offsets:
            return True
        try:
            self._commit_patiently({partition: OffsetAndMetadata(at, "", -1) for partition, at in offsets.items()})
            self._committed |= offsets
        except REBALANCED as error:
            log.warning(
                "commit refused by a rebalance; the new owner repeats it", extra={"fields": {"why": repr(error)}}
            )
            return False
        return True

    def _commit_patiently(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit, again while no broker answers: kafka-python gives up at the first refused connection."""
        patience = self._patience()
        while True:
            try:
                self._consumer.commit(offsets, timeout_ms=COMMIT_MS)
            except AWAY:
                if patience.over:
                    raise
                time.sleep(COMMIT_PAUSE_S)
            else:
                return

    def caught_up(self) -> bool:
        """Whether the last fetch reached the end of every assigned partition; False where none is, or Kafka is away."""
        assigned = self._consumer.assignment()
        try:
            marks = [(self._consumer.highwater(p), self._consumer.position(p, timeout_ms=LOOK_MS)) for p in assigned]
        except AWAY:
            return False
        return bool(marks) and all(end is not None and at >= end for end, at in marks)

    def pass_marks(self) -> None:
        """Commit past what is behind the last message: the mark of a transaction takes an offset, and is never polled.

        Call only when everything that was polled is committed. Without it, a partition that ends in a mark would never
        count as worked off.
        """
        try:
            positions = {p: self._consumer.position(p, timeout_ms=LOOK_MS) for p in self._consumer.assignment()}
        except AWAY:
            return  # there is no hurry
        self._commit({p: at for p, at in positions.items() if at is not None and at > self._committed.get(p, 0)})

    def close(self) -> None:
        """Leave the group and close the connections."""
        self._consumer.close(autocommit=False)
        self._producer.close(timeout=ANSWER_S)


def take_up_rebalance(member: KafkaConsumer) -> None:
    """Have ``poll`` finish a rebalance that kafka-python 3.0.12 would forget; call it before each poll.

    A member that rejoins because its topic's metadata changed no longer sees why once it made the new assignment. If
    the answer comes between two polls, nobody takes it up: it has no partitions, and polls without a pause, for ever.
    """
    coordinator = member._coordinator  # noqa: SLF001  nothing public says so, or asks to rejoin
    if coordinator.state is MemberState.REBALANCING and not coordinator.need_rejoin():
        coordinator.request_rejoin()


def standing(member: KafkaConsumer) -> Check:
    """Whether a member has its place in the group: partitions, or none where others have them all."""
    if member.assignment():
        return Check(ok=True)
    if member._coordinator.state is MemberState.STABLE:  # noqa: SLF001  nothing public says so
        return Check(ok=True, why="stands by: others have every partition")
    return Check(ok=False, why="no partitions: the group is being formed, or no broker answers")


class _Told(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python ships no types
    """Logs rebalances. Runs on kafka-python's IO thread: never blocks, never commits.

    Nothing is uncommitted at a rebalance, for polls come between bundles; and the broker refuses the commit of a
    generation that is over.
    """

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        _log_partitions(logging.INFO, "partitions revoked", revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        _log_partitions(logging.WARNING, "partitions lost", lost)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        _log_partitions(logging.INFO, "partitions assigned", assigned)


def _log_partitions(level: int, what: str, partitions: Iterable[TopicPartition]) -> None:
    log.log(level, what, extra={"fields": {"partitions": sorted(p.partition for p in partitions)}})
