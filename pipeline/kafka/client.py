"""kafka-python clients as the settings say, with errors a person can act on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import kafka.errors
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from config.access import BrokerRefuses, BrokerUnavailable, check, dial
from config.errors import BrinkwatchError
from config.health import board
from config.kafka import connection
from config.settings import Settings
from pipeline.kafka.records import tolerate_header_keys

log = logging.getLogger(__name__)
BOOTSTRAP_MS = 15_000
RECONNECT_MS = 1_000
METADATA_MS = 5_000
REACH_TRIES = 4
REACH_PAUSE_S = 0.5
REACH_TIMEOUT_S = 3.0
"""How long one broker may take to let us connect."""
START_S = 600.0
"""How long a job that starts waits for a broker that refuses every connection; then it says so, and ends."""
SAY_EVERY_S = 60.0
MAX_REQUEST_BYTES = 17 * 1024 * 1024
"""A dead letter may be as large as its topic takes (16 MiB), plus its headers."""


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
    hint = "is the broker up, and does it speak this protocol there?"
    return BrokerUnavailable(
        f"connecting to Kafka failed: {settings.bootstrap_servers} ({settings.security_protocol}): {error}; {hint}"
    )


def consumer(settings: Settings, client_id: str, **options: Any) -> KafkaConsumer:
    """A consumer; it reads from the earliest offset and commits only when told.

    Raises:
        BrokerUnavailable: No broker answers within 15 s.
    """
    tolerate_header_keys()
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
        BrinkwatchError: It does not exist, as far as we may see.
    """
    numbers = reader.partitions_for_topic(topic)
    if not numbers:
        # A broker does not show topics to those who may not see them.
        who = getattr(reader, "config", {}).get("sasl_plain_username")
        why = f"or user {who!r} may not see it" if who else "`brinkwatch topics apply` creates it"
        raise BrinkwatchError(f"reading failed: {topic}: the topic does not exist; {why}")
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


class Patience:
    """How long an answer of the broker may take. Time in which none lets us connect does not count, up to a last bound.

    A process that ends for want of a broker only has to start again, and to wait then.

    Args:
        connects: Whether a broker lets us connect now.
        seconds: How long one that does may take.
        longest_s: How long all of it may take.
        clock: In seconds.
    """

    def __init__(
        self,
        connects: Callable[[], bool],
        seconds: float,
        longest_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connects, self._seconds, self._longest_s, self._clock = connects, seconds, longest_s, clock
        self._begun = self._there = clock()

    @property
    def over(self) -> bool:
        """Whether to wait no longer; ask it now and then, for it looks whether a broker is there."""
        if not self._connects():
            self._there = self._clock()
        now = self._clock()
        return now - self._there > self._seconds or now - self._begun > self._longest_s


def connects(settings: Settings) -> bool:
    """Whether one of the brokers lets us connect now; nothing is asked of it."""
    return _unreachable(settings) is None


def await_broker(settings: Settings, stop: threading.Event, seconds: float = START_S) -> None:
    """Return when a broker lets us connect, when ``stop`` is set, or after ``seconds``: then whoever needs it says why.

    So a job that is started while Kafka is away costs nothing, and is there within seconds of its return.
    """
    begun = time.monotonic()
    say_at = begun + REACH_PAUSE_S
    while (why := _unreachable(settings)) is not None:
        now = time.monotonic()
        if now - begun > seconds:
            return
        if now > say_at:
            where = settings.bootstrap_servers
            log.warning("waiting for Kafka: %s: %s", where, why, extra={"fields": {"waited_s": round(now - begun)}})
            say_at = now + SAY_EVERY_S
        board.turn()  # Kafka's absence is nothing that a restart would mend
        if stop.wait(REACH_PAUSE_S):
            return


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
    """Be let in by one of the brokers, in a few tries; the milliseconds that are left for the client.

    A kafka-python client that is made while no broker listens leaves a thread and four open files behind, for ever:
    who tries again and again must not make one.
    """
    deadline = time.monotonic() + BOOTSTRAP_MS / 1000
    error: Exception | None = None
    for pause in (0.0, *[REACH_PAUSE_S] * (REACH_TRIES - 1)):
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
        if (left := deadline - time.monotonic()) <= 0:
            break  # the last error says more than that the time is over
        if (error := _failure(settings, left)) is None:
            return max(1, round((deadline - time.monotonic()) * 1000))
    if isinstance(error, BrokerRefuses):
        raise error
    raise _unavailable(settings, error or TimeoutError("timed out")) from error


def _failure(settings: Settings, seconds: float) -> Exception | None:
    """Why no broker lets us in; None if one does. One that has just started may refuse those that it will let in."""
    try:
        check(settings, seconds)
    except (OSError, ValueError, kafka.errors.KafkaError, BrokerRefuses) as error:
        return error
    return None


def _unreachable(settings: Settings) -> Exception | None:
    """Why no broker lets us connect; None if one does, whatever it would say then."""
    error: Exception | None = None
    for address in settings.bootstrap_servers.split(","):
        try:
            dial(address, REACH_TIMEOUT_S).close()
        except (OSError, ValueError) as refused:  # ValueError: no port number
            error = refused
        else:
            return None
    return error
