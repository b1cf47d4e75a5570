"""Putting the topics on a broker as ``pipeline.records.topics`` declares them."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.access import BrokerRefuses, check
from config.errors import BrinkwatchError
from config.kafka import connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.settings import Settings
    from pipeline.records.topics import Topic, Topics

REACH_SECONDS = 30.0
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


@dataclass(frozen=True, slots=True)
class Applied:
    """What ``apply_topics`` did and saw.

    Attributes:
        created: Names of the topics that were missing and are there now.
        differences: Of those that existed; they were left alone.
    """

    created: tuple[str, ...]
    differences: tuple[Difference, ...]


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


def apply_topics(settings: Settings, topics: Topics, timeout: float = REACH_SECONDS) -> Applied:
    """Create the topics that are missing, and compare those that exist. Nothing is ever deleted or changed.

    Safe to repeat, and for several processes at once.

    Args:
        settings: Where Kafka is and who we are.
        topics: What must be there.
        timeout: Seconds to keep trying while the broker can't be reached.

    Raises:
        TopicError: If it can't be reached in that time, or refuses.
    """
    with _admin(settings, timeout) as admin:
        try:
            return _apply(admin, topics)
        except Exception as error:
            raise TopicError(f"topics can't be made: {settings.bootstrap_servers}: {_reason(error)}") from error


def _apply(admin: Any, topics: Topics) -> Applied:
    existing = set(admin.list_topics())
    wanted = [topic for topic in topics.all if topic.name not in existing]
    created = _create(admin, wanted) if wanted else ()
    present = [topic for topic in topics.all if topic.name in existing]
    return Applied(created, tuple(_compare(admin, present)) if present else ())


def _create(admin: Any, wanted: list[Topic]) -> tuple[str, ...]:
    from kafka.errors import TopicAlreadyExistsError, for_code

    specs = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": _REPLICAS_OF_BROKER,
            "configs": topic.configs,
        }
        for topic in wanted
    }
    answer = admin.create_topics(specs, raise_errors=False)
    codes = {entry["name"]: for_code(entry["error_code"]) for entry in answer["topics"]}
    for name, code in codes.items():
        if code.errno not in {0, TopicAlreadyExistsError.errno}:  # another process may have been quicker
            raise code(name)
    admin.wait_for_topics([topic.name for topic in wanted])
    return tuple(topic.name for topic in wanted if codes[topic.name].errno == 0)


def _compare(admin: Any, present: list[Topic]) -> Iterator[Difference]:
    from kafka.admin import ConfigResource, ConfigResourceType

    counts = {entry["name"]: len(entry["partitions"]) for entry in admin.describe_topics([t.name for t in present])}
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
