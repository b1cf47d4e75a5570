"""Subscribe to alerts from a program of your own: each transition once, although Kafka may give it twice.

pip install kafka-python cloudevents
python subscribe.py 127.0.0.1:9092 my-group

Over TLS and as a user, where the environment says so: SASL_USERNAME, SASL_PASSWORD_FILE, and SSL_CAFILE for a CA of
your own. With the access lists of Brinkwatch the group's name begins with brinkwatch.subscriber.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.v1.event import CloudEvent
from kafka import KafkaConsumer


def alerts(consumer: KafkaConsumer) -> Iterator[dict[str, Any]]:
    """Transitions in order; a repeat, which has an alert's id and sequence again, is left out."""
    latest: dict[str, int] = {}  # keep it where your own state is kept, if a repeat after a restart would hurt
    for message in consumer:
        event = as_event(message)
        alert = event.get_data()
        if alert["sequence"] > latest.get(alert["alert_id"], 0):
            latest[alert["alert_id"]] = alert["sequence"]
            yield alert
        consumer.commit()  # after the work: whoever dies before it gets the message again


def as_event(message: Any) -> CloudEvent:
    """A Kafka message as the CloudEvents SDK reads it."""
    return from_binary_event(KafkaMessage(headers=dict(message.headers), key=message.key, value=message.value))


def security() -> dict[str, Any]:
    """How kafka-python proves who it is; nothing where the environment names no user."""
    if not (user := os.environ.get("SASL_USERNAME")):
        return {}
    return {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": os.environ.get("SSL_CAFILE"),  # None: the system's
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": user,
        "sasl_plain_password": Path(os.environ["SASL_PASSWORD_FILE"]).read_text(encoding="utf-8").rstrip("\n"),
    }


def main(servers: str, group: str, topic: str = "brinkwatch.alerts.v1") -> None:
    """Print a line for each transition that is for everybody, until interrupted."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=servers.split(","),
        group_id=group,
        isolation_level="read_committed",  # score writes in transactions; without this, what it took back is read too
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **security(),
    )
    for alert in alerts(consumer):
        if alert.get("muted") is None:
            line = f"{alert['at']} {alert['transition']} {alert['level']} {alert['dyad']}: {alert['summary']}"
            print(line, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
