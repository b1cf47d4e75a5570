"""What must never be asked: addresses inside, by whatever name, at whatever hop, over whatever connection."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from loopback import NETWORKS
from names import Names, loopback

from config.networks import networks
from config.ways import Way
from connectors.fetch import Fetched, Fetcher, Limits
from connectors.outcome import Outcome

if TYPE_CHECKING:
    from feedserver import FeedServer

LIMITS = Limits(total_s=2.0, connect_s=1.0)
FORMS = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1.", "0.0.0.0", "0",
    "localhost", "LOCALHOST", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "\uff11\uff12\uff17.0.0.1", "169.254.169.254", "10.0.0.1",
    "100.64.0.1", "168.63.129.16",
]  # fmt: skip
INSIDE = Names({"inside.example": [["127.0.0.1"]], "both.example": [["127.0.0.1", "::1"]]})


def refused(fetched: Fetched) -> bool:
    """Whether it was refused for its address, in words that say what would allow it."""
    return fetched.outcome is Outcome.BLOCKED and "fetch_allow_networks" in fetched.error


@pytest.mark.parametrize("host", FORMS)
async def test_the_first_hop_is_checked(server: FeedServer, host: str):
    """Without an operator's word nothing inside is asked, in whatever form its address is written."""
    async with Fetcher("test", LIMITS) as fetcher:
        fetched = await fetcher.fetch(f"http://{host}:{server.port}/feed")
    assert refused(fetched), fetched
    assert not server.requests


@pytest.mark.parametrize("host", ["inside.example", "both.example"])
async def test_names_of_addresses_inside_are_refused(server: FeedServer, host: str):
    """A public name may stand for a private address; of several addresses, all are refused."""
    async with Fetcher("test", LIMITS, resolver=INSIDE) as fetcher:
        assert refused(await fetcher.fetch(f"http://{host}:{server.port}/feed"))
    assert not server.requests


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("before", [0, 1, 2])
async def test_later_hops_are_checked(server: FeedServer, form: str, before: int):
    """A feed's own host may be allowed inside; where it redirects, at the second, third or fourth hop, is not."""
    target = f"http://{form}:{server.port}/feed"
    away = f"http://wire.example:{server.port}/away"
    for _ in range(before):
        target = f"{away}?to={quote(target)}"
    way, names = Way("intranet", allow=networks("127.0.0.1/32")), loopback("wire.example", "localhost")
    async with Fetcher("test", LIMITS, resolver=names) as fetcher:
        fetched = await fetcher.fetch(f"{away}?to={quote(target)}", way=way)
    assert refused(fetched), fetched
    assert [path for path, _ in server.requests] == ["/away"] * (before + 1)


async def test_a_name_that_changes_its_address_is_checked_where_it_connects(server: FeedServer):
    """DNS rebinding: the look that is connected to is the one that is judged, whatever an earlier one said."""
    turning = Names({"turning.example": [["93.184.215.14"], ["127.0.0.1"]]})
    async with Fetcher("test", Limits(total_s=0.5, connect_s=0.3), resolver=turning) as fetcher:
        url = f"http://turning.example:{server.port}/feed"
        first = await fetcher.fetch(url)
        fetcher._pools._sessions.popitem()[1].connector.clear_dns_cache()  # type: ignore[union-attr]  # a minute later
        second = await fetcher.fetch(url)
    assert first.outcome in {Outcome.TIMEOUT, Outcome.CONNECT_ERROR}
    assert refused(second)
    assert turning.looks["turning.example"] == 2
    assert not server.requests


async def test_a_name_that_turns_between_two_hops(server: FeedServer):
    """A publisher whose name stands for another address at the second hop gets no further than that."""
    outside = loopback("wire.example")
    outside._answers["turn.example"] = [["127.0.0.1"]]
    way = Way("wire", allow=NETWORKS)
    async with Fetcher("test", LIMITS, resolver=outside) as fetcher:
        to = f"http://turn.example:{server.port}/feed"
        fetched = await fetcher.fetch(f"http://wire.example:{server.port}/away?to={to}", way=way)
    assert refused(fetched)
    assert [path for path, _ in server.requests] == ["/away"]


async def test_a_connection_that_one_feed_may_have_is_not_used_for_another(server: FeedServer):
    """The kept connection of an allowed feed is no way in for one that has no such allowance."""
    async with Fetcher("test", LIMITS) as fetcher:
        allowed = await fetcher.fetch(server.url("/feed"), way=Way("intranet", allow=NETWORKS))
        other = await fetcher.fetch(server.url("/feed"))
    assert (allowed.outcome, other.outcome) == (Outcome.OK, Outcome.BLOCKED)
    assert len(server.requests) == 1


async def test_what_is_allowed_for_all_is_allowed_at_every_hop(server: FeedServer):
    """The setting speaks of networks, not of feeds: redirects within them are followed."""
    async with Fetcher("test", LIMITS, allowed=NETWORKS) as fetcher:
        inside = server.url("/feed").replace("127.0.0.1", "localhost")
        fetched = await fetcher.fetch(f"{server.url('/away')}?to={inside}")
    assert fetched.outcome is Outcome.OK


async def test_an_allowance_is_for_the_feeds_own_host(server: FeedServer):
    """What an access block allows does not count where the feed redirects to, even if it is the same machine."""
    way = Way("intranet", allow=NETWORKS)
    async with Fetcher("test", LIMITS) as fetcher:
        at_home = await fetcher.fetch(f"{server.url('/away')}?to={server.url('/feed')}", way=way)
        away = await fetcher.fetch(
            f"{server.url('/away')}?to={server.url('/feed').replace('127.0.0.1', '127.0.0.2')}", way=way
        )
    assert (at_home.outcome, away.outcome) == (Outcome.OK, Outcome.BLOCKED)
