"""A broker that does not let us in is told from one that is away: what failed, where, why; with no secret in it."""

from __future__ import annotations

import socket
import threading

import pytest

from config.access import BrokerRefuses, check
from config.errors import BrinkwatchError
from config.kafka import connection
from config.settings import load_settings


class Speaker:
    """A server on loopback that answers each connection with the same bytes, whatever it is sent, and ends it."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer:
                peer.recv(1000)
                peer.sendall(self._answer)

    def close(self) -> None:
        """End it."""
        self._socket.close()


@pytest.mark.parametrize(
    ("answer", "protocol", "expected"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x50", "PLAINTEXT", "not Kafka's protocol, or it is TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "PLAINTEXT", "not Kafka's protocol"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "SSL", "no TLS is spoken there"),
        (b"\x7f\xff\xff\xff" + bytes(100), "PLAINTEXT", "not Kafka's protocol"),
    ],
)
def test_another_protocol_is_told(answer, protocol, expected):
    """A wrong port or protocol is the commonest mistake: it must not look like a broker that is not up yet."""
    speaker = Speaker(answer)
    try:
        settings = load_settings(bootstrap_servers=speaker.address, security_protocol=protocol)
        with pytest.raises(BrokerRefuses, match=f"connecting to Kafka failed: {speaker.address} .*{expected}"):
            check(settings, 10)
    finally:
        speaker.close()


def test_an_end_without_an_answer_is_no_refusal():
    """A broker that is just ending says nothing: it may be back in a moment."""
    speaker = Speaker(b"")
    try:
        with pytest.raises(ConnectionError, match="ended the connection at the first request"):
            check(load_settings(bootstrap_servers=speaker.address), 10)
    finally:
        speaker.close()


def test_a_broker_that_answers_is_enough(broker):
    """One of several that is away keeps nobody out; it is asked first here."""
    address = f"127.0.0.1:1,{broker.kafka.bootstrap_servers}"
    check(load_settings(bootstrap_servers=address), 20)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"security_protocol": "SASL_SSL"}, "sasl_username: security_protocol SASL_SSL needs it"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "ann"}, "sasl_password: security_protocol SASL_SSL"),
        ({"security_protocol": "SSL", "ssl_cafile": "/nowhere/ca.pem"}, r"ssl_cafile: /nowhere/ca\.pem: No such file"),
        ({"security_protocol": "SSL", "ssl_certfile": __file__}, r"ssl_certfile: .*test_access\.py: no certificate"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_tried(changes, expected):
    """kafka-python would try for ever with a file that is not there."""
    with pytest.raises(BrinkwatchError, match=expected):
        connection(load_settings(**changes), "x")


def test_a_changed_password_file_counts(tmp_path, monkeypatch):
    """A client made after a password was changed has the new one, without a restart; the variable itself wins."""
    file = tmp_path / "password"
    file.write_text("old\n", encoding="utf-8")
    monkeypatch.setenv("BRINKWATCH_SASL_PASSWORD_FILE", str(file))
    settings = load_settings(security_protocol="SASL_SSL", sasl_username="ann")
    assert connection(settings, "x")["sasl_plain_password"] == "old"
    file.write_text("new\n", encoding="utf-8")
    assert connection(settings, "x")["sasl_plain_password"] == "new"
    monkeypatch.setenv("BRINKWATCH_SASL_PASSWORD", "given")
    given = load_settings(security_protocol="SASL_SSL", sasl_username="ann")
    assert connection(given, "x")["sasl_plain_password"] == "given"


def test_a_bad_password_file_tells_nothing_of_it(tmp_path, monkeypatch):
    """A fault of a secret's file must not show what is in it."""
    file = tmp_path / "password"
    file.write_bytes(b"s3cret\xff")
    monkeypatch.setenv("BRINKWATCH_SASL_PASSWORD_FILE", str(file))
    with pytest.raises(BrinkwatchError) as told:
        load_settings()
    assert "s3cret" not in str(told.value)
    assert "BRINKWATCH_SASL_PASSWORD_FILE" in str(told.value)
