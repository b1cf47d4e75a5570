"""What robots.txt lets us ask, and how often it is asked for."""

from __future__ import annotations

import asyncio
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from config.ways import Way
from connectors.fetch import Fetched
from connectors.outcome import Outcome
from connectors.robots import AGAIN_S, AGENT, KEEP_S, MAX_DELAY_S, MAX_HELD, MAX_READ, Robots, rules
from connectors.robotstxt import group
from connectors.turns import TooLate, Turns

SITE = "https://wire.example"


def said(text: str) -> Fetched:
    """An answer with that file."""
    return Fetched(Outcome.OK, status=200, body=text.encode())


@pytest.mark.parametrize(
    ("text", "path", "asked"),
    [
        ("User-agent: *\nDisallow: /private/", "/private/a", False),
        ("User-agent: *\nDisallow: /private/", "/story", True),
        ("User-agent: *\nDisallow: /\nAllow: /story/", "/story/a", True),
        ("User-agent: *\nDisallow: /*?print=", "/a?print=1", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf?b", True),
        ("User-agent: brinkwatch\nDisallow: /\n\nUser-agent: *\nAllow: /", "/a", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Brinkwatch\nDisallow:", "/a", True),
        ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
        ("nothing that makes sense\0\xff", "/a", True),
        ("#" + "x" * MAX_READ + "\nUser-agent: *\nDisallow: /", "/a", True),
    ],
)
def test_what_a_file_lets_us_ask(text: str, path: str, asked: bool):
    """The longest match counts, our own group before that of all, and of a long file its beginning."""
    assert (rules(said(text), 0.0).refusal(SITE + path) == "") is asked


FIELDS = st.sampled_from([
    "User-agent: ", "user-agent:", "USERAGENT ", "user agent ", "User agent:", "user  agent ", "user  agent:",
    "User-agent\t", "User-agent foo: ", "user-agent :",
])  # fmt: skip
NAMES = st.sampled_from([
    "*", "Brinkwatch", "brink", "b", "B", "b*", "*b", "b*r*", "**", "rinkwatch", "brinkwatch-news", "", "foo:bar",
    "bot", "brinkwatch/1.0", "* # all",
])  # fmt: skip
LINES = st.sampled_from([
    "disallow: /a", "allow: /a/b", "Disallow", "disallow:", "disallow /c", "disallow: /", "dissalow: /b$", "allow: /b",
    "\x0cdisallow: /d", "/d", "# /a", "", "sitemap: https://x/", "Host: x", "site-map x", "foo: bar", "foo bar",
    "foo:bar", "crawl-delay: 3", "crawl delay 5", "crawl-delay: x", "disallow: /a # x",
])  # fmt: skip


def verdicts(known: Protego) -> list[object]:
    """What it says to us."""
    paths = ["/", "/a", "/a/b", "/b", "/b1", "/c", "/d"]
    return [known.crawl_delay(AGENT), *(known.can_fetch(SITE + path, AGENT) for path in paths)]


@given(st.lists(st.one_of(st.builds("{}{}".format, FIELDS, NAMES), LINES), max_size=9))
def test_what_concerns_others_is_left_out_and_nothing_else(lines: list[str]):
    """Whatever order and spelling: Protego judges what is left as it judges the whole."""
    text = "\n".join(lines)
    assert verdicts(Protego.parse("\n".join(group(text, AGENT)))) == verdicts(Protego.parse(text))


@pytest.mark.parametrize("name", ["other-{}", "b*r{}", "brinkwatch{}", "{}"])
def test_a_group_of_many_names_costs_no_more_than_its_length(name: str):
    """A file under the limit in which every rule counts for each of five hundred robots takes megabytes at most."""
    names = "".join(f"User-agent: {name.format('*' * n if '*' in name else n)}\n" for n in range(500))
    text = names + "User-agent: *\n" + "".join(f"Disallow: /{n}\n" for n in range(1_000))
    tracemalloc.start()
    try:
        found = rules(said(text), 0.0)
        assert tracemalloc.get_traced_memory()[1] < 100 * len(text)
    finally:
        tracemalloc.stop()
    assert found.refusal(f"{SITE}/999")
    assert not found.refusal(f"{SITE}/story")


async def test_long_files_take_no_more_than_their_share():
    """Of many long ones a few are kept, and a usual site keeps its place among them: it is asked once."""
    asked: list[str] = []

    async def ask(url: str, _: object) -> Fetched:
        asked.append(url)
        long = "".join(f"Disallow: /{n:0200}\n" for n in range(1_000))
        return said(f"User-agent: *\nDisallow: /a\n{long if 'long' in url else ''}")

    robots = Robots(ask)
    for n in range(12):
        assert (await robots.of(f"https://long-{n}.example/a")).refusal("https://long.example/a")
        assert (await robots.of(f"{SITE}/a")).refusal(f"{SITE}/a")
    await asyncio.sleep(0)
    held = [known.result().size for known in robots._sites.values()]
    assert MAX_HELD // 2 < sum(held) <= MAX_HELD
    assert asked.count(f"{SITE}/robots.txt") == 1


@pytest.mark.parametrize(
    ("outcome", "status", "asked", "kept"),
    [
        (Outcome.NOT_FOUND, 404, True, KEEP_S),
        (Outcome.REFUSED, 403, True, KEEP_S),
        (Outcome.GONE, 410, True, KEEP_S),
        (Outcome.EMPTY, 200, True, KEEP_S),
        (Outcome.RATE_LIMITED, 429, False, AGAIN_S),
        (Outcome.SERVER_ERROR, 503, False, AGAIN_S),
        (Outcome.TIMEOUT, None, False, AGAIN_S),
        (Outcome.BLOCKED, None, False, 0.0),
        (Outcome.NO_ACCESS, None, False, 0.0),
        (Outcome.TOO_LARGE, 200, False, AGAIN_S),
        (Outcome.REDIRECT_LOOP, None, False, AGAIN_S),
    ],
)
def test_what_no_file_stands_for(outcome: Outcome, status: int | None, asked: bool, kept: float):
    """None there: everything may be asked. A server that fails: nothing, until it is asked again in an hour."""
    found = rules(Fetched(outcome, status=status), 100.0)
    assert (found.refusal(f"{SITE}/a") == "", found.until) == (asked, 100.0 + kept)


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("2.5", 2.5), ("-3", 0.0), ("soon", 0.0), ("1e12", MAX_DELAY_S), ("nan", 0.0), ("inf", 0.0)],
)
def test_crawl_delay(delay: str, seconds: float):
    """It is kept; nonsense asks for nothing."""
    assert rules(said(f"User-agent: *\nCrawl-delay: {delay}"), 0.0).delay_s == seconds


