"""Signatures of pushes: whether the hub that knows our secret sent a body."""

from __future__ import annotations

import hmac

METHODS = ("sha1", "sha256", "sha384", "sha512")
MAX_SIGNATURE = 200


def method_of(header: str) -> str:
    """The method that an ``X-Hub-Signature`` names; empty where it is none that is known (W3C WebSub, 7.1)."""
    method, equals, digest = header.partition("=")
    name = method.strip().lower()
    return name if equals and digest and name in METHODS and len(header) <= MAX_SIGNATURE else ""


def signature(method: str, secret: str, body: bytes) -> str:
    """The value of ``X-Hub-Signature`` for ``body``: ``method=hex``."""
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


def genuine(header: str, secret: str, body: bytes) -> bool:
    """Whether ``header`` signs ``body`` with ``secret``; compared in a time that tells nothing."""
    if not (method := method_of(header)):
        return False
    given = f"{method}={header.partition('=')[2].strip().lower()}"
    return hmac.compare_digest(given.encode("utf-8", "replace"), signature(method, secret, body).encode())
