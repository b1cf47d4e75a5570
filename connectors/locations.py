"""Locations: the addresses that a fetch goes along, and how they may be shown. Decisions only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import aiohttp
from yarl import URL

from config.redaction import printable, shown
from connectors.outcome import Outcome

PERMANENT = frozenset({301, 308})


class RedirectError(Exception):
    """A redirect that is not followed; ``outcome`` says as what it counts."""

    def __init__(self, outcome: Outcome, why: str) -> None:
        super().__init__(printable(why))
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Trail:
    """The hops of one fetch.

    Attributes:
        here: The address to ask now.
        first: The one asked first.
        permanent: Where permanent redirects have led before any other; None where the first one was another.
        leading: Whether all hops were permanent up to now.
        seen: All addresses up to now.
    """

    here: URL
    first: URL
    permanent: URL | None = None
    leading: bool = True
    seen: frozenset[str] = frozenset()

    @classmethod
    def begin(cls, url: str) -> Trail:
        """A trail that begins at ``url``.

        Raises:
            aiohttp.InvalidURL: It is no address of http or https, or names a user.
        """
        first = http_url(url)
        return cls(first, first, seen=frozenset({str(first)}))

    def on(self, status: int, location: str, most: int) -> Trail:
        """The trail after a redirect.

        Raises:
            RedirectError: It leads where nothing can be asked, back, or on for more than ``most`` hops.
        """
        try:
            there = http_url(location, self.here)
        except aiohttp.InvalidURL:
            raise RedirectError(Outcome.BAD_URL, f"redirected to {shown(location)[:200]}") from None
        if str(there) in self.seen or len(self.seen) > most:
            raise RedirectError(Outcome.REDIRECT_LOOP, f"{len(self.seen)} redirects, last to {shown(str(there))[:200]}")
        # A publisher who moves for good does not leave TLS behind; somebody on the way might.
        leading = self.leading and status in PERMANENT and not (self.here.scheme == "https" != there.scheme)
        seen = self.seen | {str(there)}
        return replace(self, here=there, permanent=there if leading else self.permanent, leading=leading, seen=seen)

    @property
    def at_home(self) -> bool:
        """Whether the address is on the host that was asked first."""
        return same_host(self.here, self.first)

    @property
    def at_origin(self) -> bool:
        """Whether it also has the scheme and port of the first: only there a secret may go."""
        return same_origin(self.here, self.first)


def http_url(target: str, base: URL | None = None) -> URL:
    """``target`` as an absolute URL of http or https.

    Raises:
        aiohttp.InvalidURL: It is none, or has a user or a password in it: they would be sent.
    """
    try:
        # What is clean already is taken as it is: quoting it anew would break signed addresses.
        clean = target.isascii() and target.isprintable() and " " not in target
        url = URL(target.strip(), encoded=clean)
        url = url if base is None else base.join(url)
        usable = url.scheme in {"http", "https"} and bool(url.host) and not (url.user or url.password)
    except ValueError:
        usable = False
    if not usable:
        told = printable(shown(target))[:200]
        raise aiohttp.InvalidURL(told, "no address of http or https without user and password")
    return url.with_fragment(None)


def same_origin(one: URL, other: URL) -> bool:
    """Whether two addresses have scheme, host and port in common: what goes to one may go to the other."""
    return same_host(one, other) and (one.scheme, one.port) == (other.scheme, other.port)


def same_host(one: URL, other: URL) -> bool:
    """Whether two addresses are on one host, whatever the port."""
    return (one.raw_host or "").lower().rstrip(".") == (other.raw_host or "").lower().rstrip(".")
