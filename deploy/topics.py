"""Putting the topics on a broker as ``pipeline.records.topics`` declares them."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from config.access import BrokerRefuses, check
from config.errors import BrinkwatchError
from config.kafka import connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from config.settings import Settings
    from pipeline.records.topics import Topic, Topics

REACH_SECONDS = 30.0
CAN_GROW = ("articles", "signals")
"""Of the others an old partition would keep an old state for ever, or the order of an alert's transitions be lost."""
MOST_PARTITIONS = 1000
_TRY_MS = 3000
_REFUSED_SECONDS = 2.0  # a broker that has just started does not know its users yet
_REPLICAS_OF_BROKER = -1  # the broker's default.replication.factor


class TopicError(BrinkwatchError):
    """Topics that can't be made or looked at."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a topic on the broker differs from what it must be.

    Attributes:
        topic: Its name.
        setting: ``partitions``, or the name of a topic setting.
        expected: What the declaration says.
        found: What the broker says; None if it names no such setting.
    """

    topic: str
    setting: str
    expected: str
    found: str | None

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.found}, not {self.expected}"

    @property
    def is_fault(self) -> bool:
        """Whether nothing must run on it so: it could lose data, or stand still.

        Another retention is an operator's choice of how much disk to give. Another clean-up is none: a state that is
        deleted by age, or alerts of which only the last is kept. Nor is a broker that refuses large messages.
        """
        if self.setting == "max.message.bytes":
            return not (self.found or "").isdigit() or int(self.found or 0) < int(self.expected)
        return self.setting in {"cleanup.policy", "partitions"}


@dataclass(frozen=True, slots=True)
class Wish:
    """How topics are to be applied.

    Attributes:
        partitions: Of articles or signals, by these words, where there are to be more than declared.
        grow: Whether a topic that exists with fewer partitions gets more.
        dry_run: Whether to only say what would be done.
    """

    partitions: Mapping[str, int] = field(default_factory=dict)
    grow: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """What ``apply_topics`` did, or would do, and saw.

    Attributes:
        created: Names of the topics that were missing and are there now.
        differences: Of those that existed; they were left alone.
        grown: Names of the topics that have more partitions now.
    """

    created: tuple[str, ...]
    differences: tuple[Difference, ...]
    grown: tuple[str, ...] = ()


def wanted(topics: Topics, partitions: Mapping[str, int]) -> tuple[Topic, ...]:
    """The topics, with more partitions where that is wished.

    Raises:
        TopicError: A topic that can't have more, or a number out of bounds.
    """
    more: dict[str, int] = {}
    for word, number in partitions.items():
        if word not in CAN_GROW:
            raise TopicError(f"topics can't be made: {word}: only {' and '.join(CAN_GROW)} can have more partitions")
        topic: Topic = getattr(topics, word)
        if not topic.partitions <= number <= MOST_PARTITIONS:
            why = f"partitions from {topic.partitions} to {MOST_PARTITIONS}, not {number}"
            raise TopicError(f"topics can't be made: {word}: {why}")
        more[topic.name] = number
    return tuple(replace(topic, partitions=more.get(topic.name, topic.partitions)) for topic in topics.all)


def differences(topic: Topic, partitions: int, configs: Mapping[str, str | None]) -> tuple[Difference, ...]:
    """How a topic with ``partitions`` and ``configs`` differs from its declaration.

    More partitions than declared is an operator's choice for more replicas, and no difference.
    """
    found: list[Difference] = []
    if partitions < topic.partitions:
        found.append(Difference(topic.name, "partitions", str(topic.partitions), str(partitions)))
    for setting, expected in topic.configs.items():
        if configs.get(setting) != expected:
            found.append(Difference(topic.name, setting, expected, configs.get(setting)))
    return tuple(found)


def apply_topics(
    settings: Settings, topics: Topics, timeout: float = REACH_SECONDS, wish: Wish | None = None
) -> Applied:
    """Create the topics that are missing, and compare those that exist.

    Nothing is ever deleted, no setting is changed, and a topic gets more partitions only where ``wish`` says so. Safe
    to repeat, and for several processes at once.

    Args:
        settings: Where Kafka is and who we are.
        topics: What must be there.
        timeout: Seconds to keep trying while the broker can't be reached.
        wish: How; as declared, if not said.

    Raises:
        TopicError: If it can't be reached in that time, or refuses; or the wish can't be had.
    """
    wish = wish or Wish()
    declared = wanted(topics, wish.partitions)
    with _admin(settings, timeout) as admin:
        try:
            return _apply(admin, declared, wish)
        except Exception as error:
            raise TopicError(f"topics can't be made: {settings.bootstrap_servers}: {_reason(error)}") from error


