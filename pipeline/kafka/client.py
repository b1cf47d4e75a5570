"""kafka-python clients as the settings say, with errors a person can act on."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import kafka.errors
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from config.errors import BrinkwatchError
from config.kafka import connection
from config.settings import Settings

BOOTSTRAP_MS = 15_000
RECONNECT_MS = 1_000
METADATA_MS = 5_000
REACH_TRIES = 4
REACH_PAUSE_S = 0.5
REACH_TIMEOUT_S = 3.0
DEFAULT_PORT = 9092
MAX_REQUEST_BYTES = 17 * 1024 * 1024
"""A dead letter may be as large as its topic takes (16 MiB), plus its headers."""


class BrokerUnavailable(BrinkwatchError):  # noqa: N818  it names a state of the broker
    """Kafka can't be reached, or does not let us in."""


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turn kafka-python's connection errors into one that says where, and what to look at."""
    try:
        yield
    except (
        kafka.errors.SaslAuthenticationFailedError,
        kafka.errors.KafkaTimeoutError,
        kafka.errors.KafkaConnectionError,
    ) as error:
        raise _unavailable(settings, error) from error


def _unavailable(settings: Settings, error: Exception) -> BrokerUnavailable:
    hint = "is the broker up"
    if settings.security_protocol != "PLAINTEXT":
        hint += ", and are user, password and certificates right? A refused password shows only as a time-out"
    return BrokerUnavailable(
        f"connecting to Kafka failed: {settings.bootstrap_servers} ({settings.security_protocol}): {error}; {hint}"
    )


def consumer(settings: Settings, client_id: str, **options: Any) -> KafkaConsumer:
    """A consumer; it reads from the earliest offset and commits only when told.

    Raises:
        BrokerUnavailable: No broker answers within 15 s.
    """
    defaults: dict[str, Any] = {
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "reconnect_backoff_max_ms": RECONNECT_MS,
        "allow_auto_create_topics": False,
        # A group leader that does not know the topic yet assigns nothing, until its metadata is read again: by default
        # after five minutes.
        "metadata_max_age_ms": METADATA_MS,
    }
    return _make(KafkaConsumer, settings, {**defaults, **connection(settings, client_id), **options})


def partitions_of(reader: KafkaConsumer, topic: str) -> list[TopicPartition]:
    """The topic's partitions, in order.

    Raises:
        BrinkwatchError: It does not exist.
    """
    numbers = reader.partitions_for_topic(topic)
    if not numbers:
        raise BrinkwatchError(f"reading failed: {topic}: the topic does not exist; `brinkwatch up` creates it")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


def producer(settings: Settings, client_id: str, **options: Any) -> KafkaProducer:
    """An idempotent producer that waits for all replicas.

    Raises:
        BrokerUnavailable: No broker answers within 15 s.
    """
    defaults: dict[str, Any] = {
        "acks": "all",
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "reconnect_backoff_max_ms": RECONNECT_MS,
        "allow_auto_create_topics": False,
        "max_request_size": MAX_REQUEST_BYTES,
    }
    return _make(KafkaProducer, settings, {**defaults, **connection(settings, client_id), **options})


def admin(settings: Settings, client_id: str, **options: Any) -> KafkaAdminClient:
    """A client that asks the cluster about itself.

    Raises:
        BrokerUnavailable: No broker answers within 15 s.
    """
    defaults: dict[str, Any] = {"bootstrap_timeout_ms": BOOTSTRAP_MS, "reconnect_backoff_max_ms": RECONNECT_MS}
    return _make(KafkaAdminClient, settings, {**defaults, **connection(settings, client_id), **options})


def _make(kind: Callable[..., Any], settings: Settings, options: dict[str, Any]) -> Any:
    left = _reach(settings)
    with explained(settings):
        return kind(**{**options, "bootstrap_timeout_ms": min(options["bootstrap_timeout_ms"], left)})


def _reach(settings: Settings) -> int:
    """Open a plain connection to one of the brokers, in a few tries; the milliseconds that are left for the client.

    A kafka-python client that is made while no broker listens leaves a thread and four open files behind, for ever:
    who tries again and again must not make one.
    """
    deadline = time.monotonic() + BOOTSTRAP_MS / 1000
    for pause in (0.0, *[REACH_PAUSE_S] * (REACH_TRIES - 1)):
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
        error = _refusal(settings.bootstrap_servers, deadline)
        left = deadline - time.monotonic()
        if error is None or left <= 0:
            break
    if error is not None:
        raise _unavailable(settings, error) from error
    return max(1, round(left * 1000))


def _refusal(servers: str, deadline: float) -> Exception | None:
    """Why no broker lets us connect; None if one does."""
    error: Exception = TimeoutError("timed out")
    for address in servers.split(","):
        seconds = min(REACH_TIMEOUT_S, deadline - time.monotonic())
        if seconds <= 0:
            break
        try:
            parts = urlsplit(f"//{address.strip()}")
            socket.create_connection((parts.hostname or "", parts.port or DEFAULT_PORT), seconds).close()
        except (OSError, ValueError) as refused:  # ValueError: no port number
            error = refused
        else:
            return None
    return error
