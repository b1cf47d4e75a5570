"""``brinkwatch feeds``, against real servers, files and state."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import feedserver
import pytest
from aiohttp import web
from loopback import NETWORKS
from typer.testing import CliRunner

from config.errors import BrinkwatchError
from config.feeds import Feed, load_feeds
from connectors import discovery
from connectors.check import Checked
from connectors.fetch import Fetched
from connectors.outcome import Outcome
from connectors.store import FeedState, Store
from pipeline.cli.main import app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from click.testing import Result

LIST = """feeds:
  # Wires
  - {id: wire, title: Wire, url: "https://wire.example/rss", interval: 10m}
  - {id: down, url: "https://down.example/rss"}
  # Others
  - {id: idle, url: "https://idle.example/rss", enabled: false}
  - {id: fresh, url: "https://fresh.example/rss"}
"""
PAGE = """<html><head><base href="/sub/"><!-- <link rel="alternate" type="application/rss+xml" href="no"> -->
<link rel="alternate" type="application/rss+xml" title="Comments" href="comments.xml">
<link type='application/atom+xml' rel='ALTERNATE home' title='News &amp; more' href='../feed'>
<link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1">
<link rel="alternate" hreflang="de" href="/de"><link rel="alternate" type="application/rss+xml" href="javascript:x">
<link rel="stylesheet" type="text/css" href="x.css"></head><body>Hello</body></html>"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of feeds, and a folder for the state."""
    monkeypatch.setenv("BRINKWATCH_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "feeds.yaml").write_text(LIST)
    return tmp_path


@pytest.fixture
async def site() -> AsyncIterator[dict[str, Any]]:
    """A web site, as ``serving`` has it."""
    async with serving("127.0.0.1") as state:
        yield state


@asynccontextmanager
async def serving(host: str) -> AsyncIterator[dict[str, Any]]:
    """A web site on one address of loopback.

    Pages (a text, a status, or ``to`` and where they redirect) by path are under ``pages``, what was asked for under
    ``asked``, whether a password came with it under ``authorized``, its address under ``url``.
    """
    state: dict[str, Any] = {"pages": {}, "asked": [], "authorized": []}

    async def answer(request: web.Request) -> web.Response:
        state["asked"].append(request.path)
        state["authorized"].append("Authorization" in request.headers)
        body = state["pages"].get(request.path)
        if isinstance(body, int):
            return web.Response(status=body)
        if body and body.startswith("to "):
            raise web.HTTPFound(body.removeprefix("to "))
        return web.Response(status=404) if body is None else web.Response(text=body, content_type="text/html")

    server = web.Application()
    server.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    state["url"] = f"http://{host}:{runner.addresses[0][1]}"
    try:
        yield state
    finally:
        await runner.cleanup()


def feeds(folder: Path, *words: str) -> Result:
    """Run ``brinkwatch feeds`` with the list of ``folder``."""
    listed = [] if words[0] in {"preview", "discover"} else ["--feeds", str(folder / "feeds.yaml")]
    return CliRunner().invoke(app, ["feeds", *words, *listed])


async def feeds_beside(folder: Path, *words: str) -> Result:
    """The same beside the servers of the test."""
    return await asyncio.to_thread(feeds, folder, *words)


def ids(folder: Path) -> list[str]:
    """The list's ids."""
    return [feed.id for feed in load_feeds(folder / "feeds.yaml")]


def remember(folder: Path, name: str, *states: FeedState) -> None:
    """Write what a connector has found."""
    with Store(folder / "data" / "connectors") as store:
        for state in states:
            store.record(state)
    if name != "state":
        (folder / "data" / "connectors" / "state.sqlite").rename(folder / "data" / "connectors" / f"{name}.sqlite")


def test_list_tells_how_each_feed_stands(folder: Path):
    """State, last outcome, error, next poll, interval and failures; of several files the latest poll; read only."""
    now = time.time()
    wire = FeedState(
        "wire", "https://wire.example/rss", Outcome.OK, polled_at=now - 90, next_due=now + 600, interval_s=420
    )
    old = FeedState(
        "wire", "https://wire.example/rss", Outcome.SERVER_ERROR, polled_at=now - 900, failures=2, next_due=now
    )
    down = FeedState(
        "down", "https://down.example/rss", Outcome.NOT_FOUND, detail="HTTP 404", failures=3, next_due=now + 9
    )
    gone = FeedState("fresh", "https://other.example/", Outcome.GONE)
    remember(folder, "state-1", old)
    remember(folder, "state-2", down, gone)
    with Store(folder / "data" / "connectors") as store:  # a connector runs
        store.record(wire)
        store.settle()
        shown = feeds(folder, "list")
        lines = [json.loads(line) for line in feeds(folder, "list", "--json").stdout.splitlines()]
    assert shown.exit_code == 0, shown.output
    assert [line["state"] for line in lines] == ["ok", "failing", "paused", "waiting"]
    assert (lines[0]["outcome"], lines[0]["interval_s"], lines[0]["failures"]) == ("ok", 420, 0)
    assert (lines[1]["error"], lines[1]["failures"], lines[1]["outcome"]) == ("HTTP 404", 3, "not_found")
    assert lines[0]["next_poll"] > lines[0]["polled_at"]
    assert "HTTP 404" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "1 ok, 1 failing, 1 paused, 1 waiting"
    only = feeds(folder, "list", "--json", "--state", "failing").stdout.splitlines()
    assert [json.loads(line)["id"] for line in only] == ["down"]
    assert feeds(folder, "list", "--state", "good").exit_code == 2


def test_list_without_any_state(folder: Path):
    """Before the first start, every feed waits, and nothing is made."""
    assert feeds(folder, "list").stdout.splitlines()[-1] == "3 waiting, 1 paused"
    assert not (folder / "data").exists()


def test_list_with_a_state_that_is_none(folder: Path):
    """A damaged file is a failure in one line."""
    (folder / "data" / "connectors").mkdir(parents=True)
    (folder / "data" / "connectors" / "state.sqlite").write_bytes(b"no database" * 100)
    done = feeds(folder, "list")
    assert done.exit_code == 1
    assert "file is not a database" in str(done.exception)


def test_pause_resume_remove(folder: Path):
    """Each changes its feed and leaves comments; an unknown id is a failure that changes nothing."""
    assert feeds(folder, "pause", "wire").exit_code == 0
    assert feeds(folder, "resume", "idle").exit_code == 0
    assert feeds(folder, "remove", "down").exit_code == 0
    found = {feed.id: feed.enabled for feed in load_feeds(folder / "feeds.yaml")}
    assert found == {"wire": False, "idle": True, "fresh": True}
    assert "# Wires" in (folder / "feeds.yaml").read_text()
    assert "# Others" in (folder / "feeds.yaml").read_text()
    assert feeds(folder, "remove", "down").exit_code == 1


async def test_add_a_feed(folder: Path, site: dict[str, Any]):
    """Its id and title come from itself; what the line says counts more; an address that is there is refused."""
    site["pages"]["/rss"] = feedserver.rss()
    site["pages"]["/other"] = feedserver.rss()
    done = await feeds_beside(folder, "add", site["url"] + "/rss", "--interval", "20m", "--language", "en")
    assert done.exit_code == 0, done.output
    added = load_feeds(folder / "feeds.yaml")[-1]
    assert (added.id, added.title, added.interval_s, added.language) == ("wire-2", "Wire", 1200.0, "en")
    assert (await feeds_beside(folder, "add", site["url"] + "/other", "--id", "mine", "--title", "Mine")).exit_code == 0
    assert (load_feeds(folder / "feeds.yaml")[-1].id, load_feeds(folder / "feeds.yaml")[-1].title) == ("mine", "Mine")
    again = await feeds_beside(folder, "add", site["url"] + "/rss")
    assert (again.exit_code, "in the list as wire-2" in str(again.exception)) == (1, True)


async def test_add_a_page(folder: Path, site: dict[str, Any]):
    """Of a page the feed that it links to is added, not that of its comments."""
    site["pages"] |= {"/page": PAGE, "/feed": feedserver.rss()}
    done = await feeds_beside(folder, "add", site["url"] + "/page")
    assert done.exit_code == 0, done.output
    assert load_feeds(folder / "feeds.yaml")[-1].url == site["url"] + "/feed"


@pytest.mark.parametrize("base", ["http://[", "http://a.example:port/", "//[::1", "mailto:desk", "javascript:x"])
async def test_a_base_that_is_none(folder: Path, site: dict[str, Any], base: str):
    """What a page says is its base, and can't be one, is passed over: links count from the page."""
    site["pages"] = {
        "/sub/page": f'<html><base href="{base}"><link rel="alternate" type="application/rss+xml" href="feed">',
        "/sub/feed": feedserver.rss(),
    }
    found = await feeds_beside(folder, "discover", site["url"] + "/sub/page", "--json")
    assert [json.loads(line)["url"] for line in found.stdout.splitlines()] == [site["url"] + "/sub/feed"]
    done = await feeds_beside(folder, "add", site["url"] + "/sub/page")
    assert (done.exit_code, load_feeds(folder / "feeds.yaml")[-1].url) == (0, site["url"] + "/sub/feed")


HOSTILE = [
    "http://[", "http://[::1", "http://]/", "http://a:b/", "http://a:99999/", "http://:80/", "http://", "http:///x",
    "//[x", "http://" + "a" * 300, "http://a..b/", "http://\udcff/", "http://127.0.0.1:1/\udcff", "http://\uff41\u2100/",
    "http://[::1%25]/", "http://[fe80::1%lo]:1/", "file:", "file://[/", "file:///%00",
    "file:///\udcff", "a" * 300, "~" + "n" * 64 + "/x", "HTTP://[", "feed:x", "javascript:x", "http://127.1:x@[/",
]  # fmt: skip


@pytest.mark.parametrize("command", ["add", "add --no-check", "discover", "preview"])
@pytest.mark.parametrize("place", HOSTILE)
def test_an_address_that_is_none_is_told(folder: Path, command: str, place: str):
    """Whatever is given as an address ends in a line of words, never in a trace."""
    name, *options = command.split()
    done = feeds(folder, name, place, *options)
    assert done.exception is None or isinstance(done.exception, BrinkwatchError | SystemExit), done.exc_info
    load_feeds(folder / "feeds.yaml")


def test_a_title_that_can_not_be_written(folder: Path):
    """Bytes that are no UTF-8 are blamed on the option: in the list, they would end every command that shows them."""
    done = feeds(folder, "add", "https://x.example/", "--no-check", "--title", "\udcff")
    assert (done.exit_code, "--title" in done.stderr, len(ids(folder))) == (2, True, 4)


@pytest.mark.parametrize("link", HOSTILE)
async def test_a_link_that_is_none_is_passed_over(link: str):
    """Nor does what a page links to."""
    page = f'<html><link rel="alternate" type="application/rss+xml" href="{link}">'.encode(errors="surrogatepass")
    for found in discovery.alternates(page, "text/html", "http://wire.example/"):
        await discovery.may_be_asked(found, "http://wire.example/")


async def test_a_page_that_links_into_our_network(folder: Path, site: dict[str, Any]):
    """Whoever writes a page must not choose what is asked for within: a link to another host has to be public."""
    inside = site["url"].replace("127.0.0.1", "localhost") + "/feed"
    site["pages"] |= {
        "/": f'<html><link rel="alternate" type="application/rss+xml" href="{inside}">',
        "/feed": feedserver.rss(),
    }
    done = await feeds_beside(folder, "add", site["url"] + "/")
    assert (done.exit_code, "not public" in str(done.exception)) == (1, True)
    assert site["asked"] == ["/"]


LINK = '<html><link rel="alternate" type="application/rss+xml" href="{}">'


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", {"/": LINK.format("{there}/feed")}),
        ("127.0.0.2", {"/": LINK.format("{there}/feed")}),
        ("127.0.0.2", {"/": "to {there}/"}),
        ("127.0.0.1", {"/": "<html>", "/feed/": "to {there}/feed"}),
        ("127.0.0.2", {"/": "<html>", "/feed/": "to {there}/feed"}),
    ],
    ids=["link-port", "link-host", "redirect", "usual-port", "usual-host"],
)
async def test_a_password_goes_to_no_origin_that_a_page_names(
    folder: Path, site: dict[str, Any], host: str, here: dict[str, str]
):
    """A link, a redirect of the page or of a usual place to another host or port gets no password, now or later.

    Nothing is added; the address that was found is told, so that it can be added by itself.
    """
    block = "access: {agency: {username: desk, password_file: kept}}\n"
    (folder / "feeds.yaml").write_text(block + LIST)
    (folder / "kept").write_text("open-sesame")
    async with serving(host) as other:
        site["pages"] = {path: page.format(there=other["url"]) for path, page in here.items()}
        other["pages"] = {"/": LINK.format("feed"), "/feed": feedserver.rss()}
        done = await feeds_beside(folder, "add", site["url"] + "/", "--access", "agency")
        assert (done.exit_code, f"{other['url']}/feed: " in str(done.exception)) == (1, True), done.exception
        assert "--access" in str(done.exception)
        assert (site["authorized"][0], any(other["authorized"])) == (True, False)
        assert (folder / "feeds.yaml").read_text() == block + LIST
        by_itself = await feeds_beside(folder, "add", other["url"] + "/feed", "--access", "agency")
    assert by_itself.exit_code == 0, by_itself.exception
    assert load_feeds(folder / "feeds.yaml")[-1].access == "agency"


