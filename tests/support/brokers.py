"""A real broker that tests share; each takes topics of its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loopback import LOOPBACK

from config.settings import Settings, load_settings
from deploy.topics import apply_topics
from pipeline.records.topics import Topics

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.kafka import EmbeddedKafka


@dataclass(frozen=True)
class Broker:
    """The session's broker.

    Attributes:
        kafka: The broker itself; a test that kills it must start it again.
        folder: Where data folders of tests go.
    """

    kafka: EmbeddedKafka
    folder: Path

    def settings(self, prefix: str = "test", *, topics: bool = True) -> Settings:
        """Settings of a new installation on this broker: topic prefix, group ids and data folder are its own.

        Args:
            prefix: First part of the topic prefix; a random part follows.
            topics: Whether its topics are made at once.
        """
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        settings = load_settings(
            bootstrap_servers=self.kafka.bootstrap_servers,
            topic_prefix=name,
            data_dir=self.folder / name,
            fetch_allow_networks=LOOPBACK,
            heartbeat_interval_s=0,  # a slow test must not find an article that it did not send
        )
        if topics:
            apply_topics(settings, Topics(name))
        return settings
