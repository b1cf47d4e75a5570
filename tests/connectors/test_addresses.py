"""Which addresses may be asked."""

from __future__ import annotations

import socket

import pytest

from config.networks import networks
from connectors.addresses import guard, is_public, literal, may_be_asked

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "0.0.0.0",
    "0.1.2.3", "224.0.0.1", "255.255.255.255", "198.18.0.1", "203.0.113.7", "240.0.0.1", "168.63.129.16", "192.0.0.192",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "4000::1",
    "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1", "64:ff9b:1::7f00:1",
    "2001:4860::5efe:10.0.0.1", "2001:0:7f00:1::", "fd12::5efe:808:808", "fe80::5efe:808:808", "fe80::200:5efe:808:808",
    "fec0::5efe:808:808", "2001:db8::5efe:808:808", "::5efe:808:808", "64:ff9b:1:7f00:0:100:808:808",
    "64:ff9b:1::808:808", "2002:808:808::5efe:7f00:1", "2002:7f00:1::5efe:808:808", "64:ff9b:2::808:808", "::8.8.8.8",
    "::ffff:0:808:808", "2001:0:808:808::f7f7:f7f7", "ff02::5efe:808:808", "nonsense", "",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
    "2001:4860::5efe:808:808", "2002:808:808::5efe:101:101",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_socket_for_a_private_address(address: str):
    """This host, local networks, the metadata services of clouds and groups are refused, also in IPv6's disguise."""
    assert not is_public(address)
    with pytest.raises(PermissionError, match="no public address"):
        guard()((socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 80)))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_gets_its_socket(address: str):
    """Feeds move to other hosts all the time, and are followed."""
    assert is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with guard()((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 443))) as made:
        assert made.family == family


@pytest.mark.parametrize(
    ("address", "allowed", "asked"),
    [
        ("10.1.2.3", "10.1.0.0/16", True),
        ("10.2.2.3", "10.1.0.0/16", False),
        ("::ffff:10.1.2.3", "10.1.0.0/16", True),
        ("64:ff9b::a01:203", "10.1.0.0/16", False),
        ("::1", "127.0.0.0/8", False),
        ("fd12::7", "fd12::/16", True),
        ("8.8.8.8", "10.1.0.0/16", True),
        ("nonsense", "0.0.0.0/0", False),
    ],
)
def test_what_an_operator_allows(address: str, allowed: str, asked: bool):
    """A network that is named is allowed, and no other because of it."""
    assert may_be_asked(address, networks(allowed)) is asked


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "%31%327.1",
    ],
)
def test_old_forms_of_an_address(host: str):
    """C libraries read more than four decimal numbers; a proxy that does would be led astray by them."""
    assert literal(host) == "127.0.0.1"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1.example", "1e100.net", "0xdead.example", "", "9.9.9.9.9"])
def test_names_are_no_addresses(host: str):
    """A name is looked up, however much it looks like a number."""
    assert literal(host) is None
