"""Wires: feeds on several loopback hosts that are slow, blocked, limited or withdrawn as they are told."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTS, FEEDS_A_HOST = 4, 6
"""News: a host is asked by two polls at a time, so six feeds of one that is slow have to wait."""
LIMITED_HOST, LIMITED_FEEDS = HOSTS + 1, 3
GONE_HOST = HOSTS + 2
SLOW_S = 7.0
NO_FEED = b"<html><body>Please agree to our terms.</body></html>"
FEED = "  - {{id: {name}, url: 'http://{host}:{port}/{name}.xml', interval: 8s, drill: true, language: en}}\n"


class Wires:
    """The servers; a context manager. Each way in which they misbehave is one, too."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._ports: dict[int, int] = {}
        self._modes = {mode: threading.Event() for mode in ("blocked", "slow", "limited", "gone")}

    def config(self, *, withdrawn: bool = True) -> str:
        """The list of feeds; with or without the one that can be withdrawn."""
        listed = [(f"news{host}-{n}", host) for host in range(1, HOSTS + 1) for n in range(FEEDS_A_HOST)]
        listed += [(f"limited{n}", LIMITED_HOST) for n in range(LIMITED_FEEDS)]
        listed += [("withdrawn", GONE_HOST)] if withdrawn else []
        lines = (FEED.format(name=name, host=f"127.0.0.{host}", port=self._ports[host]) for name, host in listed)
        return "feeds:\n" + "".join(lines)

    @contextmanager
    def misbehaving(self, *modes: str) -> Iterator[None]:
        """So for a while: all ``blocked`` by a page that asks for consent, news ``slow``, ``limited``, ``gone``."""
        for mode in modes:
            self._modes[mode].set()
        try:
            yield
        finally:
            for mode in modes:
                self._modes[mode].clear()

    def answer(self, host: int, name: str) -> tuple[int, bytes]:
        """Status and body of a poll."""
        if self._modes["blocked"].is_set():
            return 200, NO_FEED
        if host == GONE_HOST and self._modes["gone"].is_set():
            return 410, b""
        if host == LIMITED_HOST and self._modes["limited"].is_set():
            return 429, b""
        if host <= HOSTS and self._modes["slow"].is_set():
            time.sleep(SLOW_S)
        return 200, _feed(name)

    def __enter__(self) -> Self:
        for host in range(1, GONE_HOST + 1):
            handler = type("Handler", (_Handler,), {"wires": self, "host": host})
            server = ThreadingHTTPServer((f"127.0.0.{host}", 0), handler)
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
            self._stack.callback(server.server_close)
            self._stack.callback(server.shutdown)
            self._ports[host] = server.server_address[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class _Handler(BaseHTTPRequestHandler):
    wires: Wires
    host: int

    def do_GET(self) -> None:
        status, body = self.wires.answer(self.host, self.path.strip("/").removesuffix(".xml"))
        self.send_response(status)
        self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _feed(name: str) -> bytes:
    """One entry that is new each time."""
    stamp = time.time_ns()
    link = f"https://{name}.example/{stamp}"
    text = f"Ferries cross the Lethe again, says bulletin {stamp} of {name}."
    item = f"<guid>{link}</guid><link>{link}</link><description>{text}</description><pubDate>{formatdate()}</pubDate>"
    return f"<rss version='2.0'><channel><title>{name}</title><item>{item}</item></channel></rss>".encode()
