"""A real HTTP server on loopback that plays the receivers of alerts: good, broken, slow and rude ones."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Play:
    """What is done with one request: answered with a status and headers, left hanging, or cut off."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    pause_s: float = 0.0
    hang: bool = False
    reset: bool = False


@dataclass(frozen=True)
class Got:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class HookServer:
    """The server: plays ``script`` in order, then ``then`` for ever; ``got`` is what it was sent. A context manager."""

    def __init__(self, *script: Play, then: Play | None = None) -> None:
        self.script, self.then = list(script), then or Play()
        self.got: list[Got] = []
        self.busy = self.most_busy = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def ids(self) -> list[str]:
        """The event ids that came, in order."""
        return [got.headers.get("webhook-id", "") for got in list(self.got)]

    def next_play(self, got: Got) -> Play:
        """Note a request; what is to be done with it."""
        with self._lock:
            self.got.append(got)
            self.busy += 1
            self.most_busy = max(self.busy, self.most_busy)
            return self.script.pop(0) if self.script else self.then

    def done(self) -> None:
        """A request was played."""
        with self._lock:
            self.busy -= 1

    def hang(self) -> None:
        """Return when the server ends."""
        self._closing.wait(30)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: HookServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {key.lower(): value for key, value in self.headers.items()}
        play = self.owner.next_play(Got(self.path, headers, body))
        time.sleep(play.pause_s)
        self.owner.done()
        if play.hang:
            self.owner.hang()
        if play.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if play.hang or play.reset:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(play.status)
        for key, value in {**play.headers, "Content-Length": str(len(play.body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(play.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the connection was cut on purpose
            super().finish()
