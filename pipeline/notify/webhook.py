"""What a webhook is sent: a CloudEvent in structured mode, signed as Standard Webhooks says.

Structured mode, because the signature covers the body: type, subject and time of the event stand in it, where in binary
mode they would be headers that nobody signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

import msgspec

from pipeline.notify.request import Request
from pipeline.records import Alert, encode
from pipeline.records.headers import attributes

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_encoder = msgspec.json.Encoder()


def compose(alert: Alert, keys: Sequence[bytes], now: datetime) -> Request:
    """The POST of a transition, signed at ``now``: every try is signed anew, for a receiver refuses old timestamps."""
    event = attributes(alert)
    body = _encoder.encode({**event, "datacontenttype": "application/json", "data": msgspec.Raw(encode(alert))})
    return Request(body, CONTENT_TYPE, signed(event["id"], int(now.timestamp()), body, keys))


def signed(identifier: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers of Standard Webhooks; one signature for each key.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    content = f"{identifier}.{timestamp}.".encode() + body
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }
