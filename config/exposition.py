"""Serving a process's metrics: the one place that says where, and why it could not be."""

from __future__ import annotations

from config.errors import BrinkwatchError


def serve(host: str, port: int) -> None:
    """Serve /metrics on ``host``:``port`` from a daemon thread; port 0 serves nothing.

    Raises:
        BrinkwatchError: The address can't be had.
    """
    from prometheus_client import start_http_server

    if not port:
        return
    try:
        start_http_server(port, addr=host)
    except OSError as error:
        why = f"{error.strerror}; a second process on one machine needs a port of its own, or 0 for none"
        raise BrinkwatchError(f"serving metrics failed: {host}:{port}: {why}") from None
