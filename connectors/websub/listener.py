"""Listener: the HTTP server that hubs reach, by a reverse proxy."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from config.errors import BrinkwatchError
from connectors.websub.outcome import Pushed
from connectors.websub.pushes import Push, Pushes, note
from connectors.websub.subscriber import Subscriber

log = logging.getLogger(__name__)
MAX_CONNECTIONS = 64
CONNECTION_S = 30.0
MAX_PATH = 2_048
MAX_FIELD = 8_190
MAX_HEADERS = 64
RETRY_S = 60

STATUSES = {
    Pushed.DELIVERED: 200,
    # A push that can't be used is not worth a second attempt, and a forger learns nothing (W3C WebSub, 7.1).
    Pushed.UNREADABLE: 202,
    Pushed.FORGED: 202,
    Pushed.UNSIGNED: 202,
    Pushed.TOO_LARGE: 413,
    Pushed.ENCODED: 415,
    Pushed.BROKEN: 400,
    Pushed.RATE_LIMITED: 429,
    Pushed.BUSY: 503,
    Pushed.EARLY: 503,
    Pushed.UNACKNOWLEDGED: 503,
    Pushed.LEFT: 410,
    Pushed.UNKNOWN: 404,
}
_AGAIN = frozenset({429, 503})


class Listener:
    """Answers hubs: verifications and denials by GET, pushes by POST. Anything else is 404, without work."""

    def __init__(self, subscriber: Subscriber, pushes: Pushes) -> None:
        self._subscriber = subscriber
        self._pushes = pushes

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to one request. Each ends its connection, so that none is held."""
        # What stands before the last part is the reverse proxy's matter, which may cut it off or leave it.
        token = request.path.rpartition("/")[2] if len(request.path) <= MAX_PATH else ""
        if request.method == "GET":
            response = self._verify(token, request)
        elif request.method == "POST":
            response = await self._push(token, request)
        else:
            response = _response(404)
        response.force_close()
        return response

    def _verify(self, token: str, request: web.BaseRequest) -> web.Response:
        try:
            query = dict(request.query)
        except ValueError:  # more parameters than there may be
            return _response(400)
        challenge = self._subscriber.confirm(token, query)
        if challenge is None:
            return _response(404)
        # As bytes of no type that a browser would show: it is the other side's text.
        return web.Response(
            body=challenge.encode("utf-8", "surrogateescape"),
            headers={"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff"},
        )

    async def _push(self, token: str, request: web.BaseRequest) -> web.Response:
        headers = request.headers
        push = Push(
            token=token,
            signature=headers.get("X-Hub-Signature", ""),
            content_type=headers.get("Content-Type", ""),
            encoding=headers.get("Content-Encoding", ""),
        )
        ended = await self._pushes.take(push, request.content)
        note(ended)
        _log(ended, self._subscriber, token)
        return _response(STATUSES[ended])


def _response(status: int) -> web.Response:
    return web.Response(status=status, headers={"Retry-After": str(RETRY_S)} if status in _AGAIN else None)


def _log(ended: Pushed, subscriber: Subscriber, token: str) -> None:
    """Neither path nor signature; a path that is none of ours is only counted, or anybody could fill the log."""
    found = subscriber.feed(token)
    if found is not None:
        feed = found[0].id
        level = logging.INFO if ended is Pushed.DELIVERED else logging.WARNING
        log.log(level, "%s: pushed: %s", feed, ended.value, extra={"fields": {"feed": feed, "push": ended.value}})


@asynccontextmanager
async def listening(listener: Listener, host: str, port: int) -> AsyncIterator[int]:
    """Serve on ``host``:``port`` (0: any that is free) while the context lasts; gives the port.

    64 connections at once, none for more than 30 s: whoever comes later is cut off, and costs nothing.

    Raises:
        BrinkwatchError: The address can't be had.
    """
    server = web.Server(
        listener.answer,
        access_log=None,
        auto_decompress=False,  # signatures are of the bytes that were sent
        max_line_size=MAX_FIELD,
        max_field_size=MAX_FIELD,
        max_headers=MAX_HEADERS,
        lingering_time=1.0,
    )
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    try:
        loop = asyncio.get_running_loop()
        try:
            bound = await loop.create_server(_Bounded(server, loop), host, port)
        except OSError as error:
            raise BrinkwatchError(f"listening for pushes failed: {host}:{port}: {error.strerror or error}") from None
        try:
            yield bound.sockets[0].getsockname()[1]
        finally:
            bound.close()
    finally:
        await runner.cleanup()


class _Bounded:
    """Makes the protocol of each connection, with an end to it."""

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop

    def __call__(self) -> asyncio.Protocol:
        protocol = self._server()
        full = len(self._server.connections) >= MAX_CONNECTIONS
        self._loop.call_later(0 if full else CONNECTION_S, protocol.force_close)
        return protocol
