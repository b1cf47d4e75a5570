"""Kafka connection settings in kafka-python's words: the one place that knows both."""

from __future__ import annotations

import time
from typing import Any

from config.settings import Settings


def connection(settings: Settings, client_id: str) -> dict[str, Any]:
    """Keyword arguments that every kafka-python client takes: where, and how it proves who it is."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers.split(","),
        "client_id": f"{settings.topic_prefix}-{client_id}",
        "security_protocol": settings.security_protocol,
    }
    if settings.ssl_cafile:
        options["ssl_cafile"] = str(settings.ssl_cafile)
    if settings.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password.get_secret_value() if settings.sasl_password else None
    return options


def answered_s(client: Any) -> float | None:
    """Seconds since a broker last told a consumer or producer of its topics; None where none ever did.

    kafka-python asks every ``metadata_max_age_ms`` from a thread of its own, whatever the client does; nothing
    public says when it was answered.
    """
    # A consumer's, else a producer's.
    metadata = getattr(client, "_cluster", None) or client._metadata  # noqa: SLF001
    at_ms: float = metadata._last_successful_refresh_ms  # noqa: SLF001
    return time.monotonic() - at_ms / 1000 if at_ms else None
