"""Hosts of feeds on loopback, as a process of its own: ``python -m tests.bench.feed_hosts FEEDS CHANGES``.

Each feed shows twenty entries; at so many polls of a hundred it has one more, else it answers 304. Every address of
127.0.0.0/8 is this machine's, so each host has an address of its own, though one socket listens.
"""

from __future__ import annotations

import asyncio
import random
import socket
import sys
from array import array

SHOWN = 20
FEED = (
    "<rss version='2.0'><channel><title>Feed {feed}</title><link>http://outlet-{feed}.example/</link>"
    "<language>en</language>{items}</channel></rss>"
)
ITEM = (
    "<item><guid isPermaLink='false'>{feed}-{n}</guid><link>{url}</link><title>{title}</title>"
    "<description>{text}</description><pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate></item>"
)
TEXT = (
    "The harbour council met on Monday to discuss the new ferry, its timetable and what it will cost the town over the "
    "coming years; a decision is expected before the end of the month, members said after the meeting. Note {n}."
)


def url(feed: int, n: int) -> str:
    """Address of an entry, as it is written once for all."""
    return f"http://outlet-{feed}.example/story/{n}"


def title(feed: int, n: int) -> str:
    """Title of an entry."""
    return f"Harbour council of town {feed} meets about ferry {n}"


def text(n: int) -> str:
    """Text of an entry."""
    return TEXT.format(n=n)


def host(feed: int, hosts: int) -> str:
    """The address that a feed is asked of."""
    number = feed % hosts
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


def body(feed: int, version: int) -> bytes:
    """What a feed shows after so many changes."""
    items = "".join(
        ITEM.format(feed=feed, n=n, url=url(feed, n), title=title(feed, n), text=text(n))
        for n in range(version + SHOWN - 1, version - 1, -1)
    )
    return FEED.format(feed=feed, items=items).encode()


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self, versions: array[int], changes: float) -> None:
        self._versions, self._changes = versions, changes
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            request, self._data = self._data[:end], self._data[end + 4 :]
            assert self._transport
            self._transport.write(self._answer(request))

    def _answer(self, request: bytes) -> bytes:
        feed = int(request[5 : request.index(b" ", 5)])
        if random.random() * 100 < self._changes:  # news, not secrets
            self._versions[feed] += 1
        version = self._versions[feed]
        tag = b'"%d"' % version
        if b"If-None-Match: " + tag + b"\r\n" in request + b"\r\n":
            return b"HTTP/1.1 304 Not Modified\r\nETag: " + tag + b"\r\n\r\n"
        shown = body(feed, version)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nETag: %b\r\nContent-Length: %d\r\n\r\n"
        return head % (tag, len(shown)) + shown


async def main(feeds: int, changes: float) -> None:
    """Serve until stdin closes; the port is the first line of stdout."""
    versions = array("L", [0]) * feeds
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")  # all of 127.0.0.0/8, and nothing else
    listening.bind(("0.0.0.0", 0))  # bound to lo
    listening.listen(4096)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(versions, changes), sock=listening)
    print(listening.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