async def test_a_page_of_the_same_origin_keeps_the_access_block(folder: Path, site: dict[str, Any]):
    """What the page links to at home is looked at with the password, and added with the block."""
    (folder / "feeds.yaml").write_text("access: {agency: {username: desk, password_file: kept}}\n" + LIST)
    (folder / "kept").write_text("open-sesame")
    site["pages"] = {"/": LINK.format("feed"), "/feed": feedserver.rss()}
    done = await feeds_beside(folder, "add", site["url"] + "/", "--access", "agency")
    assert done.exit_code == 0, done.exception
    assert (load_feeds(folder / "feeds.yaml")[-1].access, site["authorized"]) == ("agency", [True, True])


async def test_add_what_is_no_feed(folder: Path, site: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    """Nothing is added, and it is said why; --no-check adds it all the same, without a request."""
    monkeypatch.setattr(discovery, "PAUSE_S", 0.0)
    monkeypatch.setattr(discovery.of_page, "__defaults__", (0.0,))
    for path, why in (("/404", "not_found"), ("/", "no feed")):
        site["pages"]["/"] = "<html>Hello</html>"
        done = await feeds_beside(folder, "add", site["url"] + path)
        assert (done.exit_code, why in str(done.exception)) == (1, True)
    assert len(ids(folder)) == 4
    asked = len(site["asked"])
    assert feeds(folder, "add", "unreachable.example/feed", "--no-check").exit_code == 0
    assert load_feeds(folder / "feeds.yaml")[-1].url == "https://unreachable.example/feed"
    assert len(site["asked"]) == asked


@pytest.mark.parametrize(
    ("option", "value"),
    [("--interval", "1s"), ("--language", "english"), ("--source", "https://x.example"), ("--id", "A B"),
     ("--id", "wire"), ("--full-text", "sometimes"), ("--access", "none"), ("--min-interval", "9h")],
)  # fmt: skip
async def test_a_bad_option(folder: Path, site: dict[str, Any], option: str, value: str):
    """It is blamed on the option, before anything is asked for."""
    done = await feeds_beside(folder, "add", site["url"] + "/rss", option, value)
    assert (done.exit_code, option in done.stderr) == (2, True), done.output
    assert site["asked"] == []


async def test_add_with_all_that_a_list_may_say(folder: Path, site: dict[str, Any]):
    """Bounds, full text and the access block stand in the list; the block counts for the first look, too."""
    site["pages"]["/rss"] = feedserver.rss()
    path, block = folder / "feeds.yaml", "access: {intranet: {username: me, password_file: missing}}\n"
    path.write_text(block + LIST)
    words = ["--min-interval", "10m", "--max-interval", "1h", "--full-text", "never", "--access", "intranet"]
    refused = await feeds_beside(folder, "add", site["url"] + "/rss", *words)
    assert (refused.exit_code, "no_access" in str(refused.exception)) == (1, True)
    (folder / "missing").write_text("secret")
    done = await feeds_beside(folder, "add", site["url"] + "/rss", *words)
    assert done.exit_code == 0, done.output
    added = load_feeds(path)[-1]
    assert (added.floor_s, added.cap_s, added.full_text, added.access) == (600, 3600, "never", "intranet")


@pytest.mark.parametrize(
    ("url", "secret"),
    [("http://user:hunter2@127.0.0.1:1/rss", "hunter2"), ("http://127.0.0.1:1/rss?token=hunter2", "hunter2")],
)
def test_no_secret_in_an_error(folder: Path, url: str, secret: str):
    """Neither a password nor a token of an address is told again; nor that a bad address could be added anyhow."""
    for command in ("add", "discover"):
        done = feeds(folder, command, url)
        assert done.exit_code == 1
        assert secret not in str(done.exception) + done.output
    assert "user" not in url or "--no-check" not in str(feeds(folder, "add", url).exception)


@pytest.mark.parametrize(
    "body",
    [
        "<sitemapindex><sitemap><loc>https://x.example/a.xml</loc></sitemap></sitemapindex>",
        '<opml version="2.0"><body><outline xmlUrl="https://x.example/a"/></body></opml>',
        '{"any": "thing"}',
        "plain words",
    ],
)
async def test_what_is_no_page_is_no_place_to_look_from(folder: Path, site: dict[str, Any], body: str):
    """Of another document no other feed is added: the error says what it is."""
    site["pages"] |= {"/x": body, "/feed/": feedserver.rss()}
    for command in ("add", "discover"):
        done = await feeds_beside(folder, command, site["url"] + "/x")
        assert (done.exit_code, "not_a_feed" in str(done.exception)) == (1, True), done.exception
    assert site["asked"] == ["/x", "/x"]


def test_one_feed_in_two_spellings(folder: Path):
    """Case of the host, default port and fragment make no other feed."""
    for url in ("https://WIRE.example/rss", "https://wire.example:443/rss#top"):
        done = feeds(folder, "add", url, "--no-check")
        assert (done.exit_code, "in the list as wire" in str(done.exception)) == (1, True)
    path = folder / "twice.opml"
    path.write_text('<opml><body><outline xmlUrl="https://Wire.example/rss#x"/></body></opml>')
    assert feeds(folder, "import", str(path)).stdout == "0 added, 1 there already, 0 unusable\n"


def test_a_list_that_is_not_there(folder: Path):
    """One that is made is told of, for it may be a slip; of a missing one nothing can be removed."""
    other = folder / "other.yaml"
    words = [["remove", "wire"], ["pause", "wire"], ["add", "https://x.example/", "--no-check"]]
    done = [CliRunner().invoke(app, ["feeds", *each, "--feeds", str(other)]) for each in words]
    assert [each.exit_code for each in done] == [1, 1, 0]
    assert "there is no such list" in str(done[0].exception)
    assert f"new list {other}" in done[2].stderr


def test_add_a_path(folder: Path):
    """A path is told as one, with the address that was meant."""
    done = feeds(folder, "add", "/srv/news/x.jsonl")
    assert (done.exit_code, "did you mean file:///srv/news/x.jsonl?" in str(done.exception)) == (1, True)


async def test_check(folder: Path, site: dict[str, Any]):
    """One request a feed; a bad one makes the exit code 1; a paused one is checked only by name."""
    site["pages"] |= {"/good": feedserver.rss(), "/page": "<html></html>"}
    address = site["url"]
    archive = folder / "archive.jsonl"
    archive.write_text('{"published": "2026-11-02", "title": "Old"}\n')
    (folder / "feeds.yaml").write_text(
        f'feeds:\n  - {{id: good, url: "{address}/good"}}\n  - {{id: page, url: "{address}/page"}}\n'
        f'  - {{id: idle, url: "{address}/idle", enabled: false}}\n  - {{id: old, url: "{archive.as_uri()}"}}\n'
    )
    done = await feeds_beside(folder, "check")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "2 ok, 1 not_a_feed"
    assert sorted(site["asked"]) == ["/good", "/page"]
    assert (await feeds_beside(folder, "check", "good", "old")).exit_code == 0
    assert (await feeds_beside(folder, "check", "idle")).exit_code == 1
    unknown = feeds(folder, "check", "unknown", "good")
    assert (unknown.exit_code, str(unknown.exception)) == (1, "checking feeds failed: unknown: no feed has this id")
    assert not (folder / "data").exists()


async def test_discover(folder: Path, site: dict[str, Any]):
    """Where the page links to feeds, one request; what is none, or in a comment, is not found."""
    site["pages"]["/page"] = PAGE
    done = await feeds_beside(folder, "discover", site["url"] + "/page", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["url"].removeprefix(site["url"]), each["title"]) for each in found] == [
        ("/feed", "News & more"),
        ("/sub/comments.xml", "Comments"),
    ]
    assert site["asked"] == ["/page"]


