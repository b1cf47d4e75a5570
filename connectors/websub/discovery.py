"""Discovery: which hubs a feed names, and under which topic. Decisions only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.entry import Parsed
from connectors.fetch import Fetched
from connectors.links import absolute
from connectors.websub.links import targets

MAX_HUBS = 4
PATIENCE = 3
"""Requests in a row without an answer after which another hub of the feed is tried."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a feed says of where it is pushed.

    Attributes:
        topic: The address under which hubs know it.
        hubs: Where one may subscribe, in the feed's order; empty for nowhere.
        base: Where it was polled, by which relative links of a push are made absolute.
    """

    topic: str
    hubs: tuple[str, ...]
    base: str


def discover(feed_url: str, fetched: Fetched, parsed: Parsed) -> Found:
    """What a polled feed says: Link headers first, then the feed itself (W3C WebSub, 4).

    An address with a user or a password is passed over: it is told to others, and stands in our state and logs.

    A hub over plain HTTP is taken only from a feed over plain HTTP: the secret that signs pushes could be read on its
    way, and whoever read it could write into a feed that nobody can write into now.
    """
    base = fetched.final_url or feed_url
    headers = _plain(targets(fetched.links, "hub", base))
    named = headers or _plain(absolute(hub, base) for hub in parsed.hubs)
    own = _plain(targets(fetched.links, "self", base)) if headers else ()
    own = own or _plain([absolute(parsed.self_url, base) if parsed.self_url else ""])
    topic = next(iter((*own, *_plain((base,)))), feed_url)
    secure = urlsplit(feed_url).scheme == "https"
    hubs = [hub for hub in dict.fromkeys(named) if not secure or urlsplit(hub).scheme == "https"]
    return Found(topic, tuple(hubs[:MAX_HUBS]), base)


def _plain(addresses: Iterable[str]) -> tuple[str, ...]:
    """Those that are addresses and name no user."""
    return tuple(address for address in addresses if address and "@" not in urlsplit(address).netloc)


def chosen(found: Found, current: str, failures: int) -> str:
    """The hub to be subscribed at; the current one while it is named and answers, else the next, in a circle."""
    if current not in found.hubs:
        return found.hubs[0]
    step = 1 if failures >= PATIENCE else 0
    return found.hubs[(found.hubs.index(current) + step) % len(found.hubs)]
