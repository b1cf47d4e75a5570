"""The image's health check finds out for itself whom to ask, and says in words what is wrong."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from config.settings import Settings
from deploy.image.health import PORTS, check, port_of, role_of


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("tini -- brinkwatch extract", "extract"),
        ("/opt/brinkwatch/bin/python /opt/brinkwatch/bin/brinkwatch notify --receiver desk", "notify"),
        ("brinkwatch worker extract --port 50000", None),
        ("brinkwatch topics apply", None),
        ("brinkwatch", None),
        ("sh -c brinkwatch-like connect", None),
    ],
)
def test_role_is_read_from_the_first_process(command, role):
    """One image runs every role: asking the wrong port would have a healthy container killed."""
    assert role_of(command.split()) == role


def test_ports_are_those_of_the_settings():
    """The check reads no settings, to be quick; so its ports must be theirs."""
    known = {name: field.default for name, field in Settings.model_fields.items() if name.endswith("_metrics_port")}
    known.pop("up_metrics_port")  # which runs in no container
    assert known == {f"{role}_metrics_port": port for role, port in PORTS.items()}


def test_environment_moves_the_port():
    """A port that was moved must be asked where it is now; an empty variable is none, as for the settings."""
    assert port_of("score", {"BRINKWATCH_SCORE_METRICS_PORT": "9999"}) == 9999
    assert port_of("score", {"BRINKWATCH_SCORE_METRICS_PORT": ""}) == PORTS["score"]


@pytest.fixture
def answering():
    """A server on loopback that answers each request with its ``status``."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.status = 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_check_asks_livez(answering):
    """Well is what answers 200; 503, nobody there, or no port number each is a fault with its place."""
    port = answering.server_address[1]
    environment = {"BRINKWATCH_EXTRACT_METRICS_PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
    assert check("extract", environment) is None
    answering.status = 503
    assert f"extract is not well: http://127.0.0.1:{port}/livez: HTTP Error 503" in (
        check("extract", environment) or ""
    )


def test_check_asks_over_tls_where_metrics_are(answering, tmp_path):
    """A process whose metrics are served over TLS would look unwell for ever, by a question without it."""
    certificate = trustme.CA().issue_cert("brinkwatch.example")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "metrics.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "metrics.pem")
    answering.socket = context.wrap_socket(answering.socket, server_side=True)
    environment = {
        "BRINKWATCH_SCORE_METRICS_PORT": str(answering.server_address[1]),
        "BRINKWATCH_METRICS_CERTFILE": str(tmp_path / "metrics.pem"),
    }
    assert check("score", environment) is None
    answering.status = 503
    assert "HTTP Error 503" in (check("score", environment) or "")


def test_nobody_there_is_a_fault(unused_tcp_port):
    """A process that died without its container must be seen."""
    environment = {"BRINKWATCH_SCORE_METRICS_PORT": str(unused_tcp_port)}
    assert "score is not well" in (check("score", environment) or "")


def test_what_serves_nothing_is_well():
    """A command that ends by itself, or a role told to serve nothing, can't be asked, and must not be restarted."""
    assert check(None, {}) is None
    assert check("connect", {"BRINKWATCH_CONNECT_METRICS_PORT": "0"}) is None