@pytest.mark.parametrize(
    ("pages", "found", "asked"),
    [
        ({"/": "<html>", "/feed.xml": feedserver.ATOM}, "/feed.xml", 4),
        ({"/": "<html>"}, None, 1 + len(discovery.USUAL)),
        ({"/": "<html>", "/feed/": 429}, None, 2),
        ({"/": feedserver.JSON}, "/", 1),
        ({"/": 503}, None, 1),
    ],
)
async def test_usual_places(site: dict[str, Any], pages: dict[str, Any], found: str | None, asked: int):
    """Few requests: one after the other until there is a feed, and none to a site that wants no more."""
    from connectors.fetch import Fetcher, user_agent
    from connectors.sandbox import Sandbox

    site["pages"] = pages
    async with Sandbox() as sandbox, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
        discovered = await discovery.discover(site["url"] + "/", fetcher, sandbox, pause_s=0.0)
    assert [each.url.removeprefix(site["url"]) for each in discovered.found] == ([found] if found else [])
    assert bool(discovered.error) == (found is None)
    assert len(site["asked"]) == asked


def test_preview_of_a_file(folder: Path):
    """Lines of JSON with what would be sent; links count from the feed's own address; the outcome is on stderr."""
    path = folder / "feed.xml"
    path.write_text(
        feedserver.ATOM.replace("<id>urn:x</id>", '<id>urn:x</id><link rel="self" href="https://a.example/f"/>')
    )
    done = feeds(folder, "preview", str(path), "--json")
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert set(told) == {"title", "url", "id", "published", "text", "language"}
    assert (told["title"], told["url"], told["published"]) == (
        "One & two",
        "https://a.example/one",
        "2026-11-02T11:00:00Z",
    )
    assert "ok: atom10 1 article\n" in done.stderr
    table = feeds(folder, "preview", str(path))
    assert "One & two" in table.stdout


