"""Request: what one POST to a receiver holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One POST.

    Attributes:
        body: Bytes of the body.
        content_type: Its media type.
        headers: Further headers.
        path: What is added to the receiver's address.
    """

    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
