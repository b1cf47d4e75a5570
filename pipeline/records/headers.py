"""Headers of messages: CloudEvents on alerts, Connect's error headers on dead letters."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records.alert import Alert

Headers = list[tuple[str, bytes]]
CLOUDEVENTS = "1.0"
ERRORS = "__connect.errors."
MAX_REASON = 1000


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
    """

    stage: str
    reason: str
    message: str
    topic: str
    partition: int
    offset: int


def dead_letter(failure: Failure, original: Headers) -> Headers:
    """The original headers, untouched, then Connect's error headers."""
    fields = {
        "topic": failure.topic,
        "partition": str(failure.partition),
        "offset": str(failure.offset),
        "connector.name": "brinkwatch",
        "stage": failure.stage,
        "exception.class.name": failure.reason,
        "exception.message": failure.message[:MAX_REASON],
    }
    return [*original, *((ERRORS + key, value.encode(errors="replace")) for key, value in fields.items())]