def test_preview_of_files_however_they_are_named(folder: Path):
    """A path and its file:/// address read alike, a feed's file as well as a folder of lines."""
    archive = folder / "archive"
    archive.mkdir()
    (archive / "a.jsonl").write_text('{"published": "2026-11-02", "title": "Old"}\n')
    (folder / "x.rss").write_text(feedserver.rss())
    for path, articles in ((folder / "x.rss", 3), (archive, 1)):
        shown = [feeds(folder, "preview", place, "--json") for place in (str(path), path.as_uri())]
        assert shown[0].stdout == shown[1].stdout
        assert len(shown[0].stdout.splitlines()) == articles


def test_preview_tells_of_entries_without_dates(folder: Path):
    """They would count as published when they are read."""
    (folder / "x.rss").write_text("<rss version='2.0'><channel><item><title>T</title></item></channel></rss>")
    assert "warning: 1 entry without a usable date" in feeds(folder, "preview", str(folder / "x.rss")).stderr


@pytest.mark.parametrize(
    ("body", "outcome"),
    [(b"<html></html>", "not_a_feed"), (b"", "empty"), (b"\0" * 99, "empty")],
)
def test_preview_of_what_is_no_feed(folder: Path, body: bytes, outcome: str):
    """A bad feed is told of, and is no failure of the command."""
    path = folder / "bad"
    path.write_bytes(body)
    done = feeds(folder, "preview", str(path), "--json")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith(outcome)
    assert feeds(folder, "preview", str(folder / "none"), "--json").exit_code == 2


