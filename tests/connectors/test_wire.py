"""What comes over the wire that no library would send: each ends as its outcome, and the next feed is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from loopback import NETWORKS
from rawserver import PLAYS, RawServer, raw

from connectors.fetch import Fetcher, Limits, Validators, user_agent
from connectors.formats import Source, parse
from connectors.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIMITS = Limits(total_s=2.5, connect_s=2.0, max_bytes=4 * 1024 * 1024)
COURSES = {
    "/feed": (Outcome.OK, 3),
    "/no-length": (Outcome.OK, 3),
    "/chunked": (Outcome.OK, 3),
    "/continue": (Outcome.OK, 3),
    "/cookies": (Outcome.OK, 3),
    "/longer-said": (Outcome.TRUNCATED, 0),
    "/chunked-cut": (Outcome.TRUNCATED, 0),
    "/shorter-said": (Outcome.BAD_RESPONSE, 0),
    "/negative": (Outcome.BAD_RESPONSE, 0),
    "/two-lengths": (Outcome.BAD_RESPONSE, 0),
    "/both-lengths": (Outcome.BAD_RESPONSE, 0),
    "/chunked-nonsense": (Outcome.BAD_RESPONSE, 0),
    "/clumsy": (Outcome.OK, 3),
    "/304": (Outcome.BAD_RESPONSE, 0),  # nothing was asked to compare with
    "/304-with-body": (Outcome.BAD_RESPONSE, 0),
    "/headers-forever": (Outcome.BAD_RESPONSE, 0),
    "/header-forever": (Outcome.BAD_RESPONSE, 0),
    "/cookie-flood": (Outcome.BAD_RESPONSE, 0),
    "/head-drip": (Outcome.TIMEOUT, 0),
    "/switching": (Outcome.BAD_RESPONSE, 0),
    "/http09": (Outcome.BAD_RESPONSE, 0),
    "/redirect-nowhere": (Outcome.BAD_RESPONSE, 0),
    "/redirect-user": (Outcome.BAD_URL, 0),
}


@pytest.fixture
async def wire() -> AsyncIterator[RawServer]:
    """The server of bytes."""
    async with raw(PLAYS) as server:
        yield server


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    """A fetcher with short limits."""
    async with Fetcher(user_agent(), LIMITS, allowed=NETWORKS) as fetcher:
        yield fetcher


def test_every_play_has_its_course():
    """What the server can play is also asserted."""
    assert set(COURSES) == set(PLAYS)


@pytest.mark.parametrize("path", COURSES)
async def test_every_course_has_its_outcome(wire: RawServer, fetcher: Fetcher, path: str):
    """Floods, drips, lengths that lie and cuts end as their own outcome, and leave nothing behind for the next feed."""
    fetched = await fetcher.fetch(wire.url(path))
    entries = len(parse(fetched.body, Source(fetched.final_url)).entries) if fetched.outcome is Outcome.OK else 0
    assert (fetched.outcome, entries) == COURSES[path], fetched.error
    assert fetched.outcome is Outcome.OK or fetched.error
    assert "sesame" not in fetched.error
    for _ in range(2):
        after = await fetcher.fetch(wire.url("/feed"))
        assert (after.outcome, len(parse(after.body, Source("")).entries)) == (Outcome.OK, 3)


async def test_not_modified_is_fresh(wire: RawServer, fetcher: Fetcher):
    """A 304 says for how long the answer stays fresh, as a 200 does."""
    fetched = await fetcher.fetch(wire.url("/304"), Validators('"a"'))
    assert (fetched.outcome, fetched.body, fetched.fresh_s) == (Outcome.NOT_MODIFIED, b"", 600.0)


async def test_a_304_with_a_body_does_not_stop_a_feed(wire: RawServer, fetcher: Fetcher):
    """A server that puts a body behind 304 is asked without conditions; else the feed would fail for ever."""
    fetched = await fetcher.fetch(wire.url("/clumsy"), Validators('"a"'))
    assert (fetched.outcome, len(wire.asked)) == (Outcome.OK, 2)
