"""Surveyor: asks the broker, with a bound on every question."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, Self

import kafka.errors
from kafka import TopicPartition
from kafka.admin import OffsetSpec

from config.errors import BrinkwatchError
from config.settings import Settings
from pipeline.kafka.client import admin, consumer, explained
from pipeline.monitor import survey
from pipeline.monitor.survey import Survey
from pipeline.records.topics import Topics

log = logging.getLogger(__name__)
REQUEST_MS = 5_000
FIRST_S = 5.0
"""How long the first messages that are not committed are waited for."""
FETCH_BYTES = 128 * 1024
MAX_FETCH_BYTES = 2 * 1024 * 1024
CLIENT = "monitor"


class Surveyor:
    """Asks one cluster, with clients that it keeps; after a failure ``close`` it and make another."""

    def __init__(self, settings: Settings) -> None:
        """Connect.

        Raises:
            BrokerUnavailable: No broker answers.
        """
        self._settings, self._topics = settings, Topics(settings.topic_prefix)
        self._admin = admin(settings, CLIENT, request_timeout_ms=REQUEST_MS)
        self._reader: Any = None
        self._refused = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._reader is not None:
            self._reader.close(autocommit=False)
        self._admin.close()

    def look(self) -> Survey:
        """What the broker says now.

        Raises:
            BrinkwatchError: It does not answer, or refuses.
        """
        with explained(self._settings):
            try:
                return self._look()
            except kafka.errors.KafkaError as error:
                raise BrinkwatchError(f"asking Kafka failed: {self._settings.bootstrap_servers}: {error!r}") from error

    def _look(self) -> Survey:
        cluster = self._admin.describe_cluster()
        described = self._admin.describe_topics(None)
        names = [topic.name for topic in self._topics.all]
        folders = self._folders()
        places = survey.with_leader(described, names)
        begins, ends = self._offsets(places, OffsetSpec.EARLIEST), self._offsets(places, OffsetSpec.LATEST)
        groups = self._groups()
        standing = survey.committed(self._committed(groups), begins, survey.reads(self._topics))
        first = self._first(survey.behind(standing, ends))
        return Survey(
            at=time.time(),
            brokers=survey.alive(cluster["brokers"]),
            disks=survey.disks(folders),
            topic_bytes=survey.topic_bytes(folders, names) if folders else {},
            under_replicated=survey.under_replicated(described),
            offline=survey.offline(described),
            ends=survey.total(ends),
            lags=survey.lags(standing, ends, first, time.time()),
            members=self._members(groups),
        )

    def _folders(self) -> list[dict[str, Any]]:
        """What the brokers say of their log folders; nothing where we may not ask, which is told once."""
        try:
            answers: list[dict[str, Any]] = self._admin.describe_log_dirs()
        except (kafka.errors.ClusterAuthorizationFailedError, kafka.errors.UnsupportedVersionError) as error:
            if not self._refused:
                log.warning("the broker does not tell of its disks", extra={"fields": {"why": repr(error)}})
            self._refused = True
            return []
        return answers

    def _offsets(self, places: list[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        if not places:
            return {}
        found = self._admin.list_partition_offsets(dict.fromkeys(places, spec), timeout_ms=REQUEST_MS)
        return {place: each.offset for place, each in found.items()}

    def _groups(self) -> list[str]:
        named = sorted(group["group_id"] for group in self._admin.list_groups())
        return [name for name in named if survey.ours(name, self._topics)][: survey.MAX_GROUPS]

    def _committed(self, groups: list[str]) -> dict[str, dict[TopicPartition, int]]:
        told = self._admin.list_group_offsets(dict.fromkeys(groups)) if groups else {}
        return {
            group: {place: each.offset for place, each in offsets.items() if each.offset >= 0}
            for group, offsets in told.items()
        }

    def _members(self, groups: list[str]) -> dict[str, int]:
        told = self._admin.describe_groups(groups) if groups else {}
        return {group: len(each["members"]) for group, each in told.items()}

    def _first(self, behind: Mapping[str, Mapping[TopicPartition, int]]) -> dict[tuple[TopicPartition, int], int]:
        """When the first committed message at or behind each place was written, in ms; none where none came in time."""
        found: dict[tuple[TopicPartition, int], int] = {}
        deadline = time.monotonic() + FIRST_S
        for places in behind.values():
            wanted = {place: at for place, at in places.items() if (place, at) not in found}
            if wanted:
                found |= self._written(wanted, deadline)
        return found

    def _written(self, wanted: Mapping[TopicPartition, int], deadline: float) -> dict[tuple[TopicPartition, int], int]:
        reader = self._reader = self._reader or self._made()
        reader.assign(list(wanted))
        for place, at in wanted.items():
            reader.seek(place, at)
        found: dict[tuple[TopicPartition, int], int] = {}
        open_ = set(wanted)
        while open_ and time.monotonic() < deadline:
            for place, records in reader.poll(timeout_ms=200, max_records=len(wanted)).items():
                found.setdefault((place, wanted[place]), records[0].timestamp)
                open_.discard(place)
                reader.pause(place)
            open_ -= {place for place in open_ if _at_end(reader, place)}
        reader.unsubscribe()  # else it would go on fetching
        return found

    def _made(self) -> Any:
        return consumer(
            self._settings,
            CLIENT,
            group_id=None,
            isolation_level="read_committed",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=MAX_FETCH_BYTES,
        )


def _at_end(reader: Any, place: TopicPartition) -> bool:
    """Whether nothing but marks of transactions was left."""
    highwater = reader.highwater(place)
    return highwater is not None and reader.position(place, timeout_ms=REQUEST_MS) >= highwater
