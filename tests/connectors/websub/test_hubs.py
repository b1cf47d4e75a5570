"""Requests to hubs that are slow, go in circles, or say no."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from rawserver import proxy

from config.networks import networks
from connectors.websub import hub as asking
from connectors.websub.hub import Answer, HubClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """A hub that does at each path what it is called."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/slow":
            await asyncio.sleep(3600)
        if request.path == "/circle":
            return web.Response(status=308, headers={"Location": "/circle"})
        if request.path == "/away":
            return web.Response(status=307, headers={"Location": f"http://127.0.0.2:{request.url.port}/yes"})
        if request.path == "/page":
            return web.Response(status=302, headers={"Location": "/yes"})
        if request.path == "/yes":
            return web.Response(status=202)
        if request.path == "/token":
            return web.Response(status=400, text="https://u:secret@wire.example/feed?token=1 is unknown")
        return web.Response(status=429, text="\x1b[31mlater\n" * 100_000, headers={"Retry-After": "120"})

    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def ask(path: str) -> Answer:
    """What the hub at ``path`` answers, of 127.0.0.1, which alone is allowed here."""
    async with server() as url, HubClient("test", networks("127.0.0.1/32")) as client:
        return await client.ask(url + path, {"hub.mode": "subscribe"})


async def test_a_hub_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch):
    """It holds one of few places, so only for a while."""
    monkeypatch.setattr(asking, "TOTAL_S", 0.2)
    answer = await ask("/slow")
    assert not answer.accepted
    assert "TimeoutError" in answer.error


async def test_redirects_end_and_lead_to_public_addresses_only():
    """A circle is left, a page that answers GETs is no hub, and another host has to be public."""
    assert await ask("/circle") == Answer(accepted=False, error="more than 3 redirects")
    assert (await ask("/page")).error == "HTTP 302"
    assert "no public address" in (await ask("/away")).error
    assert (await ask("/yes")).accepted


async def test_a_no_is_told_in_few_words_without_control_characters():
    """What a hub says stands in a log: it is one line, short, and can't move a cursor."""
    answer = await ask("/no")
    assert answer.retry_after_s == 120
    assert answer.error.startswith("HTTP 429")
    assert len(answer.error) <= 200
    assert answer.error.isprintable()


async def test_what_a_hub_says_shows_no_token():
    """It may quote the topic, whose query may be somebody's token."""
    assert (await ask("/token")).error == "HTTP 400 https://wire.example/feed?… is unknown"


async def test_hubs_are_asked_through_the_proxy():
    """Where only a proxy reaches the internet, it alone is asked; local addresses stay refused, in any digits."""
    async with server() as url, proxy(int(url.rpartition(":")[2])) as between:
        through = f"http://127.0.0.1:{between.port}"
        async with HubClient("test", networks("127.0.0.1/32"), through) as client:
            assert (await client.ask("http://hub.example/yes", {})).accepted
            for local in (
                "127.0.0.2",
                "127.2",
                "\uff11\uff16\uff19.254.169.254",
                "127\u30020.0.2",
                "\u246027.0.0.2",
                "%31%32%37.0.0.2",
            ):
                answer = await client.ask(f"http://{local}/yes", {})
                assert "no public address" in answer.error or "InvalidURL" in answer.error, local
        async with HubClient("test", (), through) as client:
            assert "no public address" in (await client.ask("http://hub.example/yes", {})).error
    assert len(between.asked) == 1
