"""Durations as operators write them."""

from __future__ import annotations

import re
from typing import Any

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MAX_SECONDS = 3650 * UNITS["d"]
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)")


def seconds(value: Any) -> float:
    """A duration such as ``48h``, ``10m``, ``15s`` or ``500ms`` in seconds.

    Raises:
        ValueError: It is no such text (nor a bare number, whose unit could only be guessed), or over ten years.
    """
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration such as 48h, 15m or 90s")
    length = float(match[1]) * UNITS[match[2]]
    if length > MAX_SECONDS:
        raise ValueError("a duration of at most 3650d")
    return length
