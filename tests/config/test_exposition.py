"""The port of metrics: who is let in, over what, and that nobody can hold it."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request

import pytest
import trustme

from config import exposition
from config.errors import BrinkwatchError
from config.settings import load_settings
from deploy.local.process import Port

PASSWORD = "correct horse"


def serve(**changes) -> int:
    """The port of a server with these settings; it lives as long as the tests."""
    with Port() as port:
        number = port.number
    exposition.serve(load_settings(**changes), number)
    return number


def get(port: int, path: str = "/metrics", user: str | None = None, context: ssl.SSLContext | None = None) -> int:
    """The status of an answer."""
    scheme = "https" if context else "http"
    request = urllib.request.Request(f"{scheme}://127.0.0.1:{port}{path}")  # noqa: S310  # one of these two
    if user is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:  # noqa: S310  # as above
            assert b"python_info" in answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_metrics_and_nothing_else():
    """Whoever looks for more finds no second way to the same."""
    port = serve()
    assert get(port) == 200
    assert get(port, "/anything") == 404


def test_one_user_with_the_right_password(tmp_path, monkeypatch):
    """What stands in metrics is nobody else's; no password, no metrics, and never an open port in its place."""
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n", encoding="utf-8")
    monkeypatch.setenv("BRINKWATCH_METRICS_PASSWORD_FILE", str(file))
    port = serve(metrics_username="prometheus")
    assert get(port, user=f"prometheus:{PASSWORD}") == 200
    for wrong in (None, "prometheus:", f"admin:{PASSWORD}", f"prometheus:{PASSWORD}x", "é:ü"):
        assert get(port, user=wrong) == 401, wrong
    monkeypatch.delenv("BRINKWATCH_METRICS_PASSWORD_FILE")
    with pytest.raises(BrinkwatchError, match="metrics_password: metrics_username needs it"):
        serve(metrics_username="prometheus")


def test_over_tls(tmp_path):
    """With a certificate, plain HTTP gets nothing; one that can't be read is told at the start."""
    ca = trustme.CA()
    pem = tmp_path / "metrics.pem"
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    port = serve(metrics_certfile=pem)
    context = ssl.create_default_context()
    ca.configure_trust(context)
    assert get(port, context=context) == 200
    with pytest.raises((urllib.error.URLError, OSError)):
        get(port)
    with pytest.raises(BrinkwatchError, match=r"serving metrics failed: .*nothing\.pem"):
        serve(metrics_certfile=tmp_path / "nothing.pem")


def test_who_sends_nothing_holds_nothing(tmp_path, monkeypatch):
    """Many that connect and are silent, or slow, over TLS too, must cost few threads, and be cut off in time."""
    monkeypatch.setattr(exposition, "MAX_SECONDS", 2.0)
    ca = trustme.CA()
    pem = tmp_path / "metrics.pem"
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    for port in (serve(), serve(metrics_certfile=pem)):
        before = threading.active_count()
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(60)]
            for sock in held[:5]:
                with contextlib.suppress(OSError):
                    sock.sendall(b"GET /metrics HT")
            assert threading.active_count() - before <= exposition.MAX_CONNECTIONS
            for sock in held:
                sock.settimeout(20)
                with contextlib.suppress(ConnectionError):
                    while sock.recv(1000):  # a refusal, or the end
                        pass
        end = time.monotonic() + 20
        while threading.active_count() > before and time.monotonic() < end:
            time.sleep(0.05)
        assert threading.active_count() <= before
    assert get(serve()) == 200