async def test_preview_of_an_address(folder: Path, server: feedserver.FeedServer):
    """What a server gives, whatever it is."""
    done = await feeds_beside(folder, "preview", server.url("/feed"), "--json")
    assert [json.loads(line)["url"][-1] for line in done.stdout.splitlines()] == ["1", "2", "3"]
    refused = await feeds_beside(folder, "preview", server.url("/404"), "--json")
    assert (refused.exit_code, refused.stdout, refused.stderr) == (0, "", "not_found: HTTP 404\n")


@pytest.fixture
async def server() -> AsyncIterator[feedserver.FeedServer]:
    """A feed server of the test's own."""
    async for running in feedserver.running():
        yield running


def test_opml_round_trip(folder: Path):
    """Id, address, title, language, intervals, full text and pauses survive; a second import adds nothing.

    An interval that follows the feed must not come back as one that is fixed.
    """
    (folder / "feeds.yaml").write_text(
        "feeds:\n"
        '  - {id: a.b, title: "<A> & \\"B\\" “q”", url: "https://a.example/?x=1&y=2", language: de, interval: 1h}\n'
        '  - {id: b, url: "https://b.example/", interval: 90s, enabled: false, source: b.example}\n'
        '  - {id: c, url: "file:///srv/news.jsonl", drill: true}\n'
        '  - {id: d, url: "https://d.example/", title: D, min_interval: 10m, max_interval: 6h, full_text: always}\n'
        '  - {id: e, url: "https://e.example/", title: E}\n'
    )
    out = folder / "out.opml"
    assert feeds(folder, "export", "--output", str(out)).exit_code == 0
    assert feeds(folder, "export").stdout.startswith("<?xml")
    before = load_feeds(folder / "feeds.yaml")
    (folder / "feeds.yaml").unlink()
    assert feeds(folder, "import", str(out)).stdout == "4 added, 0 there already, 1 unusable\n"  # the file is not taken
    (folder / "feeds.yaml").unlink()
    assert feeds(folder, "import", str(out), "--files").stdout == "5 added, 0 there already, 0 unusable\n"
    assert load_feeds(folder / "feeds.yaml") == tuple(replace(feed, title=feed.title or feed.id) for feed in before)
    assert feeds(folder, "import", str(out), "--files").stdout == "0 added, 5 there already, 0 unusable\n"


