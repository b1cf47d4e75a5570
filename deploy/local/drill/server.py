"""The drill's server: the outlets' feeds on loopback, where articles appear as their time comes.

``python -m deploy.local.drill.server --port 0 --feeds drill.yaml`` prints the port, and writes the list of feeds that
``brinkwatch connect --feeds drill.yaml`` polls.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import signal
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import yaml

from config.errors import BrinkwatchError
from config.feeds import Feed
from config.networks import network
from config.ways import Way
from deploy.local.drill.render import render
from deploy.local.drill.story import Outlet, Story, items, load_story

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
ACCESS = "drill"
INTERVAL_S = 2.0
START_S = 20.0


def feeds(port: int, story: Story | None = None) -> list[Feed]:
    """The feeds of a drill server at ``port``, marked as a drill's and polled every two seconds.

    No other feed may be on this machine because these are: the block by which they are reached is theirs alone.
    """
    return [
        Feed(
            id=f"drill-{outlet.id}",
            url=f"http://{HOST}:{port}/{outlet.id}",
            interval_s=INTERVAL_S,
            title=outlet.title,
            source=outlet.domain,
            language="en",
            drill=True,
            access=ACCESS,
            way=Way(ACCESS, allow=(network(HOST),)),
        )
        for outlet in (story or load_story()).outlets
    ]


def write_feeds(port: int, path: Path) -> None:
    """Write ``feeds(port)`` as a list that ``brinkwatch connect --feeds`` reads."""
    listed = [
        {
            "id": feed.id,
            "url": feed.url,
            "interval": f"{feed.interval_s:.0f}s",
            "title": feed.title,
            "source": feed.source,
            "language": feed.language,
            "drill": True,
            "access": feed.access,
        }
        for feed in feeds(port)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        yaml.safe_dump({"access": {ACCESS: {"allow": [HOST]}}, "feeds": listed}, sort_keys=False), encoding="utf-8"
    )


class DrillServer:
    """Serves a story; an async context manager whose ``port`` is the real one."""

    def __init__(
        self,
        port: int = 0,
        *,
        story: Story | None = None,
        start: datetime | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Serve on ``port`` (0: any free one) a performance that began at ``start`` (now, where it is not given)."""
        self.port = port
        self.story = story or load_story()
        self.start = start or clock()
        self._clock = clock
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        from aiohttp import web

        app = web.Application()
        for outlet in self.story.outlets:
            app.router.add_get(f"/{outlet.id}", self._handler(outlet))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, self.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise BrinkwatchError(f"starting the drill failed: {HOST}:{self.port}: {error.strerror}") from None
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _handler(self, outlet: Outlet) -> Callable[[web.Request], Awaitable[web.Response]]:
        from aiohttp import web

        async def handle(request: web.Request) -> web.Response:
            body, content_type = render(outlet, items(self.story, outlet, self.start, self._clock()))
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if request.headers.get("If-None-Match") == etag:
                return web.Response(status=304, headers={"ETag": etag})
            return web.Response(body=body, headers={"ETag": etag, "Content-Type": content_type})

        return handle


class Drill:
    """A drill server in a thread, for a process without an event loop; ``port`` is known after ``begin``."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._listening = threading.Event()
        self._error: BaseException | None = None

    def begin(self) -> None:
        """Serve; the story begins now.

        Raises:
            BrinkwatchError: The port can't be had.
        """
        self._thread = threading.Thread(target=self._run, name="drill", daemon=True)
        self._thread.start()
        self._listening.wait(START_S)
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Stop serving. Repeatable."""
        if self._thread is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(START_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits in ``begin``
            self._error = error
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with DrillServer(self.port) as server:
            self.port = server.port
            self._listening.set()
            await self._stop.wait()


async def _serve_until_signal(port: int, listing: Path | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with DrillServer(port) as server:
        if listing:
            write_feeds(server.port, listing)
        print(server.port, flush=True)  # noqa: T201  # the answer to whoever started it
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="Serve the drill's feeds on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--feeds", type=Path, help="write the list of feeds to this file")
    options = parser.parse_args(arguments)
    asyncio.run(_serve_until_signal(options.port, options.feeds))


if __name__ == "__main__":
    main()
