"""Networks: blocks of addresses that an operator allows, as text."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network
Networks = tuple[Network, ...]
MAX_NETWORKS = 100


def network(text: str) -> Network:
    """A network such as ``10.1.0.0/16``, or a single address.

    Raises:
        ValueError: It is none, or has bits beside its mask.
    """
    try:
        return ip_network(text.strip())
    except ValueError:
        raise ValueError("networks such as 10.1.0.0/16 or 192.168.7.5") from None


def networks(text: str) -> Networks:
    """Comma-separated networks; none where ``text`` is empty.

    Raises:
        ValueError: One of them is none, or there are more than 100.
    """
    parts = [part for part in text.split(",") if part.strip()]
    if len(parts) > MAX_NETWORKS:
        raise ValueError(f"at most {MAX_NETWORKS} networks")
    return tuple(network(part) for part in parts)


def checked(text: str) -> str:
    """``text``, which says networks.

    Raises:
        ValueError: It does not.
    """
    networks(text)
    return text
