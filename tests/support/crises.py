"""An installation whose signals are news of a crisis, and what score says of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from kafka import KafkaAdminClient
from samples import signal
from service import Topic, wait_for

from config.kafka import connection
from pipeline.kafka.client import producer
from pipeline.records import Alert, EventType, Transition, decode, encode
from pipeline.records.topics import Topics

BEGIN = datetime(2021, 5, 6, 12, tzinfo=UTC)


class Crisis:
    """An installation on the broker: grave news of several dyads in, what score says of them out."""

    def __init__(self, broker, folder, **changes) -> None:
        defaults = {"clock": "records", "score_metrics_port": 0, "data_dir": folder}
        self.settings = broker.settings("crisis").model_copy(update={**defaults, **changes})
        self.topics = Topics(self.settings.topic_prefix)
        self.dyads, self.alerts = self._topic(self.topics.dyads), self._topic(self.topics.alerts)
        self.hour = 0

    def _topic(self, topic) -> Topic:
        return Topic(self.settings, topic.name)

    def news(self) -> datetime:
        """An hour's news: three outlets tell of an attack in each dyad; the time that they were observed."""
        self.hour += 1
        at = BEGIN + timedelta(hours=self.hour)
        with producer(self.settings, "test") as sender:
            for number in range(24):
                key, name = (
                    f"{'ABCDEFGH'[number % 8]}AA-ZZZ",
                    hashlib.blake2b(f"{at} {number}".encode(), digest_size=16).hexdigest(),
                )
                told = signal(
                    signal_id=name, article_id=name, source=f"outlet{number}.example", observed_at=at, published_at=at,
                    event_type=EventType.FORCE, dyads=(key,), story="",
                )  # fmt: skip
                sender.send(self.topics.signals.name, key=key.encode(), value=encode(told))
            sender.flush()
        return at

    def grow(self, partitions: int) -> None:
        """Give the signals more partitions."""
        admin = KafkaAdminClient(**connection(self.settings, "test"))
        try:
            admin.create_partitions({self.topics.signals.name: partitions})
        finally:
            admin.close()

    def scored(self, at: datetime) -> bool:
        """Whether all eight dyads stand as of ``at`` or later."""
        latest = {m.key: m.value for m in self.dyads.look()}
        return len(latest) == 8 and all(f'"at":"{at:%Y-%m-%dT%H}'.encode() in value for value in latest.values())

    def goes_on(self, what: str) -> None:
        """Send an hour's news, and wait until it is scored."""
        at = self.news()
        wait_for(lambda: self.scored(at), 120, what)

    def opinions(self) -> dict[str, list[Alert]]:
        """The transitions of each alert, as committed."""
        found = defaultdict(list)
        for message in self.alerts.look():
            alert = decode(message.value, Alert)
            found[alert.alert_id].append(alert)
        return found

    def one_opinion(self) -> bool:
        """Whether each of the eight dyads' alerts was raised once, and its transitions are numbered without a gap."""
        told = self.opinions()
        return len(told) == 8 and all(
            [each.sequence for each in transitions] == list(range(1, len(transitions) + 1))
            and [each.transition for each in transitions].count(Transition.RAISED) == 1
            for transitions in told.values()
        )

    def close(self) -> None:
        self.dyads.close()
        self.alerts.close()
