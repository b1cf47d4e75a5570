"""Servers on loopback that say what no HTTP library would: bytes as they are, over TLS where asked; and a proxy."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from feedserver import rss

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    Play = Callable[["Talk"], Awaitable[None]]

FEED = rss().encode()
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"


class Talk:
    """One request, and the connection to answer on."""

    def __init__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        self.request, self._writer = request, writer

    async def say(self, *parts: bytes) -> None:
        """Write, and let it go out."""
        self._writer.writelines(parts)
        await self._writer.drain()


class RawServer:
    """Plays a course for each path; ``asked`` are the requests, ``connections`` how many came."""

    def __init__(self, plays: Mapping[str, Play]) -> None:
        self._plays = plays
        self.asked: list[bytes] = []
        self.connections = 0
        self.port = 0

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """Address of ``path``."""
        return f"{scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection, as often as it is asked and the course leaves it open."""
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                self.asked.append(request)
                path = request.split(b" ", 2)[1].decode().partition("?")[0]
                await self._plays[path](Talk(request, writer))
        writer.close()


@asynccontextmanager
async def raw(plays: Mapping[str, Play], context: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """A running one, on a free port of 127.0.0.1."""
    made = RawServer(plays)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def answering(data: bytes, *, close: bool = True) -> Play:
    """Say ``data``, whole; then hang up, unless the connection is kept."""

    async def play(talk: Talk) -> None:
        await talk.say(data)
        if close:
            raise ConnectionResetError

    return play


async def clumsy(talk: Talk) -> None:
    """What can't say 304 without a body."""
    if b"If-None-Match" in talk.request:
        await talk.say(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\nnot you")
    else:
        await talk.say(sized(len(FEED)))


async def headers_forever(talk: Talk) -> None:
    """A head that has no end."""
    await talk.say(_HEAD)
    while True:
        await talk.say(b"".join(b"X-%d: y\r\n" % n for n in range(500)))


async def header_forever(talk: Talk) -> None:
    """One header that has no end."""
    await talk.say(_HEAD, b"X-Long: ")
    while True:
        await talk.say(b"a" * 4096)


async def head_drip(talk: Talk) -> None:
    """A head that comes a byte at a time."""
    for byte in _HEAD * 1000:
        await talk.say(bytes([byte]))
        await asyncio.sleep(0.05)


def sized(length: int) -> bytes:
    """The feed, under a Content-Length of its own."""
    return _HEAD + b"Content-Length: %d\r\n\r\n" % length + FEED


def chunked(*, ends: bool) -> bytes:
    """The feed in chunks, whose last one may be missing."""
    chunk = b"%x\r\n%s\r\n" % (len(FEED), FEED)
    return _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + (b"0\r\n\r\n" if ends else b"")


COOKIE = b"Set-Cookie: %s\r\n"
PLAYS: Mapping[str, Play] = {
    "/feed": answering(sized(len(FEED)), close=False),
    "/longer-said": answering(sized(len(FEED) + 500)),
    "/shorter-said": answering(sized(len(FEED) - 200), close=False),
    "/negative": answering(_HEAD + b"Content-Length: -5\r\n\r\n" + FEED),
    "/two-lengths": answering(_HEAD + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n" + FEED),
    "/both-lengths": answering(_HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + FEED),
    "/no-length": answering(_HEAD + b"\r\n" + FEED),
    "/chunked": answering(chunked(ends=True)),
    "/chunked-cut": answering(chunked(ends=False)),
    "/chunked-nonsense": answering(_HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n" + FEED),
    "/304-with-body": answering(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\nnot you", close=False),
    "/clumsy": clumsy,
    "/304": answering(b"HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=600\r\n\r\n", close=False),
    "/headers-forever": headers_forever,
    "/header-forever": header_forever,
    "/head-drip": head_drip,
    "/cookies": answering(
        _HEAD + b"".join(COOKIE % (b"c%d=" % n + b"x" * 4000) for n in range(60)) + b"Content-Length: %d\r\n\r\n%s"
        % (len(FEED), FEED)
    ),
    "/cookie-flood": answering(
        _HEAD + b"".join(COOKIE % (b"c%d=1" % n) for n in range(5000)) + b"Content-Length: %d\r\n\r\n%s"
        % (len(FEED), FEED)
    ),
    "/continue": answering(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + sized(len(FEED))),
    "/switching": answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
    "/http09": answering(FEED),
    "/redirect-nowhere": answering(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"),
    "/redirect-user": answering(
        b"HTTP/1.1 302 Found\r\nLocation: http://desk:open-sesame@news.example/\r\nContent-Length: 0\r\n\r\n"
    ),
}  # fmt: skip


class Proxy:
    """A proxy that leads to one port of loopback, whatever host it is asked for; ``asked`` are the heads."""

    def __init__(self, port: int, refuse: bytes = b"") -> None:
        self._port, self._refuse = port, refuse
        self.asked: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        if self._refuse:
            writer.write(self._refuse)
            await writer.drain()
            writer.close()
            return
        there, away = await asyncio.open_connection("127.0.0.1", self._port)
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            line, _, rest = head.partition(b"\r\n")
            method, target, kind = line.split(b" ")
            path = b"/" + target.split(b"/", 3)[3]
            away.write(b" ".join((method, path, kind)) + b"\r\n" + rest)
        await asyncio.gather(_pump(reader, away), _pump(there, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()


@asynccontextmanager
async def proxy(port: int, refuse: bytes = b"") -> AsyncIterator[Proxy]:
    """A running one, in front of ``port``."""
    made = Proxy(port, refuse)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
