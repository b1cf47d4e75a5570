"""The topics: names, partitions, retention and cleanup, declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DAY_MS = 24 * 60 * 60 * 1000
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it must be.

    Attributes:
        name: Full name, with prefix and version.
        partitions: How many, when it is created.
        cleanup: ``delete`` after the retention, or ``compact`` by key.
        retention_ms: How long messages stay; None for compacted topics.
        max_message_bytes: Largest message that the broker takes.
    """

    name: str
    partitions: int
    cleanup: Literal["delete", "compact"]
    retention_ms: int | None
    max_message_bytes: int = 8 * MIB

    @property
    def configs(self) -> dict[str, str]:
        """Topic settings in Kafka's names."""
        values = {"cleanup.policy": self.cleanup, "max.message.bytes": str(self.max_message_bytes)}
        if self.retention_ms is not None:
            values["retention.ms"] = str(self.retention_ms)
        if self.cleanup == "compact":
            values |= {
                "min.cleanable.dirty.ratio": "0.1",
                "segment.ms": str(DAY_MS),
                "segment.bytes": str(64 * MIB),
                "delete.retention.ms": str(7 * DAY_MS),
            }
        return values


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic of one installation; ``prefix`` is ``brinkwatch`` unless the settings say otherwise."""

    prefix: str = "brinkwatch"

    @property
    def articles(self) -> Topic:
        """Articles, keyed by article id."""
        return Topic(f"{self.prefix}.articles.v1", 4, "delete", 7 * DAY_MS)

    @property
    def signals(self) -> Topic:
        """Signals, keyed by dyad."""
        return Topic(f"{self.prefix}.signals.v1", 4, "delete", 90 * DAY_MS)

    @property
    def alerts(self) -> Topic:
        """Transitions of alerts, keyed by alert id."""
        return Topic(f"{self.prefix}.alerts.v1", 1, "delete", 365 * DAY_MS)

    @property
    def alerts_current(self) -> Topic:
        """Open alerts only, keyed by alert id; a tombstone when resolved."""
        return Topic(f"{self.prefix}.alerts.current.v1", 1, "compact", None)

    @property
    def dyads(self) -> Topic:
        """Dyads, keyed by dyad: how things stand, and the state to restart from."""
        return Topic(f"{self.prefix}.dyads.v1", 1, "compact", None)

    @property
    def deadletter(self) -> Topic:
        """What could not be used: the original bytes, with the reason in headers."""
        return Topic(f"{self.prefix}.deadletter.v1", 1, "delete", 30 * DAY_MS, 16 * MIB)

    @property
    def all(self) -> tuple[Topic, ...]:
        """Every topic."""
        return (self.articles, self.signals, self.alerts, self.alerts_current, self.dyads, self.deadletter)

    @property
    def extract_group(self) -> str:
        """Consumer group of the extract replicas."""
        return f"{self.prefix}.extract"

    @property
    def score_group(self) -> str:
        """Group under which score commits its offsets, and its transactional id."""
        return f"{self.prefix}.score"

    @property
    def score_lease(self) -> str:
        """Group of the processes of score, of which one is active and the others stand by."""
        return f"{self.prefix}.score.lease"

    @property
    def redrive_id(self) -> str:
        """Transactional id of whoever sends dead letters again: one at a time."""
        return f"{self.prefix}.redrive"

    def notify_group(self, receiver: str) -> str:
        """Consumer group of a receiver of alerts."""
        return f"{self.prefix}.notify.{receiver}"
