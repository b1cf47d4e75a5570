"""A site on loopback: a feed of teasers, and pages of every kind; what it was asked, and when."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TITLE = "Karvenia moves troops towards the border with Belmora"
TEASER = "Karvenia has moved two brigades towards the border with Belmora, officials said."
PARAGRAPHS = [
    "Karvenia has moved two brigades towards the border with Belmora, three officials in Sarrin said on Monday.",
    "The columns left their barracks near Tolmar before dawn and were seen on the valley road by drivers of lorries.",
    "They spoke of tank transporters, of field kitchens, and of soldiers who would not say where they were going.",
    "Belmora called the movement a threat and summoned the Karvenian ambassador, who came an hour late.",
    "Its foreign minister asked for an account within a day of what the soldiers were doing there.",
    "A spokesman for the Karvenian army said that the brigades were on an exercise, planned for a year.",
    "Observers of the Northern Straits Compact were welcome to watch it, he said, for as long as it lasts.",
]
TEXT = "\n".join(PARAGRAPHS)
ORDINARY = "The bakers of Havnstad baked a cake as long as the harbour wall on Sunday, and ate it within the hour."


def article(title: str = TITLE, paragraphs: list[str] = PARAGRAPHS, head: str = "", foot: str = "") -> str:
    """A page as outlets make them: the article amid menus, teasers of other articles and notices."""
    menu = "".join(
        f'<li><a href="/{name}">{name}</a></li>' for name in ("World", "Politics", "Money", "Sport", "Weather")
    )
    others = "".join(
        f'<div class="card"><a href="/other/{n}">Another story of the day, number {n}</a></div>' for n in range(8)
    )
    told = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} | Straits Wire</title>
{head}</head><body><header><nav><ul>{menu}</ul></nav></header>
<div id="cookies">We use cookies. <button>Fine</button></div>
<main><article><h1>{escape(title)}</h1><div class="byline">By our desk</div>{told}{foot}</article></main>
<aside class="related"><h2>Most read</h2>{others}</aside>
<footer><p>Straits Wire, Harbour Street. All rights reserved. Terms of use. Privacy.</p></footer>
<script>var shown = "not for readers";</script></body></html>"""


LD = '<script type="application/ld+json">{"@graph": [{"@type": "NewsArticle", "isAccessibleForFree": %s}]}</script>'
CANONICAL = '<link rel="canonical" href="%s">'
CONSENT = """<!doctype html><html><head><title>Before you go on</title></head><body><main><h1>Your choice</h1>
<p>We and our 812 partners store information on your device, such as cookies, and read it. You can accept that, or see
in detail what it is for and object to each purpose on its own. Your choice counts for all our sites.</p><p>We
measure what is read, we show advertising that fits you, and we develop our products further.
For that we need your consent.</p><button>Accept all</button></main></body></html>"""
PAGES = {
    "/story/full": article(),
    "/story/latin": article().replace("utf-8", "iso-8859-1").replace("Tolmar", "T\xf6lmar"),
    "/story/marked": article(paragraphs=[*PARAGRAPHS[:1], "Subscribe to continue reading this article."]),
    "/story/not-free": article(paragraphs=PARAGRAPHS[:2], head=LD % '"False"'),
    "/story/free": article(head=LD % "true"),
    "/story/stub": article(paragraphs=[TEASER]),
    "/story/consent": CONSENT,
    "/story/canonical": article(head=CANONICAL % "/story/the-one-address"),
    "/story/canonical-too": article(head=CANONICAL % "/story/the-one-address"),
    "/story/front": article(head=CANONICAL % "/"),
    "/story/foreign": article(head=CANONICAL % "https://elsewhere.example/story/taken"),
    "/private/story": article(),
    "/story/nothing": "<html><body></body></html>",
    "/story/no-html": "%PDF-1.7 nothing for us",
}


class Site:
    """The site; ``asked`` holds paths and when they were asked for, ``robots`` what robots.txt answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []
        self.robots: tuple[int, str] = (200, "User-agent: *\nDisallow: /private/\n")
        self.entries: list[tuple[str, str, str]] = []
        self.port = 0

    def url(self, path: str) -> str:
        """Address of ``path``."""
        return f"http://127.0.0.1:{self.port}{path}"

    def show(self, *paths: str, title: str = TITLE, teaser: str = TEASER) -> None:
        """Let the feed show entries that link to these pages."""
        self.entries += [(path, title, teaser) for path in paths]

    def paths(self, prefix: str = "/") -> list[str]:
        """What was asked for, the feed left out."""
        return [path for path, _ in self.asked if path.startswith(prefix) and path != "/feed"]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        self.asked.append((request.path, time.monotonic()))
        if request.path == "/feed":
            return web.Response(text=self._feed(), content_type="application/rss+xml")
        if request.path == "/robots.txt":
            return web.Response(status=self.robots[0], text=self.robots[1])
        if (play := PLAYS.get(request.path)) is not None:
            return await play(request)
        if (page := PAGES.get(request.path)) is None:
            return web.Response(status=404)
        charset = "iso-8859-1" if "iso-8859-1" in page else "utf-8"
        return web.Response(body=page.encode(charset), headers={"Content-Type": "text/html"})

    def _feed(self) -> str:
        items = "".join(
            f"<item><guid>{path.partition('?')[0]}</guid><link>{self.url(path)}</link><title>{escape(title)}</title>"
            f"<description>{escape(teaser)}</description></item>"
            for path, title, teaser in self.entries
        )
        return f'<rss version="2.0"><channel><title>Straits Wire</title>{items}</channel></rss>'


async def _huge(request: web.Request) -> web.StreamResponse:
    return web.Response(text=article() + "<!--" + "x" * 3_000_000 + "-->", content_type="text/html")


async def _drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)
    except ConnectionError:
        return response


async def _moved(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(request.query.get("to", "/story/full"))


async def _busy(request: web.Request) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "3600"})


PLAYS: dict[str, Handler] = {
    "/story/huge": _huge, "/story/drip": _drip, "/story/moved": _moved, "/story/busy": _busy,
}  # fmt: skip


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    """A running one."""
    made = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()
