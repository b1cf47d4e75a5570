"""Following topics without a group: what stands in them, then what comes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

import kafka.errors
from kafka import KafkaConsumer, TopicPartition

from config.errors import BrinkwatchError
from config.settings import Settings
from pipeline.kafka.client import consumer, explained, partitions_of
from pipeline.kafka.message import Message, flat
from pipeline.records.topics import Topic

MAX_RECORDS = 500
POLL_MS = 200
METADATA_MS = 10_000
STALL_S = 60.0


class Tail:
    """A reader of committed messages over some topics, each begun where its caller says. One thread only.

    Args:
        settings: Where Kafka is.
        client_id: Name in the broker's logs.

    Raises:
        BrokerUnavailable: No broker answers.
    """

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._reader: KafkaConsumer = consumer(
            settings, client_id, group_id=None, isolation_level="read_committed", fetch_max_wait_ms=50
        )
        self._assigned: list[TopicPartition] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close(autocommit=False)

    def from_beginning(self, topic: Topic) -> None:
        """Read ``topic`` from its first message."""
        self._begin(topic, self._reader.seek_to_beginning)

    def from_end(self, topic: Topic) -> None:
        """Read of ``topic`` only what comes from now on."""
        ends = self.ends(topic)
        self._begin(topic, lambda *parts: [self._reader.seek(part, ends[part]) for part in parts])

    def from_time(self, topic: Topic, since: datetime) -> None:
        """Read ``topic`` from the first message written at or after ``since``."""
        ends = self.ends(topic)
        with self._explained():
            wanted = dict.fromkeys(ends, int(since.timestamp() * 1000))
            found: dict[TopicPartition, Any] = self._reader.offsets_for_times(wanted)
        starts = {part: found[part].offset if found.get(part) else end for part, end in ends.items()}
        self._begin(topic, lambda *parts: [self._reader.seek(part, starts[part]) for part in parts])

    def from_place(self, topic: Topic, partition: int, offset: int) -> None:
        """Read one partition of ``topic`` from ``offset`` on.

        Raises:
            BrinkwatchError: There is no such partition, or it does not hold the offset.
        """
        part = TopicPartition(topic.name, partition)
        ends = self.ends(topic)
        if part not in ends:
            raise BrinkwatchError(f"reading failed: {topic.name}: partition {partition}: there are {len(ends)}")
        with self._explained():
            start = self._reader.beginning_offsets([part], timeout_ms=METADATA_MS)[part]
        if not start <= offset < ends[part]:
            held = f"it holds {start} to {ends[part] - 1}" if start < ends[part] else "it holds nothing"
            raise BrinkwatchError(f"reading failed: {topic.name}: {partition}:{offset}: not in the partition: {held}")
        self._assigned.append(part)
        self._reader.assign(self._assigned)
        self._reader.seek(part, offset)

    def poll(self, timeout_ms: int = POLL_MS) -> list[Message]:
        """What came, within ``timeout_ms``; empty if nothing did, or while the broker is away.

        Raises:
            BrinkwatchError: We may see the topic, but not read it.
        """
        try:
            return list(flat(self._reader.poll(timeout_ms=timeout_ms, max_records=MAX_RECORDS)))
        except kafka.errors.AuthorizationError as error:
            who = f"user {self._settings.sasl_username!r}" if self._settings.sasl_username else "this client"
            where = f"{self._settings.bootstrap_servers}: {', '.join(sorted({part.topic for part in self._assigned}))}"
            raise BrinkwatchError(f"reading failed: {where}: {who} may not read it ({error!r})") from error

    def to_end(self) -> Iterator[Message]:
        """Everything up to the ends of the topics as they are now.

        Raises:
            BrinkwatchError: Nothing came for a minute.
        """
        with self._explained():
            ends = self._reader.end_offsets(self._assigned, timeout_ms=METADATA_MS)
        before, since = self._positions(), time.monotonic()
        while any(before[part] < end for part, end in ends.items()):
            yield from self.poll()
            positions = self._positions()
            if positions != before:
                before, since = positions, time.monotonic()
            elif time.monotonic() - since > STALL_S:
                where = f"{self._settings.bootstrap_servers}: {', '.join(sorted({part.topic for part in ends}))}"
                raise BrinkwatchError(f"reading failed: {where}: nothing came for {STALL_S:.0f} s; is the broker up?")

    def ends(self, topic: Topic) -> dict[TopicPartition, int]:
        """The offset after the last committed message of each partition."""
        with self._explained():
            ends: dict[TopicPartition, int] = self._reader.end_offsets(self._partitions(topic), timeout_ms=METADATA_MS)
        return ends

    def held(self, topics: Iterable[Topic]) -> dict[str, int]:
        """How many offsets each topic spans from its first message to its end (transactions' marks count too)."""
        counts = {}
        for topic in topics:
            ends = self.ends(topic)
            with self._explained():
                starts = self._reader.beginning_offsets(list(ends), timeout_ms=METADATA_MS)
            counts[topic.name] = sum(end - starts[part] for part, end in ends.items())
        return counts

    def _begin(self, topic: Topic, seek: Any) -> None:
        partitions = self._partitions(topic)
        positions = self._positions()
        self._assigned += partitions
        self._reader.assign(self._assigned)
        for part, position in positions.items():
            self._reader.seek(part, position)
        seek(*partitions)

    def _positions(self) -> dict[TopicPartition, int]:
        return {part: self._reader.position(part) for part in self._assigned}

    def _partitions(self, topic: Topic) -> list[TopicPartition]:
        with self._explained():
            return partitions_of(self._reader, topic.name)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with explained(self._settings):
                yield
        except kafka.errors.KafkaError as error:
            raise BrinkwatchError(f"reading failed: {self._settings.bootstrap_servers}: {error!r}") from error
