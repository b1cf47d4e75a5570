"""kafka-python clients as the settings say, with errors a person can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import kafka.errors
from kafka import KafkaConsumer, KafkaProducer

from config.errors import BrinkwatchError
from config.kafka import connection
from config.settings import Settings

BOOTSTRAP_MS = 15_000
RECONNECT_MS = 1_000
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
        hint = "is the broker up"
        if settings.security_protocol != "PLAINTEXT":
            hint += ", and are user, password and certificates right? A refused password shows only as a time-out"
        raise BrokerUnavailable(
            f"connecting to Kafka failed: {settings.bootstrap_servers} ({settings.security_protocol}): {error}; {hint}"
        ) from error


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
    }
    return _make(KafkaConsumer, settings, {**defaults, **connection(settings, client_id), **options})


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


def _make(kind: Callable[..., Any], settings: Settings, options: dict[str, Any]) -> Any:
    with explained(settings):
        return kind(**options)
