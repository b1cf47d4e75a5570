"""Whether a broker lets us in: asked once, before any client is made.

kafka-python takes a refused password, an unknown CA or a plain connection to a TLS port for a broker that is not up
yet: its clients try again for ever, and tell nobody why. So one connection is made here first, with its own encoding
of Kafka's protocol, as far as the first answer that a stranger would not get; and what ended it is said.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import kafka.errors
from kafka.net.sasl import get_sasl_mechanism
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest
from kafka.protocol.parser import KafkaProtocol
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslHandshakeRequest

from config.errors import BrinkwatchError
from config.kafka import connection, tls_context
from config.settings import Settings

DEFAULT_PORT = 9092
MAX_ANSWER_BYTES = 1024 * 1024
METADATA_VERSION = 4
"""Kafka 0.11 to 4.x answer it."""
_READ_BYTES = 16 * 1024
_SASL_ROUNDS = 4
# OpenSSL's numbers (X509_V_ERR_…).
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})
_DATES = frozenset({9, 10})
_OTHER_HOST = frozenset({62, 63, 64})
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})


class BrokerUnavailable(BrinkwatchError):  # noqa: N818  it names a state of the broker
    """Kafka can't be reached, or does not let us in."""


class BrokerRefuses(BrokerUnavailable):
    """Kafka does not let us in, and trying again will not help: a password, a certificate, the protocol."""


class Closed(ConnectionError):  # noqa: N818  it names what the broker did
    """The broker ended the connection where it should have answered; its text says at what."""


def check(settings: Settings, seconds: float) -> None:
    """Be let in by one of the brokers, in the order in which they are named.

    Args:
        settings: How, and as whom.
        seconds: How long all of it may take; each broker has an even share of what is left.

    Raises:
        BrokerRefuses: None lets us in, and the last one said why.
        OSError, ValueError, KafkaError: None can be reached; what the last one failed with.
    """
    deadline = time.monotonic() + seconds
    error: Exception = TimeoutError("timed out")
    addresses = settings.bootstrap_servers.split(",")
    for number, address in enumerate(addresses):
        try:
            _enter(settings, address, (deadline - time.monotonic()) / (len(addresses) - number))
        except (OSError, ValueError, kafka.errors.KafkaError, BrokerRefuses) as failed:
            error = failed
        else:
            return
    raise error


def dial(address: str, seconds: float) -> socket.socket:
    """A plain connection to ``host[:port]``.

    Raises:
        OSError, ValueError: There is none within ``seconds``, or the port is no number.
    """
    parts = urlsplit(f"//{address.strip()}")
    return socket.create_connection((parts.hostname or "", parts.port or DEFAULT_PORT), seconds)


def _enter(settings: Settings, address: str, seconds: float) -> None:
    """Connect to one broker as every client does, and ask it for its brokers."""
    options = connection(settings, "access")
    deadline = time.monotonic() + seconds
    try:
        with contextlib.closing(_connected(settings, address, deadline)) as sock:
            _Dialogue(sock, deadline).enter(settings, options)
    except (OSError, ValueError, kafka.errors.KafkaError) as error:  # ValueError: no port number
        if why := _refusal(settings, error):
            protocol = settings.security_protocol
            raise BrokerRefuses(f"connecting to Kafka failed: {address} ({protocol}): {why}") from error
        raise


