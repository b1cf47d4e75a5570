"""Survey: what a broker answered, as figures. Reading its answers is pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import TopicPartition

from pipeline.records.topics import Topics

MAX_GROUPS = 100
NO_LEADER = -1
Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Disk:
    """A broker's log folders together, in bytes; ``usable`` is None where nobody says (before Kafka 3.3)."""

    size: int
    usable: int | None


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind on a topic.

    Attributes:
        messages: Offsets that are not committed; the mark of a transaction takes one too.
        seconds: Age of the first message that is not committed; 0 where there is none.
    """

    messages: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Survey:
    """What the broker said at one time.

    Attributes:
        at: When (Unix time).
        brokers: How many live.
        disks: By broker; empty where we may not ask.
        topic_bytes: Size of each of our topics, one replica of each partition.
        under_replicated, offline: Partitions of the whole cluster that lack a replica in sync, or a leader.
        ends: Sum of the end offsets of each of our topics.
        lags: By group and topic.
        members: Of each of our groups.
    """

    at: float
    brokers: int = 0
    disks: Mapping[str, Disk] = field(default_factory=dict)
    topic_bytes: Mapping[str, int] = field(default_factory=dict)
    under_replicated: int = 0
    offline: int = 0
    ends: Mapping[str, int] = field(default_factory=dict)
    lags: Mapping[tuple[str, str], Lag] = field(default_factory=dict)
    members: Mapping[str, int] = field(default_factory=dict)


def ours(group: str, topics: Topics) -> bool:
    """Whether a group is one of the installation's."""
    notifying = topics.notify_group("")
    return group in {topics.extract_group, topics.score_group, topics.score_lease} or group.startswith(notifying)


def reads(topics: Topics) -> dict[str, str]:
    """The groups that read a topic from its beginning, with that topic: they are behind from its first message on."""
    return {topics.extract_group: topics.articles.name, topics.score_group: topics.signals.name}


def alive(brokers: Iterable[Mapping[str, Any]]) -> int:
    """How many brokers the controller hears of. One that is gone stays registered, and is told of as fenced."""
    return sum(not broker.get("is_fenced", False) for broker in brokers)


def with_leader(described: Iterable[Mapping[str, Any]], names: Iterable[str]) -> list[TopicPartition]:
    """The partitions of ``names`` that can be asked of."""
    wanted = set(names)
    return [
        TopicPartition(topic["name"], part["partition_index"])
        for topic in described
        if topic["name"] in wanted
        for part in topic["partitions"]
        if part["leader_id"] != NO_LEADER
    ]


def under_replicated(described: Iterable[Mapping[str, Any]]) -> int:
    """Partitions with fewer replicas in sync than replicas."""
    return sum(len(part["isr_nodes"]) < len(part["replica_nodes"]) for part in _partitions(described))


def offline(described: Iterable[Mapping[str, Any]]) -> int:
    """Partitions without a leader: nobody can write or read them."""
    return sum(part["leader_id"] == NO_LEADER for part in _partitions(described))


def _partitions(described: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for topic in described:
        yield from topic["partitions"]


def disks(answers: Iterable[Mapping[str, Any]]) -> dict[str, Disk]:
    """Size and space of each broker's folders. Folders of one volume say the same space, so the least one counts."""
    found: dict[str, Disk] = {}
    for answer in answers:
        folders = [folder for folder in answer["log_dirs"] if not folder["error_code"]]
        usable = [free for folder in folders if (free := folder.get("usable_bytes", -1)) >= 0]
        size = sum(part["partition_size"] for _, part in _logs(folders))
        found[str(answer["broker"])] = Disk(size, min(usable, default=None))
    return found


def topic_bytes(answers: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, int]:
    """Bytes of each of ``names``: of every partition its largest replica."""
    largest: dict[TopicPartition, int] = {}
    for answer in answers:
        for topic, part in _logs(answer["log_dirs"]):
            if not part["is_future_key"]:
                place = TopicPartition(topic, part["partition_index"])
                largest[place] = max(largest.get(place, 0), part["partition_size"])
    return {name: sum(size for place, size in largest.items() if place.topic == name) for name in names}


def _logs(folders: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for folder in folders:
        for topic in folder["topics"]:
            for part in topic["partitions"]:
                yield topic["name"], part


def total(ends: Offsets) -> dict[str, int]:
    """The sum of the ends of each topic's partitions."""
    sums: dict[str, int] = {}
    for place, end in ends.items():
        sums[place.topic] = sums.get(place.topic, 0) + end
    return sums


def committed(
    told: Mapping[str, Mapping[TopicPartition, int]], begins: Offsets, expected: Mapping[str, str]
) -> dict[str, dict[TopicPartition, int]]:
    """Where each group stands in each partition: what it committed, or the first message that is left if that is later.

    Args:
        told: What each group has committed.
        begins: The first offset of each of our partitions.
        expected: Groups with the topic that they read from its beginning, whether or not they ever committed.
    """
    standing: dict[str, dict[TopicPartition, int]] = {group: {} for group in (*told, *expected)}
    for group, offsets in told.items():
        standing[group] |= {place: max(at, begins[place]) for place, at in offsets.items() if place in begins}
    for group, topic in expected.items():
        for place, begin in begins.items():
            if place.topic == topic:
                standing[group].setdefault(place, begin)
    return standing


def behind(standing: Mapping[str, Offsets], ends: Offsets) -> dict[str, dict[TopicPartition, int]]:
    """Of each group the partitions that it has not committed to the end, with where it stands."""
    return {
        group: {place: at for place, at in offsets.items() if at < ends.get(place, 0)}
        for group, offsets in standing.items()
    }


def lags(
    standing: Mapping[str, Offsets],
    ends: Offsets,
    first_ms: Mapping[tuple[TopicPartition, int], int],
    now: float,
) -> dict[tuple[str, str], Lag]:
    """The lag of each group on each topic that it reads.

    Args:
        standing: Where each group stands.
        ends: Where each partition ends.
        first_ms: When the first message at or behind a place was written; a place that is missing has no message.
        now: Unix time.
    """
    found: dict[tuple[str, str], Lag] = {}
    for group, offsets in standing.items():
        for place, at in offsets.items():
            before = found.get((group, place.topic), Lag(0, 0.0))
            written = first_ms.get((place, at))
            seconds = 0.0 if written is None else max(0.0, now - written / 1000)
            more = max(0, ends.get(place, 0) - at)
            found[group, place.topic] = Lag(before.messages + more, max(before.seconds, seconds))
    return found