def test_opml_of_another_reader(folder: Path):
    """Folders within folders, feed: addresses, repeats, no titles, ids made of titles and each once."""
    path = folder / "other.opml"
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?><opml version="1.0"><head><title>Subs</title></head><body>'
        '<outline text="World"><outline text="Asia"><outline type="rss" text="Zeitung f\xfcr &amp; \xfcber" xmlUrl="https://z.example/a"/>'
        '<outline text="Wire" xmlURL="feed://w.example/rss"/><outline text="Wire" xmlUrl="https://w2.example/rss"/></outline></outline>'
        '<outline text="again" xmlUrl="https://z.example/a"/><outline xmlUrl="https://www.untitled.example/news"/>'
        '<outline text="bad" xmlUrl="javascript:x"/><outline text="user" xmlUrl="https://u:p@x.example/"/>'
        '<outline text="there" xmlUrl="https://down.example/rss"/></body></opml>',
        encoding="iso-8859-1",
    )
    done = feeds(folder, "import", str(path))
    assert done.stdout == "4 added, 2 there already, 2 unusable\n", done.output
    assert "unusable: javascript:x\n" in done.stderr
    assert "unusable: https://x.example/\n" in done.stderr  # without its user and password
    added = {feed.id: feed.url for feed in load_feeds(folder / "feeds.yaml")[4:]}
    assert added == {
        "zeitung-fur-uber": "https://z.example/a",
        "wire-2": "http://w.example/rss",
        "wire-3": "https://w2.example/rss",
        "untitled-example-news": "https://www.untitled.example/news",
    }
    assert (folder / "feeds.yaml").read_text().startswith(LIST)