class _Dialogue:
    """One request at a time over a socket that blocks; all of it within a deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._protocol = KafkaProtocol(client_id="brinkwatch-access", receive_message_max_bytes=MAX_ANSWER_BYTES)

    def enter(self, settings: Settings, options: Mapping[str, Any]) -> None:
        """As far as the first answer that is for users only."""
        self._ask(ApiVersionsRequest(version=0), "the first request")
        if settings.security_protocol.startswith("SASL"):
            self._authenticate(settings.sasl_mechanism, options)
        topics = {"topics": [], "allow_auto_topic_creation": False}
        self._ask(MetadataRequest(version=METADATA_VERSION, **topics), "the first request of a user")

    def _authenticate(self, mechanism: str, options: Mapping[str, Any]) -> None:
        answer = self._ask(SaslHandshakeRequest(version=1, mechanism=mechanism), "the choice of a SASL mechanism")
        if answer.mechanisms and mechanism not in answer.mechanisms:
            raise kafka.errors.UnsupportedSaslMechanismError(", ".join(answer.mechanisms))
        _raise_for(answer.error_code)
        dialogue = get_sasl_mechanism(mechanism)(host=self._sock.getpeername()[0], **options)
        for _ in range(_SASL_ROUNDS):
            if dialogue.is_done():
                break
            answer = self._ask(SaslAuthenticateRequest(version=0, auth_bytes=dialogue.auth_bytes()), "the password")
            if answer.error_code:
                raise kafka.errors.SaslAuthenticationFailedError(answer.error_message)
            dialogue.receive(answer.auth_bytes)
        if not dialogue.is_authenticated():
            raise kafka.errors.SaslAuthenticationFailedError("the broker does not know the password itself")

    def _ask(self, request: Any, what: str) -> Any:
        self._protocol.send_request(request)
        try:
            self._sock.settimeout(_left(self._deadline))
            self._sock.sendall(self._protocol.send_bytes())
            while True:
                self._sock.settimeout(_left(self._deadline))
                if not (data := self._sock.recv(_READ_BYTES)):
                    raise Closed(f"it ended the connection at {what}")
                if answers := self._protocol.receive_bytes(data):
                    return answers[0][1]
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            raise Closed(f"it ended the connection at {what}") from None


def _connected(settings: Settings, address: str, deadline: float) -> socket.socket:
    """A connection to the broker, over TLS where the settings say so."""
    sock = dial(address, _left(deadline))
    if not settings.security_protocol.endswith("SSL"):
        return sock
    try:
        sock.settimeout(_left(deadline))
        return tls_context(settings).wrap_socket(sock, server_hostname=urlsplit(f"//{address.strip()}").hostname or "")
    except BaseException:
        sock.close()
        raise


def _left(deadline: float) -> float:
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError("timed out")
    return left


def _raise_for(code: int) -> None:
    if code:
        raise kafka.errors.for_code(code)


def _refusal(settings: Settings, error: Exception) -> str | None:
    """Why the broker does not let us in, and what to look at; None where it may only be away, or busy."""
    if isinstance(error, ssl.SSLError):
        return _tls_refusal(settings, error)
    if isinstance(error, kafka.errors.SaslAuthenticationFailedError):
        user = f"user {settings.sasl_username!r} is refused ({settings.sasl_mechanism})"
        return f"{user}: wrong user or password, or no password of that mechanism"
    if isinstance(error, kafka.errors.UnsupportedSaslMechanismError):
        return f"sasl_mechanism: the broker offers {error.args[0]}, not {settings.sasl_mechanism}"
    if isinstance(error, kafka.errors.IllegalSaslStateError):
        return "it asks for no user there: is security_protocol right?"
    if isinstance(error, kafka.errors.KafkaProtocolError):
        return "what it answers is not Kafka's protocol, or it is TLS: are port and security_protocol right?"
    return None


def _tls_refusal(settings: Settings, error: ssl.SSLError) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(settings, error)
    if isinstance(error, ssl.SSLEOFError):
        return None  # a broker that ends closes connections, too
    return _handshake(error)


def _certificate(settings: Settings, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _OTHER_HOST:
        return f"the broker's certificate is for another host: {error.verify_message} (ssl_check_hostname)"
    if error.verify_code in _UNKNOWN_ISSUER:
        known = f"ssl_cafile {settings.ssl_cafile}" if settings.ssl_cafile else "the system's CAs (ssl_cafile)"
        return f"the broker's certificate is from a CA that is not among {known}: {error.verify_message}"
    when = "not valid now" if error.verify_code in _DATES else "not accepted"
    return f"the broker's certificate is {when}: {error.verify_message}"


def _handshake(error: ssl.SSLError) -> str:
    if error.reason in _NO_TLS:
        return f"no TLS is spoken there: are port and security_protocol right? ({error.reason})"
    if "CERTIFICATE" in (error.reason or "") or "ALERT" in (error.reason or ""):
        return f"the broker refuses the TLS handshake: does it want ssl_certfile? ({error.reason})"
    return f"the TLS handshake failed: {error.reason or error}"
