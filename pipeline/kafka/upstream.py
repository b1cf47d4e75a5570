"""Whether what feeds a topic has been worked off: whether its silence means that nothing happened."""

from __future__ import annotations

import time

import kafka.errors
from kafka import TopicPartition

from config.settings import Settings
from pipeline.kafka.client import consumer

EVERY_S = 0.5
TIMEOUT_MS = 5_000
AWAY = (kafka.errors.KafkaTimeoutError, kafka.errors.KafkaConnectionError)
"""What a question ends with while the broker is away: a refused connection too, where the coordinator is looked for."""


class Upstream:
    """A consumer group and the topic it reads; it is only looked at, never joined."""

    def __init__(self, settings: Settings, topic: str, group: str, client_id: str) -> None:
        self._topic = topic
        self._consumer = consumer(settings, client_id, group_id=group)
        self._settled = False
        self._checked = 0.0

    def settled(self) -> bool:
        """Whether the group had committed all of the topic, as the broker said at most half a second ago.

        False while the broker is away: nobody knows.
        """
        if time.monotonic() - self._checked > EVERY_S:
            try:
                self._settled = self._look()
            except AWAY:
                self._settled = False
            self._checked = time.monotonic()
        return self._settled

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close(autocommit=False)

    def _look(self) -> bool:
        partitions = [TopicPartition(self._topic, n) for n in self._consumer.partitions_for_topic(self._topic) or ()]
        begins = self._consumer.beginning_offsets(partitions, timeout_ms=TIMEOUT_MS)
        ends = self._consumer.end_offsets(partitions, timeout_ms=TIMEOUT_MS)
        return all(
            end <= max(begins[partition], self._consumer.committed(partition, timeout_ms=TIMEOUT_MS) or 0)
            for partition, end in ends.items()
        )
