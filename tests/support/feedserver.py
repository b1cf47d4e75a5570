"""A real HTTP server on loopback that plays the good and the bad servers of this world."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

RSS = """<?xml version="1.0" encoding="{encoding}"?>
<rss version="2.0"><channel><title>Wire</title><link>https://wire.example/</link>{items}</channel></rss>"""
ITEM = """<item><guid>{n}</guid><link>https://wire.example/story/{n}?utm_source=rss</link>
<title>Story number {n} of the day</title><description>&lt;p&gt;Body of the story {n}, long enough to be told as English
prose by anyone.&lt;/p&gt;</description><pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate></item>"""
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Atom wire</title><id>urn:x</id>
<updated>2026-11-02T10:00:00Z</updated><entry><id>urn:a1</id><title type="html">One &amp;amp; two</title>
<link rel="alternate" href="/one"/><updated>2026-11-02T11:00:00Z</updated>
<content type="html">&lt;p&gt;First.&lt;/p&gt;&lt;p&gt;Second &amp;lt; third.&lt;/p&gt;
&lt;script&gt;no()&lt;/script&gt;</content></entry></feed>"""
JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "J", "language": "en", "items": [
{"id": 7, "url": "https://j.example/7", "title": "Seven", "content_html": "<p>Text of seven</p>",
 "date_published": "2026-11-02T10:00:00+01:00"}, {"id": "empty"}, "nonsense"]}"""
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + ']><rss version="2.0"><channel><title>&a11;</title><item><title>&a11;</title></item></channel></rss>'
)


def rss(count: int = 3, encoding: str = "utf-8", start: int = 1) -> str:
    """An RSS feed of ``count`` stories."""
    return RSS.format(encoding=encoding, items="".join(ITEM.format(n=n) for n in range(start, start + count)))


