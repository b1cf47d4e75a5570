"""Addresses: which of them may be asked. The check is on the very address that a socket is about to connect to."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import unquote

from config.networks import Networks

REFUSAL = "no public address"
"""Stands in every refusal, so that a library that joins several errors into one text does not hide it."""
KNOWN = 16_384
"""Addresses and hosts whose verdict is remembered: it hangs on them and on what is allowed alone."""
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
# Public by number, yet answered by the machine's own cloud: Azure's platform, Oracle's metadata.
_OF_CLOUDS = (IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24"))


def is_public(text: str) -> bool:
    """Whether ``text`` is an address of the public internet: not of this host, of a local network or of a group.

    An IPv6 address that stands for one of IPv4 (RFC 4291, 2.5.5.2; RFC 3056; RFC 5214; RFC 6052) is public where both
    are. A translator of a network's own (RFC 8215) is not: where in the address the other one stands, only it knows.
    """
    address = _parsed(text)
    if isinstance(address, IPv6Address):
        return _is_of_the_internet(address) and all(map(_is_public, _within(address)))
    return address is not None and _is_public(address)


@lru_cache(KNOWN)
def may_be_asked(text: str, allowed: Networks = ()) -> bool:
    """Whether ``text`` is a public address, or in one of the networks that are allowed besides.

    An IPv4 address in the disguise of IPv6 is allowed where it is: what the operator wrote counts for both.
    """
    if is_public(text):
        return True
    address = _parsed(text)
    if address is None:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any(one in network for network in allowed for one in (address, mapped) if one is not None)


@lru_cache(KNOWN)
def literal(host: str) -> str | None:
    """The address that ``host`` is, where it is no name: as it is written, or in the old forms that C libraries read.

    ``127.1``, ``2130706433``, ``0x7f.0.0.1`` and ``0177.0.0.1`` all are 127.0.0.1, with a dot at the end, too, or
    percent-encoded.
    """
    bare = unquote(host).strip("[]").rstrip(".")
    if _parsed(bare) is not None:
        return bare
    try:
        return socket.inet_ntoa(socket.inet_aton(bare)) if bare and bare[0].isdigit() else None
    except (OSError, UnicodeEncodeError):
        return None


def guard(allowed: Networks = ()) -> Callable[[tuple[Any, ...]], socket.socket]:
    """What makes sockets for public addresses and ``allowed`` ones only; aiohttp asks it for each that it connects to.

    The function that is given raises PermissionError for any other address.
    """

    def guarded(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, (host, *_) = info
        if not may_be_asked(host, allowed):
            raise PermissionError(errno.EACCES, refusal(host))
        return socket.socket(family, kind, protocol)

    return guarded


def refusal(address: str) -> str:
    """Why ``address`` is not asked, and what would allow it."""
    return f"{address} is {REFUSAL}; fetch_allow_networks, or allow: of the feed's access, would allow it"


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_public(address: IPv4Address) -> bool:
    of_a_cloud = any(address in network for network in _OF_CLOUDS)
    return address.is_global and not address.is_multicast and not of_a_cloud


def _is_of_the_internet(address: IPv6Address) -> bool:
    """Whether an address is public as far as IPv6 goes, or nothing but one of IPv4 in a form that all know."""
    if address.ipv4_mapped or address.sixtofour or address in _NAT64:
        return True
    return address in _GLOBAL_UNICAST and address.is_global and not address.is_multicast


def _within(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that ``address`` stands for: a prefix may hold one, and its end another."""
    number = int(address)
    last = IPv4Address(number & 0xFFFF_FFFF)
    found = [inner for inner in (address.ipv4_mapped, address.sixtofour) if inner is not None]
    return found + [last] * (address in _NAT64 or number >> 32 & 0xFFFF_FFFF in _ISATAP)
