"""Beam's Python servers on loopback only.

Beam's worker, loopback and runner servers listen on every interface, with no password, and what they accept is code. So
any wildcard address that a gRPC server of this process is asked for becomes 127.0.0.1. Prism, a Go program, has no such
switch: see ``deploy.local.prism``.
"""

from __future__ import annotations

import functools
from typing import Any

from deploy.local.process import LOOPBACK

_WILDCARDS = ("[::]", "0.0.0.0", "*", "")  # noqa: S104  # those that are replaced


def loopback_address(address: str | bytes) -> str:
    """``address`` with a wildcard host replaced; any other is left as it is."""
    text = address.decode() if isinstance(address, bytes) else address
    host, colon, port = text.rpartition(":")
    return f"{LOOPBACK}:{port}" if colon and host in _WILDCARDS else text


def bind_loopback() -> None:
    """From now on, gRPC servers of this process listen on loopback where they ask for a wildcard. Repeatable."""
    import grpc

    original = grpc.server
    if getattr(original, "binds_loopback", False):
        return

    @functools.wraps(original)
    def server(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        add = made.add_insecure_port
        made.add_insecure_port = lambda address: add(loopback_address(address))
        return made

    server.binds_loopback = True  # type: ignore[attr-defined]  # a mark on a function
    grpc.server = server