def test_one_outline_stops_no_other(folder: Path):
    """A title that is a word of YAML's, and bounds that do not fit the list: the others are added all the same.

    What can't stand in the list is left out of its feed, and told.
    """
    path = folder / "other.opml"
    path.write_text(
        '<opml><body><outline text="True" xmlUrl="https://t.example/rss"/>'
        '<outline text="null" id="1e5" xmlUrl="https://n.example/rss"/>'
        '<outline text="Slow" min_interval="3h" language="en" xmlUrl="https://s.example/rss"/>'
        '<outline text="Wrong" interval="soon" source="No Domain" xmlUrl="https://w.example/rss"/>'
        '<outline text="Good" min_interval="10m" xmlUrl="https://g.example/rss"/></body></opml>'
    )
    done = feeds(folder, "import", str(path))
    assert done.stdout == "5 added, 0 there already, 0 unusable, 2 in part\n", done.exception
    assert "slow: left out: min_interval 3h\n" in done.stderr
    assert "wrong: left out: interval soon, source No Domain\n" in done.stderr
    added = {feed.id: (feed.title, feed.floor_s) for feed in load_feeds(folder / "feeds.yaml")[4:]}
    assert added == {
        "true": ("True", 300), "1e5": ("null", 300), "slow": ("Slow", 300), "wrong": ("Wrong", 300),
        "good": ("Good", 600),
    }  # fmt: skip
    assert feeds(folder, "pause", "true").exit_code == 0
    assert feeds(folder, "add", "https://y.example/", "--no-check", "--id", "yes", "--title", "false").exit_code == 0
    assert (load_feeds(folder / "feeds.yaml")[-1].id, load_feeds(folder / "feeds.yaml")[-1].title) == ("yes", "false")


