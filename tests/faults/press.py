"""A press: feeds on loopback that publish at a steady rate, answer 304 where nothing is new, and note who asks."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from connectors import identity

SHOWN = 300
"""Latest entries that a feed shows: at the rates of the trials those of several minutes."""
TEXT = "The ferry number {n} left the harbour in time on Monday, the port authority said. {more}"
FEED = "<rss version='2.0'><channel><title>Press {feed}</title><language>en</language>{items}</channel></rss>"
ITEM = (
    "<item><guid isPermaLink='false'>{feed}-{n}</guid><link>{url}</link><title>Ferry {n} of town {feed}</title>"
    "<description>{text}</description></item>"
)


class Press:
    """``feeds`` feeds that publish ``rate`` entries a second together, from ``begin`` to ``stop``.

    With ``apart`` each has a host of its own: all of 127.0.0.0/8 is this machine's, and one socket listens on it.

    Attributes:
        asked: Moments (monotonic) and feeds of every request.
    """

    def __init__(self, feeds: int, rate: float, *, more: str = "", shown: int = SHOWN, apart: bool = False) -> None:
        self._feeds, self._rate, self._more, self._shown = feeds, rate, more, shown
        self._counts = [0] * feeds
        self._begun: float | None = None
        self._published = 0
        self._lock = threading.Lock()
        self.asked: list[tuple[float, int]] = []
        self._apart = apart
        self._server = _Server(("", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def config(self, interval: str) -> str:
        """A feeds.yaml that polls them all."""
        rows = (
            f"  - {{id: press-{n}, url: '{self._address(n)}', drill: true, interval: {interval}, language: en}}"
            for n in range(self._feeds)
        )
        return "\n".join(("feeds:", *rows)) + "\n"

    def begin(self) -> None:
        """From now on entries appear."""
        self._begun = time.monotonic()

    def stop(self) -> None:
        """No more entries appear."""
        with self._lock:
            self._publish()
            self._begun = None

    def publish(self, entries: int) -> None:
        """So many more, at once, one feed after the other."""
        with self._lock:
            for _ in range(entries):
                self._counts[self._published % self._feeds] += 1
                self._published += 1

    def ids(self) -> set[str]:
        """Ids of the articles that all entries are."""
        with self._lock:
            self._publish()
            return {
                identity.article_id(_url(feed, n), f"press-{feed}", f"{feed}-{n}", "")
                for feed, count in enumerate(self._counts)
                for n in range(count)
            }

    def end(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, feed: int, known: str) -> tuple[str, bytes | None]:
        """The validator of what a feed shows now, and that, where it is not known."""
        with self._lock:
            self._publish()
            self.asked.append((time.monotonic(), feed))
            count = self._counts[feed]
        tag = f'"{count}"'
        if known == tag:
            return tag, None
        items = "".join(
            ITEM.format(feed=feed, n=n, url=_url(feed, n), text=TEXT.format(n=n, more=self._more))
            for n in range(max(0, count - self._shown), count)
        )
        return tag, FEED.format(feed=feed, items=items).encode()

    def _address(self, feed: int) -> str:
        host = f"127.1.{feed // 250}.{1 + feed % 250}" if self._apart else "127.0.0.1"
        return f"http://{host}:{self._server.server_address[1]}/{feed}"

    def _publish(self) -> None:
        if self._begun is not None:
            due = int((time.monotonic() - self._begun) * self._rate)
            self._begun += due / self._rate
            for _ in range(due):
                self._counts[self._published % self._feeds] += 1
                self._published += 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def server_bind(self) -> None:
        """On every address of loopback, and on no other."""
        if sys.platform == "linux":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        else:
            self.server_address = ("127.0.0.1", 0)
        super().server_bind()


def _url(feed: int, n: int) -> str:
    return f"https://press-{feed}.example/{n}"


def _handler(press: Press) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            tag, body = press.answer(int(self.path.strip("/")), self.headers.get("If-None-Match", ""))
            self.send_response(200 if body is not None else 304)
            self.send_header("ETag", tag)
            if body is not None:
                self.send_header("Content-Type", "application/rss+xml")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if body is not None:
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # of a connector that was killed
                super().handle()

    return Handler
