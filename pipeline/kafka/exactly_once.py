"""The one active reader-writer: what it writes and the offsets it read leave in one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import kafka.errors
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from config.errors import BrinkwatchError
from config.health import board
from config.kafka import answered_s
from config.settings import Settings
from pipeline.kafka.client import consumer, explained, partitions_of, producer
from pipeline.kafka.message import Message, Outgoing, flat, send
from pipeline.kafka.upstream import AWAY, Upstream

log = logging.getLogger(__name__)
TRANSACTION_TIMEOUT_MS = 30_000
MAX_FETCH_BYTES = 16 * 1024 * 1024
GATHER_S = 2.0
"""How long a backlog is gathered for one bundle: well below what a transaction may take."""
GATHER_BYTES = 64 * 1024 * 1024
CAUGHT_UP_EVERY_S = 0.2
METADATA_TIMEOUT_MS = 5_000
PARTITIONS_EVERY_S = 10.0
FENCED = (kafka.errors.ProducerFencedError, kafka.errors.InvalidProducerEpochError)


class Fenced(BrinkwatchError):  # noqa: N818  it names what was done to us
    """Another instance has taken over, or a transaction stood still for too long: this process is past mending."""


class ReaderWriter:
    """Reads one topic from its committed offsets and writes in transactions; a second instance fences the first.

    The order of the constructor matters: fencing settles what a predecessor left open, and only then are its committed
    state and offsets final. Any failed transaction raises; the caller ends the process and starts again from what is
    committed.

    Attributes:
        failure: Why this one can't go on, once that is known; for whoever ends the process.
    """

    def __init__(
        self, settings: Settings, topic: str, group: str, client_id: str, upstream: Upstream | None = None
    ) -> None:
        self._settings, self._topic, self._group, self._client_id = settings, topic, group, client_id
        self._upstream = upstream
        self._producer = producer(
            settings, client_id, transactional_id=group, transaction_timeout_ms=TRANSACTION_TIMEOUT_MS
        )
        with explained(settings):
            self._producer.init_transactions()
        self.failure: BrinkwatchError | None = None
        self._offsets: dict[TopicPartition, int] = {}
        self._caught_up: dict[int, bool] = {}
        self._checked = 0.0
        self._counted = time.monotonic()
        self._consumer: KafkaConsumer | None = None

    def compacted(self, topic: str) -> Iterator[Message]:
        """Every committed message of a compacted topic, up to its end as of now; the last of a key is the valid one."""
        reader = consumer(
            self._settings,
            self._client_id,
            isolation_level="read_committed",
            max_partition_fetch_bytes=MAX_FETCH_BYTES,
        )
        try:
            partitions = partitions_of(reader, topic)
            reader.assign(partitions)
            reader.seek_to_beginning(*partitions)
            ends = reader.end_offsets(partitions)
            while any(reader.position(partition) < end for partition, end in ends.items()):
                board.turn()  # a large topic takes a while
                yield from flat(reader.poll(timeout_ms=200))
        finally:
            reader.close(autocommit=False)

    def start(self) -> None:
        """Go to the group's committed offsets; where there is none, to the earliest message."""
        reader = consumer(
            self._settings,
            self._client_id,
            group_id=self._group,
            isolation_level="read_committed",
            fetch_max_wait_ms=20,
            max_partition_fetch_bytes=MAX_FETCH_BYTES,  # a backlog in large bundles: each writes every dyad it changed
        )
        partitions = partitions_of(reader, self._topic)
        reader.assign(partitions)
        for partition in partitions:
            committed = reader.committed(partition)
            if committed is None:
                reader.seek_to_beginning(partition)
            else:
                reader.seek(partition, committed)
        self._caught_up = dict.fromkeys((p.partition for p in partitions), False)
        self._consumer = reader

    def answered_s(self) -> float | None:
        """Seconds since a broker last answered; None where none did, or before ``start``. From any thread."""
        return None if self._consumer is None else answered_s(self._consumer)

    @property
    def partitions(self) -> list[int]:
        """The partitions that are read."""
        return sorted(self._caught_up)

    def poll(self, at_most: int, timeout_ms: int = 50) -> list[Message]:
        """The next messages, at most ``at_most``; of a backlog about as many, where they come in time.

        A transaction costs what was changed, however many messages changed it: a backlog is read in large pieces.
        """
        return gather(lambda most: self._poll(most, timeout_ms), self._at_highwater, at_most)

    def _poll(self, at_most: int, timeout_ms: int) -> list[Message]:
        polled = self._reader.poll(timeout_ms=timeout_ms, max_records=at_most)
        for partition, records in polled.items():
            self._offsets[partition] = records[-1].offset + 1
            self._caught_up[partition.partition] = False
        return list(flat(polled))

    def _at_highwater(self) -> bool:
        """Whether nothing was left of any partition when it was fetched last."""
        return all(offset >= (self._reader.highwater(partition) or 0) for partition, offset in self._offsets.items())

    def caught_up(self) -> Mapping[int, bool]:
        """Which partitions were read to their end, as the broker said at most 0.2 s ago.

        None of them while what writes them is behind: their end is then not the end. That is asked first, for what it
        writes before it commits is on the topic by the time the ends are read.

        Raises:
            BrinkwatchError: The topic has more partitions than were there at the start, which nobody reads.
        """
        if time.monotonic() - self._checked > CAUGHT_UP_EVERY_S:
            self._check_partitions()
            behind = self._upstream is not None and not self._upstream.settled()
            self._caught_up = dict.fromkeys(self._caught_up, False) if behind else self._at_end()
            self._checked = time.monotonic()
        return dict(self._caught_up)

    def _at_end(self) -> dict[int, bool]:
        """Whether each partition's position is its end; False for all while the broker is away: nobody knows."""
        assigned = list(self._reader.assignment())
        try:
            ends = self._reader.end_offsets(assigned, timeout_ms=METADATA_TIMEOUT_MS)
            return {
                partition.partition: partition in ends and self._reader.position(partition) >= ends[partition]
                for partition in assigned
            }
        except AWAY:
            return dict.fromkeys(self._caught_up, False)

    def _check_partitions(self) -> None:
        if time.monotonic() - self._counted < PARTITIONS_EVERY_S:
            return
        self._counted = time.monotonic()
        there = len(self._reader.partitions_for_topic(self._topic) or self._caught_up)
        if there != len(self._caught_up):
            self.failure = BrinkwatchError(
                f"reading failed: {self._topic}: it has {there} partitions now, {len(self._caught_up)} are read; "
                "starting again reads them all"
            )
            raise self.failure

    def commit(self, messages: Iterable[Outgoing]) -> None:
        """Write ``messages`` and the offsets of what was polled, all or nothing.

        Raises:
            Fenced: Another instance has taken over, or this one stood still in a transaction.
            KafkaError: The transaction failed.
        """
        try:
            self._transact(messages)
        except kafka.errors.KafkaError as error:
            if (why := _fencing(error)) is None:
                raise
            self.failure = Fenced(
                f"writing failed: {self._group}: this process is fenced, nothing that it writes counts any more: "
                f"another one is active now, or it stood still for more than "
                f"{TRANSACTION_TIMEOUT_MS // 1000} s ({type(why).__name__})"
            )
            raise self.failure from error
        self._offsets = {}

    def _transact(self, messages: Iterable[Outgoing]) -> None:
        self._producer.begin_transaction()
        writes = [send(self._producer, message) for message in messages]
        if self._offsets:
            offsets = {partition: OffsetAndMetadata(at, "", -1) for partition, at in self._offsets.items()}
            self._producer.send_offsets_to_transaction(offsets, self._group)
        self._producer.commit_transaction()
        for write in writes:
            write.get(timeout=1)

    @property
    def uncommitted(self) -> bool:
        """Whether messages were polled that no transaction covers yet."""
        return bool(self._offsets)

    def close(self) -> None:
        """Close the connections."""
        if self._consumer:
            self._consumer.close(autocommit=False)
        if self._upstream:
            self._upstream.close()
        self._producer.close(timeout=5)

    @property
    def _reader(self) -> KafkaConsumer:
        if self._consumer is None:
            raise BrinkwatchError(f"reading failed: {self._topic}: start() was not called")
        return self._consumer


def _fencing(error: kafka.errors.KafkaError) -> Exception | None:
    """That we were fenced, if that is what the error says: kafka-python tells what came of it with the reason in it."""
    return next((each for each in (error, *error.args) if isinstance(each, FENCED)), None)


def gather(poll: Callable[[int], list[Message]], at_end: Callable[[], bool], at_most: int) -> list[Message]:
    """What polls give until there are ``at_most``, one gives nothing, nothing is left, or it is too much or too long.

    Args:
        poll: At most so many messages.
        at_end: Whether all is read that is known to be there: then waiting for more would only delay what came.
        at_most: Messages.
    """
    until = time.monotonic() + GATHER_S
    messages = more = poll(at_most)
    size = 0
    while more and len(messages) < at_most and not at_end() and time.monotonic() < until:
        size += sum(len(message.value or b"") for message in more)
        if size >= GATHER_BYTES:
            break
        more = poll(at_most - len(messages))
        messages = messages + more
    return messages
