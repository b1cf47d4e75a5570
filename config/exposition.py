"""Serving what a process tells of itself, on one port: /metrics, /livez, /readyz; and why it could not be."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from config import health
from config.errors import BrinkwatchError
from config.vitals import follow

MAX_REQUESTS = 16
"""At once; whoever comes while so many are under way is hung up on."""
REQUEST_S = 15.0
"""That a request may take, from the connection to the last byte, however slowly its sender drips."""
READ_S = 5.0
Start = Callable[..., Any]


def serve(host: str, port: int) -> None:
    """Serve on ``host``:``port`` from daemon threads; port 0 serves nothing.

    Raises:
        BrinkwatchError: The address can't be had.
    """
    follow()
    if not port:
        return
    kind = _ServerV6 if ":" in host else _Server
    try:
        server = make_server(host, port, application(_metrics()), server_class=kind, handler_class=_Handler)
    except OSError as error:
        why = f"{error.strerror}; a second process on one machine needs a port of its own, or 0 for none"
        raise BrinkwatchError(f"serving metrics failed: {host}:{port}: {why}") from None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def application(metrics: Callable[..., Iterable[bytes]]) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The routes: health by this process's board, everything else ``metrics``'s, a WSGI application.

    Health asks nobody who they are: it tells whether, and in a few words why, and orchestrators have no password.
    """

    def routed(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        decide = {"/livez": health.live, "/readyz": health.ready}.get(environ.get("PATH_INFO", ""))
        if decide is None:
            return metrics(environ, start)
        found = decide(health.board.snapshot())
        body = json.dumps(found.as_json(), ensure_ascii=False).encode() + b"\n"
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        start("200 OK" if found.ok else "503 Service Unavailable", headers)
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else body]

    return routed


def _metrics() -> Callable[..., Iterable[bytes]]:
    from prometheus_client import make_wsgi_app

    served: Callable[..., Iterable[bytes]] = make_wsgi_app()
    return served


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request, with a bound on how many, and on how long one takes."""

    daemon_threads = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._free = threading.BoundedSemaphore(MAX_REQUESTS)
        super().__init__(*arguments, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        last = threading.Timer(REQUEST_S, _hang_up, (request,))
        last.daemon = True
        last.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            last.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: who hangs up while being answered is no matter for our log."""


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = READ_S

    def address_string(self) -> str:
        return str(self.client_address[0])  # never a look-up

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it
        """Nothing: scrapes are no news."""


def _hang_up(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
