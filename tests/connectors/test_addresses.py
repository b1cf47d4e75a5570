"""Where a redirect may lead."""

from __future__ import annotations

import socket

import pytest

from connectors.addresses import is_public, public_socket

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "::ffff:10.0.0.1",
    "2002:7f00:1::", "64:ff9b::a00:1", "nonsense", "",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_socket_for_a_private_address(address: str):
    """This host, local networks, the metadata services of clouds and groups are refused, also in IPv6's disguise."""
    assert not is_public(address)
    with pytest.raises(PermissionError, match="no public address"):
        public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 80)))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_gets_its_socket(address: str):
    """Feeds move to other hosts all the time, and are followed."""
    assert is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with public_socket((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 443))) as made:
        assert made.family == family
