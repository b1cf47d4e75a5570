"""Kafka connection settings in kafka-python's words: the one place that knows both."""

from __future__ import annotations

import ssl
import time
from typing import Any

from config.errors import BrinkwatchError
from config.settings import Settings, secret


def connection(settings: Settings, client_id: str) -> dict[str, Any]:
    """Keyword arguments that every kafka-python client takes: where, and how each side proves who it is.

    Passwords in files are read each time, so that a client made after a change has the new one.

    Raises:
        BrinkwatchError: A user, password or certificate that the protocol needs is not given, or can't be used.
        ConfigError: The file of a password can't be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers.split(","),
        "client_id": f"{settings.topic_prefix}-{client_id}",
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        tls_context(settings)  # a file that can't be used is told now, and not by a thread that tries for ever
        options |= _tls(settings)
    if settings.security_protocol.startswith("SASL"):
        options |= _user(settings)
    return options


def tls_context(settings: Settings) -> ssl.SSLContext:
    """What kafka-python makes of the same settings: the broker is always checked, and TLS is 1.2 or newer.

    Raises:
        BrinkwatchError: A certificate or key can't be read or used; it says which setting.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = settings.ssl_check_hostname
    given = "ssl_cafile"
    try:
        if settings.ssl_cafile:
            context.load_verify_locations(settings.ssl_cafile)
        else:
            context.load_default_certs()
        given = "ssl_certfile"
        if settings.ssl_certfile:
            # A function, or a key that turns out to be encrypted would be asked for on the terminal.
            password = secret(settings, "ssl_key_password") or ""
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile, lambda: password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; ValueError: a password that is too long
        where = f"{given}: {getattr(settings, given)}"
        if given == "ssl_certfile" and settings.ssl_keyfile:
            where += f", ssl_keyfile: {settings.ssl_keyfile}"
        raise BrinkwatchError(f"connecting to Kafka failed: {where}: {_reason(error)}") from None
    return context


def _tls(settings: Settings) -> dict[str, Any]:
    """The files themselves, not the context: kafka-python reads them for each connection, so a renewed one counts."""
    options: dict[str, Any] = {"ssl_check_hostname": settings.ssl_check_hostname}
    if settings.ssl_cafile:
        options["ssl_cafile"] = str(settings.ssl_cafile)
    if settings.ssl_certfile:
        options["ssl_certfile"] = str(settings.ssl_certfile)
        options["ssl_keyfile"] = str(settings.ssl_keyfile) if settings.ssl_keyfile else None
        options["ssl_password"] = secret(settings, "ssl_key_password")
    return options


def _user(settings: Settings) -> dict[str, Any]:
    password = secret(settings, "sasl_password")
    if not settings.sasl_username or not password:
        missing = "sasl_password" if settings.sasl_username else "sasl_username"
        why = f"security_protocol {settings.security_protocol} needs it"
        raise BrinkwatchError(f"connecting to Kafka failed: {missing}: {why}")
    return {
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": password,
    }


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no certificate or key that can be used ({error.reason or error.args[-1]})"
    return getattr(error, "strerror", None) or str(error)


def answered_s(client: Any) -> float | None:
    """Seconds since a broker last told a consumer or producer of its topics; None where none ever did.

    kafka-python asks every ``metadata_max_age_ms`` from a thread of its own, whatever the client does; nothing
    public says when it was answered.
    """
    # A consumer's, else a producer's.
    metadata = getattr(client, "_cluster", None) or client._metadata  # noqa: SLF001
    at_ms: float = metadata._last_successful_refresh_ms  # noqa: SLF001
    return time.monotonic() - at_ms / 1000 if at_ms else None
