"""A real WebSub hub on loopback, with the manners of good and of bad ones; and a feed that names it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from feedserver import ITEM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Pushed wire</title><link>https://wire.example/</link>{items}</channel></rss>"""


def rss(*numbers: int) -> bytes:
    """An RSS feed of the stories of these numbers."""
    return FEED.format(items="".join(ITEM.format(n=n) for n in numbers)).encode()


@dataclass
class Hub:
    """The hub, and the feeds ``/feed…`` beside it, which name it in Link headers.

    Attributes:
        body: What they serve; a test may change it.
        asked: The forms that it was sent.
        verifies: Whether it verifies what it was asked.
        lease_s: The lease that it grants, whatever was asked for.
        challenge: What it has echoed.
        status: What it answers to a request.
        topic: What it names as the topic when it verifies; empty: what it was asked.
        named: The hub's address that the feed names; empty for its own, None for none.
        confirmed: By topic and callback, the secret of what was verified.
        verdicts: Status and body of each answer to a verification.
        polls: How often a feed was fetched.
    """

    body: bytes = field(default_factory=lambda: rss(1, 2, 3))
    asked: list[dict[str, str]] = field(default_factory=list)
    verifies: bool = True
    lease_s: int = 3600
    challenge: str = "a challenge+of/our&own"
    status: int = 202
    topic: str = ""
    named: str | None = ""
    confirmed: dict[tuple[str, str], str] = field(default_factory=dict)
    verdicts: list[tuple[int, str]] = field(default_factory=list)
    polls: int = 0
    port: int = 0
    _runner: web.AppRunner | None = None
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str) -> str:
        """Address of ``path``."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def start(self) -> None:
        """Listen on the port of the time before, or on a free one."""
        app = web.Application()
        app.router.add_get("/{feed:feed.*}", self._feed)
        app.router.add_post("/hub", self._ask)
        app.router.add_post("/moved", self._moved)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut what is open."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._runner:
            await self._runner.cleanup()

    async def _feed(self, request: web.Request) -> web.Response:
        self.polls += 1
        response = web.Response(body=self.body, headers={"Content-Type": "application/rss+xml"})
        if self.named is not None:
            named = self.named or self.url("/hub")
            response.headers.add("Link", f'<{named}>; rel="hub", <{self.url(request.path)}>; rel=self')
        return response

    async def _moved(self, _: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/hub")

    async def _ask(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.status == 202 and self.verifies:
            task = asyncio.create_task(self.verify(form))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return web.Response(status=self.status, text="as you say")

    async def verify(self, form: dict[str, str], **changed: str) -> tuple[int, str]:
        """Ask the subscriber whether it meant ``form``, and remember it if so."""
        query = {
            "hub.mode": form["hub.mode"],
            "hub.topic": self.topic or form["hub.topic"],
            "hub.challenge": self.challenge,
            "hub.lease_seconds": str(self.lease_s),
            **changed,
        }
        status, text = await self.get(form["hub.callback"], query)
        self.verdicts.append((status, text))
        if status == 200 and text == self.challenge:
            key = form["hub.topic"], form["hub.callback"]
            if form["hub.mode"] == "subscribe":
                self.confirmed[key] = form["hub.secret"]
            else:
                self.confirmed.pop(key, None)
        return status, text

    async def deny(self, reason: str = "no more") -> tuple[int, str]:
        """Tell the last subscriber that it is not wanted."""
        form = self.asked[-1]
        query = {"hub.mode": "denied", "hub.topic": form["hub.topic"], "hub.reason": reason}
        return await self.get(form["hub.callback"], query)

    async def get(self, url: str, query: dict[str, str]) -> tuple[int, str]:
        """Status and text of a GET."""
        async with aiohttp.ClientSession() as session, session.get(url, params=query) as response:
            return response.status, await response.text()

    async def push(
        self, body: bytes | None = None, method: str = "sha256", *, callback: str = "", **headers: str
    ) -> int:
        """Distribute ``body``, else what the feed shows, to the last subscriber; the status that it answers."""
        form = [form for form in self.asked if form["hub.mode"] == "subscribe"][-1]
        data = self.body if body is None else body
        sent = {"Content-Type": "application/rss+xml", **{name.replace("_", "-"): v for name, v in headers.items()}}
        if method:
            sent.setdefault("X-Hub-Signature", signed(form["hub.secret"], data, method))
        async with (
            aiohttp.ClientSession() as session,
            session.post(callback or form["hub.callback"], data=data, headers=sent) as response,
        ):
            return response.status


def signed(secret: str, body: bytes, method: str = "sha256") -> str:
    """The signature of a body, as a hub makes it."""
    return f"{method}={hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()}"


@asynccontextmanager
async def running() -> AsyncIterator[Hub]:
    """A hub for the length of a fixture."""
    hub = Hub()
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()
