"""Addresses: which of them a redirect may lead to."""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Whether ``text`` is an address of the public internet: not of this host, of a local network or of a group.

    An IPv6 address that stands for one of IPv4 (RFC 4291, 2.5.5.2; RFC 3056; RFC 6052) is judged by that one.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.is_site_local:
            return False
        address = _within(address) or address
    return address.is_global and not address.is_multicast


def _within(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def public_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for ``info``, an address as ``getaddrinfo`` gives it; aiohttp asks for each that it connects to.

    Raises:
        PermissionError: The address is not public.
    """
    family, kind, protocol, _, (host, *_) = info
    if not is_public(host):
        raise PermissionError(errno.EACCES, f"redirected to another host at {host}, which is no public address")
    return socket.socket(family, kind, protocol)