@dataclass
class FeedServer:
    """The server; ``url("/path")`` is an address on it, ``requests`` what it was asked.

    ``body`` is what ``/feed`` serves, ``packed`` or not, with ``headers`` besides: a test may change them.
    """

    body: str = field(default_factory=rss)
    packed: bool = False
    etag: str = 'W/"odd  tag\'s"'
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None

    def url(self, path: str) -> str:
        """Address of ``path``."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        app = web.Application()
        for path, handler in ROUTES.items():
            app.router.add_get(path, self._recording(handler))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut what is open."""
        if self._runner:
            await self._runner.cleanup()

    def _recording(
        self, handler: Callable[[FeedServer, web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.requests.append((request.path, dict(request.headers)))
            return await handler(self, request)

        return handle


async def running() -> AsyncIterator[FeedServer]:
    """A server for the length of a fixture."""
    server = FeedServer()
    await server.start()
    yield server
    await server.stop()


def _plain(body: str | bytes, status: int = 200, **headers: str) -> Callable[..., Awaitable[web.StreamResponse]]:
    raw = body.encode() if isinstance(body, str) else body

    async def handle(_: FeedServer, __: web.Request) -> web.StreamResponse:
        return web.Response(body=raw, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handle


async def _feed(server: FeedServer, request: web.Request) -> web.StreamResponse:
    if request.headers.get("If-None-Match") == server.etag:
        return web.Response(status=304)
    headers = {"ETag": server.etag, "Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT", "Content-Type": "text/xml"}
    headers |= server.headers
    body = server.body.encode()
    if server.packed:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    return web.Response(body=body, headers=headers)


async def _redirect_to_feed(_: FeedServer, request: web.Request) -> web.StreamResponse:
    raise web.HTTPMovedPermanently("../feed#part")


def _moving(*hops: tuple[int, str]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """``/path?0`` leads by the first hop to ``?1``, and so on; the last one to the feed."""

    async def handle(_: FeedServer, request: web.Request) -> web.StreamResponse:
        at = int(request.query_string or 0)
        status, there = hops[at]
        return web.Response(status=status, headers={"Location": there or f"{request.path}?{at + 1}"})

    return handle


async def _loop(_: FeedServer, request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/pool" if request.path == "/loop" else "/loop")


async def _endless_redirect(_: FeedServer, request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"/deeper?n={int(request.query.get('n', '0')) + 1}")


async def _away(_: FeedServer, request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(request.query["to"])


async def _to_file(_: FeedServer, __: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "file:///etc/passwd"})


async def _raw(request: web.Request, data: bytes, *, reset: bool = False, pause_s: float = 0.0) -> web.StreamResponse:
    """Write ``data`` past aiohttp, then close, or reset, the connection."""
    transport = request.transport
    assert transport is not None
    transport.write(data)
    await asyncio.sleep(pause_s)
    if reset:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        transport.abort()
    transport.close()
    return web.Response()


async def _truncated(_: FeedServer, request: web.Request) -> web.StreamResponse:
    return await _raw(request, b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + rss().encode(), pause_s=0.05)


async def _reset(_: FeedServer, request: web.Request) -> web.StreamResponse:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"
    return await _raw(request, head + rss().encode()[:300], reset=True, pause_s=0.1)


async def _hang_up(_: FeedServer, request: web.Request) -> web.StreamResponse:
    return await _raw(request, b"")


async def _no_http(_: FeedServer, request: web.Request) -> web.StreamResponse:
    return await _raw(request, b"SSH-2.0-OpenSSH_9.9\r\n\r\n", pause_s=0.05)


async def _escape(_: FeedServer, request: web.Request) -> web.StreamResponse:
    return await _raw(request, b"HTTP/1.1 200 \x1b[2J\x07ok\r\nBad\x1b[31m Header\n\nx: y\r\n\r\n", pause_s=0.05)


async def _header_flood(_: FeedServer, request: web.Request) -> web.StreamResponse:
    flood = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(2000))
    return await _raw(request, b"HTTP/1.1 200 OK\r\n" + flood + b"\r\n", pause_s=0.05)


async def _stream(request: web.Request, chunk: bytes, pause_s: float) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(chunk)
            await asyncio.sleep(pause_s)
    except ConnectionError:
        return response


async def _endless(_: FeedServer, request: web.Request) -> web.StreamResponse:
    return await _stream(request, b"<rss>" + b" " * 65536, 0)


async def _drip(_: FeedServer, request: web.Request) -> web.StreamResponse:
    return await _stream(request, b" ", 0.05)


async def _silent(_: FeedServer, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


def _bomb() -> bytes:
    """256 MiB of blanks in 256 KiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b" " * 1024 * 1024) for _ in range(256)) + packer.flush()


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


_PACKED = gzip.compress(rss().encode())
ROUTES = {
    "/feed": _feed,
    "/atom": _plain(ATOM, content_type="application/atom+xml"),
    "/json": _plain(JSON, content_type="application/feed+json"),
    "/latin": _plain(rss(encoding="iso-8859-1").replace("Body", "Körper").encode("latin-1")),
    "/gzip": _plain(_PACKED, Content_Encoding="gzip"),
    "/gzip-two-members": _plain(
        gzip.compress(rss().encode()[:100]) + gzip.compress(rss().encode()[100:]), Content_Encoding="gzip"
    ),
    "/deflate": _plain(zlib.compress(rss().encode()), Content_Encoding="deflate"),
    "/raw-deflate": _plain(_raw_deflate(rss().encode()), Content_Encoding="deflate"),
    "/moved/feed": _redirect_to_feed,
    "/page": _plain("<!doctype html><html><body><h1>Access denied</h1></body></html>", content_type="text/html"),
    "/text": _plain("Service is being maintained."),
    "/empty": _plain(""),
    "/blank": _plain(" \n\n"),
    "/no-content": _plain("", 204),
    "/bomb-deflate": _plain(zlib.compress(b" " * 64 * 1024 * 1024, 9), Content_Encoding="deflate"),
    "/bomb-in-bomb": _plain(gzip.compress(_bomb()), Content_Encoding="gzip, gzip"),
    "/gzip-cut": _plain(_PACKED[:-20], Content_Encoding="gzip"),
    "/gzip-lie": _plain("not packed at all", Content_Encoding="gzip"),
    "/brotli": _plain("?", Content_Encoding="br"),
    "/bomb": _plain(_bomb(), Content_Encoding="gzip"),
    "/truncated": _truncated,
    "/reset": _reset,
    "/hang-up": _hang_up,
    "/no-http": _no_http,
    "/escape": _escape,
    "/header-flood": _header_flood,
    "/endless": _endless,
    "/drip": _drip,
    "/silent": _silent,
    "/loop": _loop,
    "/pool": _loop,
    "/deeper": _endless_redirect,
    "/away": _away,
    "/for-good": _moving((301, ""), (308, "/feed")),
    "/for-now": _moving((302, ""), (301, "/feed")),
    "/good-then-now": _moving((301, ""), (307, ""), (308, "/feed")),
    "/good-but-gone": _moving((301, "/410")),
    "/now-but-gone": _moving((302, "/410")),
    "/good-then-now-gone": _moving((301, ""), (307, ""), (301, "/410")),
    "/to-itself": _moving((302, "/to-itself")),
    "/to-file": _to_file,
    "/401": _plain("", 401),
    "/404": _plain("no", 404),
    "/410": _plain("gone", 410),
    "/418": _plain("", 418),
    "/429": _plain("", 429, Retry_After="120"),
    "/500": _plain("oops", 500),
    "/429-date": _plain("", 429, Retry_After="Mon, 02 Nov 2099 10:00:00 GMT"),
    "/503-seconds": _plain("", 503, Retry_After="60"),
    "/503": _plain("", 503, Retry_After="Mon, 02 Nov 2099 10:00:00 GMT"),
    "/300": _plain("", 300),
    "/bad-charset": _plain(rss(encoding="utf-8").replace("Body", "Тело новости " * 30).encode("koi8-r")),
    "/unknown-charset": _plain(rss(encoding="x-nonsense")),
    "/stray-byte": _plain(rss().encode().replace(b"Body", b"Bod\xff", 1)),
    "/laughs": _plain(LAUGHS),
    "/deep": _plain('<rss version="2.0"><channel>' + "<a>" * 200_000),
    "/nul": _plain(b"\0" * 4096),
}