async def test_a_site_is_asked_once_for_all_who_wait():
    """Ten pages at once make one request for its robots.txt; another port is another site."""
    asked: list[str] = []

    async def ask(url: str, _: object) -> Fetched:
        asked.append(url)
        await asyncio.sleep(0.01)
        return said("User-agent: *\nDisallow: /a")

    robots = Robots(ask)
    found = await asyncio.gather(*(robots.of(f"{SITE}/{n}") for n in range(10)))
    await robots.of(f"{SITE}:8443/1")
    assert len(set(map(id, found))) == 1
    assert asked == [f"{SITE}/robots.txt", f"{SITE}:8443/robots.txt"]


async def test_who_may_not_ask_closes_a_site_to_nobody_else():
    """An intranet's site is blocked to a public feed, and open to the feed whose access block leads there."""
    blocked = Fetched(Outcome.BLOCKED, error="a private address")
    asked: list[str] = []

    async def ask(_: str, way: Way | None) -> Fetched:
        asked.append(way.name if way else "")
        return said("User-agent: *\nDisallow: /a") if way else blocked

    robots = Robots(ask)
    for _ in range(2):
        assert (await robots.of(f"{SITE}/b")).refusal(f"{SITE}/b")
        assert not (await robots.of(f"{SITE}/b", Way("intranet"))).refusal(f"{SITE}/b")
    blocked = Fetched(Outcome.NOT_FOUND, status=404)  # the settings have changed
    assert not (await robots.of(f"{SITE}/b")).refusal(f"{SITE}/b")
    assert asked == ["", "intranet", "", ""]


async def test_who_gives_up_waiting_takes_nothing_from_the_others():
    """A poll that is out of time leaves the request to those who still wait for it."""

    async def ask(_: str, __: object) -> Fetched:
        await asyncio.sleep(0.1)
        return said("")

    robots = Robots(ask)
    waiting = asyncio.create_task(robots.of(f"{SITE}/a"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(robots.of(f"{SITE}/b"), 0.02)
    assert (await waiting).refusal(f"{SITE}/a") == ""


async def test_one_at_a_time_and_not_too_late():
    """Who can't have the host's turn in time is told so, and the turn goes on to the next."""
    turns = Turns()
    async with turns.turn("a", time.monotonic() + 9):
        with pytest.raises(TooLate):
            async with turns.turn("a", time.monotonic() + 0.05):
                pass
        async with turns.turn("b", time.monotonic() + 1):
            turns.rest("b", 3600)
    async with turns.turn("a", time.monotonic() + 1):
        pass
    with pytest.raises(TooLate):
        async with turns.turn("b", time.monotonic() + 60):
            pass