@pytest.mark.parametrize(
    "body",
    [
        '<?xml version="1.0"?><!DOCTYPE o [<!ENTITY a "x">]><opml><body><outline text="&a;" xmlUrl="https://x.example/"/></body></opml>',
        '<?xml version="1.0"?><!DOCTYPE o [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml><body>&a;</body></opml>',
        "<opml><body>" + "<outline>" * 50_000,
        "<rss version='2.0'/>",
        "no xml at all",
        "",
        "<opml><body><outline xmlUrl='https://x.example/'",
    ],
)
def test_hostile_opml(folder: Path, body: str):
    """Entities, depth, other documents: refused with a reason, and the list stays as it is."""
    path = folder / "bad.opml"
    path.write_text(body)
    done = feeds(folder, "import", str(path))
    assert (done.exit_code, str(done.exception).startswith("reading OPML failed")) == (1, True)
    assert (folder / "feeds.yaml").read_text() == LIST
    assert feeds(folder, "import", str(folder / "none.opml")).exit_code == 2


async def test_the_program_itself(folder: Path):
    """As a program: rows on stdout, what failed in one line on stderr, and the exit code."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pipeline.cli.main", "feeds", "remove", "none", "--feeds", str(folder / "feeds.yaml"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, error = await program.communicate()
    assert (program.returncode, out) == (1, b"")
    assert error.decode() == "brinkwatch: changing the list of feeds failed: none: no feed has this id\n"


def test_how_long_a_host_asks_to_wait():
    """Whoever checks a feed sees when it may be asked again."""
    fetched = Fetched(Outcome.RATE_LIMITED, error="HTTP 429", retry_after_s=90)
    assert Checked(Feed("a", "https://a.example/"), fetched).detail == "HTTP 429; asks to wait 90 s"
