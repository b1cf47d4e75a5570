"""Fetching and reading, against real sockets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from loopback import NETWORKS

from config.retry_after import retry_after
from connectors.fetch import Fetcher, Limits, Validators, user_agent
from connectors.formats import Source
from connectors.outcome import Outcome
from connectors.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from feedserver import FeedServer

LIMITS = Limits(total_s=1.5, connect_s=1.0, max_bytes=4 * 1024 * 1024)
COURSES = {
    "/feed": (Outcome.OK, 3),
    "/atom": (Outcome.OK, 1),
    "/json": (Outcome.OK, 1),
    "/latin": (Outcome.OK, 3),
    "/gzip": (Outcome.OK, 3),
    "/gzip-two-members": (Outcome.OK, 3),
    "/deflate": (Outcome.OK, 3),
    "/raw-deflate": (Outcome.OK, 3),
    "/moved/feed": (Outcome.OK, 3),
    "/unknown-charset": (Outcome.OK, 3),
    "/stray-byte": (Outcome.OK, 3),
    "/page": (Outcome.NOT_A_FEED, 0),
    "/text": (Outcome.NOT_A_FEED, 0),
    "/deep": (Outcome.OK, 0),
    "/laughs": (Outcome.OK, 0),
    "/bad-charset": (Outcome.BAD_ENCODING, 0),
    "/empty": (Outcome.EMPTY, 0),
    "/blank": (Outcome.EMPTY, 0),
    "/nul": (Outcome.EMPTY, 0),
    "/no-content": (Outcome.EMPTY, 0),
    "/gzip-cut": (Outcome.TRUNCATED, 0),
    "/truncated": (Outcome.TRUNCATED, 0),
    "/reset": (Outcome.TRUNCATED, 0),
    "/gzip-lie": (Outcome.BAD_RESPONSE, 0),
    "/brotli": (Outcome.BAD_RESPONSE, 0),
    "/no-http": (Outcome.BAD_RESPONSE, 0),
    "/header-flood": (Outcome.BAD_RESPONSE, 0),
    "/300": (Outcome.BAD_RESPONSE, 0),
    "/bomb": (Outcome.TOO_LARGE, 0),
    "/endless": (Outcome.TOO_LARGE, 0),
    "/drip": (Outcome.TIMEOUT, 0),
    "/silent": (Outcome.TIMEOUT, 0),
    "/hang-up": (Outcome.CONNECT_ERROR, 0),
    "/bomb-deflate": (Outcome.TOO_LARGE, 0),
    "/bomb-in-bomb": (Outcome.BAD_RESPONSE, 0),
    "/for-good": (Outcome.OK, 3),
    "/good-but-gone": (Outcome.GONE, 0),
    "/now-but-gone": (Outcome.NOT_FOUND, 0),
    "/good-then-now-gone": (Outcome.NOT_FOUND, 0),
    "/to-itself": (Outcome.REDIRECT_LOOP, 0),
    "/loop": (Outcome.REDIRECT_LOOP, 0),
    "/deeper": (Outcome.REDIRECT_LOOP, 0),
    "/to-file": (Outcome.BAD_URL, 0),
    "/401": (Outcome.REFUSED, 0),
    "/404": (Outcome.NOT_FOUND, 0),
    "/410": (Outcome.GONE, 0),
    "/418": (Outcome.CLIENT_ERROR, 0),
    "/429": (Outcome.RATE_LIMITED, 0),
    "/429-date": (Outcome.RATE_LIMITED, 0),
    "/503-seconds": (Outcome.SERVER_ERROR, 0),
    "/500": (Outcome.SERVER_ERROR, 0),
    "/503": (Outcome.SERVER_ERROR, 0),
}


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    """A fetcher with short limits."""
    async with Fetcher(user_agent("ops@site.example"), LIMITS, allowed=NETWORKS) as fetcher:
        yield fetcher


async def test_every_course_has_its_outcome_and_the_next_feed_is_read(server: FeedServer, fetcher: Fetcher):
    """Whatever a server does ends as its own outcome, and a good feed after it is read as if nothing had been."""
    met = {}
    async with Sandbox() as sandbox:
        for path in COURSES:
            for address in (path, "/feed"):
                fetched = await fetcher.fetch(server.url(address))
                outcome, entries = fetched.outcome, 0
                if outcome is Outcome.OK:
                    parsed = await sandbox.parse(fetched.body, Source(fetched.final_url, fetched.content_type))
                    outcome, entries = parsed.outcome, len(parsed.entries)
                if address == path:
                    met[path] = (outcome, entries)
                    assert outcome is Outcome.OK or fetched.error or parsed.error
            assert (outcome, entries) == (Outcome.OK, 3), f"the good feed after {path}"
    # An entity bomb or a bottomless nesting may be read as a feed with little in it, or as none: both are harmless.
    for harmless in ("/laughs", "/deep"):
        assert met.pop(harmless)[0] in {Outcome.OK, Outcome.NOT_A_FEED, Outcome.PARSE_FAILED}
    assert met == {path: course for path, course in COURSES.items() if path in met}


async def test_validators_go_back_byte_for_byte(server: FeedServer, fetcher: Fetcher):
    """A 304 comes only if the tag is echoed exactly, odd blanks and quotes included."""
    first = await fetcher.fetch(server.url("/feed"))
    second = await fetcher.fetch(server.url("/feed"), first.validators)
    assert first.validators == Validators(server.etag, "Mon, 02 Nov 2026 10:00:00 GMT")
    assert (second.outcome, second.status, second.body) == (Outcome.NOT_MODIFIED, 304, b"")
    assert server.requests[-1][1]["If-None-Match"] == server.etag


async def test_requests_are_honest(server: FeedServer, fetcher: Fetcher):
    """Publishers see who asks and where to complain; no cookie is kept."""
    await fetcher.fetch(server.url("/feed"))
    headers = server.requests[-1][1]
    assert headers["User-Agent"].startswith("Brinkwatch/")
    assert "ops@site.example" in headers["User-Agent"]
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert "Cookie" not in headers


async def test_redirects_keep_the_final_address(server: FeedServer, fetcher: Fetcher):
    """Relative links of a feed count from where it came from in the end."""
    fetched = await fetcher.fetch(server.url("/moved/feed"))
    assert fetched.final_url == server.url("/feed")


@pytest.mark.parametrize(
    ("path", "led"),
    [
        ("/feed", ""),
        ("/for-good", "/feed"),
        ("/for-now", ""),
        ("/good-then-now", "/good-then-now?1"),
        ("/good-but-gone", ""),
    ],
)
async def test_where_a_feed_has_moved_for_good(server: FeedServer, fetcher: Fetcher, path: str, led: str):
    """Only what comes before any temporary hop is a move for good, and only where there is a feed at the end."""
    fetched = await fetcher.fetch(server.url(path))
    assert fetched.permanent_url == (server.url(led) if led else "")


async def test_a_feed_that_has_moved_is_unchanged_there(server: FeedServer, fetcher: Fetcher):
    """The next poll asks the old address again, for the same move, and what it finds there may be unchanged."""
    first = await fetcher.fetch(server.url("/for-good"))
    second = await fetcher.fetch(server.url("/for-good"), first.validators)
    assert (second.outcome, second.permanent_url) == (Outcome.NOT_MODIFIED, server.url("/feed"))


@pytest.mark.parametrize(
    ("path", "seconds"),
    [("/429", 120.0), ("/429-date", 7 * 24 * 3600.0), ("/503-seconds", 60.0), ("/503", 7 * 24 * 3600.0), ("/500", 0.0)],
)
async def test_how_long_a_server_asks_to_wait(server: FeedServer, fetcher: Fetcher, path: str, seconds: float):
    """In seconds or as a date, from whichever failure; a week at most."""
    assert (await fetcher.fetch(server.url(path))).retry_after_s == seconds


async def test_how_long_an_answer_is_fresh(server: FeedServer, fetcher: Fetcher):
    """What the server says of its freshness is told with a body; and so are the links of its header."""
    server.headers = {"Cache-Control": "max-age=1800", "Age": "300", "Link": '<https://hub.example/>; rel="hub"'}
    fetched = await fetcher.fetch(server.url("/feed"))
    assert (fetched.fresh_s, fetched.links) == (1500.0, ('<https://hub.example/>; rel="hub"',))


async def test_a_user_in_the_address_is_refused_and_not_shown(server: FeedServer, fetcher: Fetcher):
    """A password in an address would be sent, and stand in logs."""
    fetched = await fetcher.fetch(server.url("/feed").replace("127.0.0.1", "desk:open-sesame@127.0.0.1"))
    assert fetched.outcome is Outcome.BAD_URL
    assert "sesame" not in fetched.error
    assert not server.requests


async def test_tokens_in_addresses_are_in_no_error(server: FeedServer, fetcher: Fetcher):
    """The query of an address may be somebody's token: errors, which are logged, don't show it."""
    away = server.url("/away?to=ftp://there.example/?token=open-sesame")
    for address in (server.url("/to-file?token=open-sesame"), server.url("/no-http?token=open-sesame"), away):
        fetched = await fetcher.fetch(address)
        assert fetched.error
        assert "sesame" not in fetched.error


async def test_nobody_there(unused_tcp_port: int, fetcher: Fetcher):
    """A closed port, a name that has no address and a scheme that is not HTTP are three different outcomes."""
    closed = await fetcher.fetch(f"http://127.0.0.1:{unused_tcp_port}/")
    unnamed = await fetcher.fetch("http://no-such-host.invalid/")
    other = await fetcher.fetch("ftp://127.0.0.1/feed")
    assert closed.outcome is Outcome.CONNECT_ERROR
    assert unnamed.outcome in {Outcome.DNS_ERROR, Outcome.TIMEOUT}  # a resolver without a network may take its time
    assert other.outcome is Outcome.BAD_URL


async def test_plain_http_behind_https_is_a_tls_error(server: FeedServer, fetcher: Fetcher):
    """A server that does not speak TLS where it should is told from one that is down."""
    fetched = await fetcher.fetch(server.url("/feed").replace("http:", "https:"))
    assert fetched.outcome is Outcome.TLS_ERROR


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("99999999999", 7 * 24 * 3600.0),
        ("Mon, 02 Nov 2026 10:05:00 GMT", 300.0),
        ("Mon, 02 Nov 2026 09:00:00 GMT", 0.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("١٢", 0.0),
        ("Mon, 99 Nov 99999 10:05:00 GMT", 0.0),
    ],
)
def test_retry_after(value: str, seconds: float):
    """Seconds and dates are understood, at most a week of them; nonsense asks for nothing."""
    assert retry_after(value, datetime(2026, 11, 2, 10, 0, tzinfo=UTC)) == seconds
