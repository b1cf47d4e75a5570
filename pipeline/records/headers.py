"""Headers of messages: CloudEvents on alerts, Connect's error headers on dead letters."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records.alert import Alert

Headers = list[tuple[str, bytes]]
CLOUDEVENTS = "1.0"
ERRORS = "__connect.errors."
REDRIVEN = "brinkwatch.redriven"
"""On the dead-letter topic: the message is no letter, but says which were sent again."""
MAX_REASON = 1000
_ADDED = tuple(
    ERRORS + key
    for key in (
        "topic",
        "partition",
        "offset",
        "timestamp",
        "connector.name",
        "stage",
        "exception.class.name",
        "exception.message",
    )
)
"""The headers that a dead letter has behind its own, in their order."""
_MAX_ADDED_BYTES = 4 * MAX_REASON


def attributes(alert: Alert) -> dict[str, str]:
    """The CloudEvents 1.0 attributes of an alert, in whatever way it travels."""
    return {
        "specversion": CLOUDEVENTS,
        "id": f"{alert.alert_id}-{alert.sequence}",
        "source": f"/brinkwatch/rules/{alert.rule}",
        "type": f"brinkwatch.alert.{alert.transition}.v1",
        "subject": alert.dyad,
        "time": alert.at.isoformat().replace("+00:00", "Z"),
    }


def cloudevent(alert: Alert) -> Headers:
    """CloudEvents 1.0 headers (Kafka protocol binding, binary mode) of an alert.

    Source: https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md
    """
    headers = [(f"ce_{key}", value.encode()) for key, value in attributes(alert).items()]
    return [*headers, ("content-type", b"application/json")]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message became a dead letter.

    Attributes:
        stage: Where: ``extract.decode``, ``extract.parse``, ``score.decode``, ``notify.<receiver>``.
        reason: Label, bounded: ``not_json``, ``schema``, ``version``, ``too_large``, ``crash``, ``refused``,
            ``exhausted``.
        message: For a person.
        topic, partition, offset: Where the message came from.
        timestamp_ms: When it was written, in ms since 1970; -1 where nobody said.
    """

    stage: str
    reason: str
    message: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int = -1


def dead_letter(failure: Failure, original: Headers) -> Headers:
    """The original headers, untouched, then Connect's error headers."""
    fields = (
        failure.topic,
        str(failure.partition),
        str(failure.offset),
        str(failure.timestamp_ms),
        "brinkwatch",
        failure.stage,
        failure.reason,
        failure.message[:MAX_REASON],
    )
    return [*original, *((key, value.encode(errors="replace")) for key, value in zip(_ADDED, fields, strict=True))]


def taken_apart(headers: Headers) -> tuple[Headers, Failure] | None:
    """What ``dead_letter`` put together: the original headers and the failure; None for what is no dead letter.

    Only the last headers count: a message may have come with headers of these names, and they are its own.
    """
    original, added = headers[: -len(_ADDED)], headers[-len(_ADDED) :]
    if tuple(key for key, _ in added) != _ADDED:
        return None
    values = (value[:_MAX_ADDED_BYTES].decode(errors="replace") for _, value in added)
    topic, partition, offset, timestamp_ms, _, stage, reason, message = values
    try:
        return original, Failure(stage, reason, message, topic, int(partition), int(offset), int(timestamp_ms))
    except ValueError:
        return None
