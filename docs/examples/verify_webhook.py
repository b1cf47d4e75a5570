"""Verify a webhook of Brinkwatch, with nothing but the standard library: is it ours, whole, and of now?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

TOLERANCE_S = 300


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str, now: float | None = None) -> bool:
    """Whether the request was signed with ``secret`` (``whsec_…``), is unchanged, and is minutes old at most.

    Args:
        headers: Of the request, their names in small letters.
        body: As it came, before anything parsed it.
        secret: The receiver's key.
        now: Unix time; the clock's where it is None.
    """
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{identifier}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = f"v1,{base64.b64encode(digest).decode()}".encode()
    given = headers.get("webhook-signature", "").encode().split()  # several, while a key is being replaced
    return any(hmac.compare_digest(expected, each) for each in given)
