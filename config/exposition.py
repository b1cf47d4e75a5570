"""Serving what a process tells of itself: the one place that says where, to whom, and why it could not be."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from socketserver import TCPServer
from typing import Any
from wsgiref.simple_server import make_server

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer, _SilentHandler

from config import health
from config.errors import BrinkwatchError
from config.settings import Settings, secret
from config.vitals import follow

MAX_CONNECTIONS = 16
"""At once; a scraper needs one. Whoever comes later is turned away, and costs nothing."""
MAX_SECONDS = 15.0
"""That a connection may take, from its first byte to its last."""
_NOT_FOUND = b"not found: /metrics, /livez and /readyz are here\n"
_WHO = b"user and password, please\n"

App = Callable[[Mapping[str, Any], Callable[..., Any]], Iterable[bytes]]


def serve(settings: Settings, port: int) -> None:
    """Serve /metrics, /livez and /readyz on ``metrics_host``:``port`` from a daemon thread; port 0 serves nothing.

    Raises:
        BrinkwatchError: The address can't be had, or the certificate or the password.
    """
    follow()
    if not port:
        return
    host = settings.metrics_host
    context, app = _context(settings), _app(settings)
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        kind = type("_Server", (MetricsServer,), {"address_family": family, "context": context})
        server: MetricsServer = make_server(host, port, app, kind, _Handler)
    except OSError as error:
        why = f"{error.strerror}; a second process on one machine needs a port of its own, or 0 for none"
        raise BrinkwatchError(f"serving metrics failed: {host}:{port}: {why}") from None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def guarded(app: App, username: str, password: str) -> App:
    """``app`` for one user only (HTTP's basic authentication), compared in a time that tells nothing."""
    expected = base64.b64encode(f"{username}:{password}".encode())

    def guard(environ: Mapping[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        is_ours = hmac.compare_digest(given.strip().encode("latin-1", "replace"), expected)
        if is_ours and scheme.lower() == "basic":
            return app(environ, start)
        start("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="brinkwatch", charset="UTF-8"')])
        return [_WHO]

    return guard


def by_path(apps: Mapping[str, App]) -> App:
    """Each path its own app; nothing anywhere else."""

    def route(environ: Mapping[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if (app := apps.get(environ.get("PATH_INFO", ""))) is not None:
            return app(environ, start)
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [_NOT_FOUND]

    return route


def _app(settings: Settings) -> App:
    metrics: App = make_wsgi_app()
    if settings.metrics_username is not None:
        if not (password := secret(settings, "metrics_password")):
            raise BrinkwatchError("serving metrics failed: metrics_password: metrics_username needs it")
        metrics = guarded(metrics, settings.metrics_username, password)
    return by_path({"/metrics": metrics, "/livez": told(health.live), "/readyz": told(health.ready)})


def told(decide: Callable[[health.Snapshot], health.Health]) -> App:
    """How this process is, for anybody: orchestrators have no password, and it is but a few words."""

    def tell(environ: Mapping[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        found = decide(health.board.snapshot())
        body = json.dumps(found.as_json(), ensure_ascii=False).encode() + b"\n"
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        start("200 OK" if found.ok else "503 Service Unavailable", headers)
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else body]

    return tell


def _context(settings: Settings) -> ssl.SSLContext | None:
    if settings.metrics_certfile is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a function, a key that turns out to be encrypted would be asked for on the terminal.
        context.load_cert_chain(settings.metrics_certfile, settings.metrics_keyfile, lambda: "")
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise BrinkwatchError(f"serving metrics failed: {settings.metrics_certfile}: {why}") from None
    return context


class _Handler(_SilentHandler):
    timeout = MAX_SECONDS  # of one read or write; the server bounds the whole


class MetricsServer(ThreadingWSGIServer):
    """A thread for each connection, few of them, and none for long: nobody can hold what he does not give back.

    Attributes:
        context: TLS, or None; the handshake is the connection's own thread's.
    """

    context: ssl.SSLContext | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._open: dict[int, tuple[float, socket.socket]] = {}
        self._lock = threading.Lock()
        super().__init__(*args, **kwargs)

    def server_bind(self) -> None:
        """Bind, without asking a name server for our name, which may take its time."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002  # the base class names it
        """Whether there is room for one more."""
        with self._lock:
            return len(self._open) < MAX_CONNECTIONS

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note when it came, and serve it."""
        self._note(request, request)
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's thread: the handshake, then the request."""
        if self.context is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(MAX_SECONDS)
        with self.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as wrapped:
            self._note(request, wrapped)
            wrapped.do_handshake()
            super().finish_request(wrapped, client_address)

    def shutdown_request(self, request: Any) -> None:
        """It is over."""
        with self._lock:
            self._open.pop(id(request), None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Twice a second: cut off who takes too long, however slowly he sends."""
        now = time.monotonic()
        with self._lock:
            late = [sock for begun, sock in self._open.values() if now - begun > MAX_SECONDS]
        for sock in late:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # under TLS too: no farewell, which may block

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever breaks off is no news, and must not fill the log."""

    def _note(self, request: Any, sock: socket.socket) -> None:
        with self._lock:
            begun, _ = self._open.get(id(request), (time.monotonic(), sock))
            self._open[id(request)] = (begun, sock)