def _apply(admin: Any, declared: Sequence[Topic], wish: Wish) -> Applied:
    existing = set(admin.list_topics())
    missing = [topic for topic in declared if topic.name not in existing]
    created = tuple(topic.name for topic in missing)
    if missing and not wish.dry_run:
        created = _create(admin, missing)
    # Those too that another process made meanwhile, or of which this broker had not heard yet.
    present = [topic for topic in declared if topic.name not in created]
    found = tuple(_compare(admin, present)) if present else ()
    small = {each.topic for each in found if each.setting == "partitions"} if wish.grow else set[str]()
    growing = [topic for topic in present if topic.name in small]
    if growing and not wish.dry_run:
        _grow(admin, growing)
    left = tuple(each for each in found if each.setting != "partitions" or each.topic not in small)
    return Applied(created, left, tuple(topic.name for topic in growing))


def _grow(admin: Any, small: list[Topic]) -> None:
    """Give topics the partitions that they lack, and wait until that is known: who asks next must see them."""
    from kafka.errors import KafkaTimeoutError

    wanted_counts = {topic.name: topic.partitions for topic in small}
    admin.create_partitions(wanted_counts)
    deadline = time.monotonic() + REACH_SECONDS
    while any(count < wanted_counts[name] for name, count in _counts(admin, list(wanted_counts)).items()):
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(f"{', '.join(wanted_counts)}: made, but the brokers do not tell of them yet")
        time.sleep(0.1)


def _counts(admin: Any, names: list[str]) -> dict[str, int]:
    return {entry["name"]: len(entry["partitions"]) for entry in admin.describe_topics(names)}


def _create(admin: Any, missing: list[Topic]) -> tuple[str, ...]:
    from kafka.errors import TopicAlreadyExistsError, for_code

    specs = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": _REPLICAS_OF_BROKER,
            "configs": topic.configs,
        }
        for topic in missing
    }
    answer = admin.create_topics(specs, raise_errors=False)
    codes = {entry["name"]: for_code(entry["error_code"]) for entry in answer["topics"]}
    for name, code in codes.items():
        if code.errno not in {0, TopicAlreadyExistsError.errno}:  # another process may have been quicker
            raise code(name)
    admin.wait_for_topics([topic.name for topic in missing])
    return tuple(topic.name for topic in missing if codes[topic.name].errno == 0)


def _compare(admin: Any, present: list[Topic]) -> Iterator[Difference]:
    from kafka.admin import ConfigResource, ConfigResourceType

    counts = _counts(admin, [topic.name for topic in present])
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in present]
    described = admin.describe_configs(resources, config_filter="all")
    by_name = next(iter(described.values()))
    for topic in present:
        configs = {key: str(entry["value"]) for key, entry in by_name[topic.name].items()}
        yield from differences(topic, counts[topic.name], configs)


@contextlib.contextmanager
def _admin(settings: Settings, timeout: float) -> Iterator[Any]:
    """An admin client, tried until the broker answers.

    Raises:
        TopicError: If it does not within ``timeout`` seconds.
    """
    from kafka import KafkaAdminClient

    deadline = time.monotonic() + timeout
    options = connection(settings, "admin")
    while True:
        try:
            check(settings, _TRY_MS / 1000)
            admin = KafkaAdminClient(**options, bootstrap_timeout_ms=_TRY_MS, request_timeout_ms=10 * _TRY_MS)
            break
        except BrokerRefuses as error:
            if time.monotonic() > deadline - timeout + _REFUSED_SECONDS:
                raise TopicError(f"topics can't be made: {error}") from error
            time.sleep(0.2)
        except Exception as error:
            if time.monotonic() > deadline:
                raise TopicError(_unreachable(settings, error)) from error
            time.sleep(0.2)
    try:
        yield admin
    finally:
        admin.close()


def _unreachable(settings: Settings, error: Exception) -> str:
    """What may be wrong, in words: kafka-python only says that it is unable to bootstrap, even of a bad password."""
    hint = (
        f"nothing answers there over {settings.security_protocol}: is the broker up, and are the address and "
        "security_protocol right?"
    )
    return f"Kafka can't be reached: {settings.bootstrap_servers}: {hint} ({_reason(error)})"


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
