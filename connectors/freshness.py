"""Freshness: for how long an answer counts as fresh, by its headers. Decisions only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_FRESH_S = 7 * 24 * 3600.0
_MAX_HEADER = 1000
_DIRECTIVE = re.compile(r'([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,"]*)))?', re.IGNORECASE)


def fresh_s(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds for which an answer counts as fresh, at most a week; 0 where it does not say, or says that it does not.

    Source: RFC 9111, 4.2.1 and 4.2.3, as a private cache: ``s-maxage`` is not for us. Where it gives both,
    Cache-Control wins over Expires.

    Args:
        headers: Of the answer; names in any case.
        now: When it came (UTC), for an Expires without a Date.
    """
    said = _directives(headers.get("Cache-Control", ""))
    if "no-store" in said or "no-cache" in said:
        return 0.0
    if "max-age" in said:
        left = _seconds(said["max-age"]) - _seconds(headers.get("Age", ""))
    else:
        expires = _date(headers.get("Expires", ""))
        if expires is None:
            return 0.0
        left = (expires - (_date(headers.get("Date", "")) or now)).total_seconds()
    return min(max(left, 0.0), MAX_FRESH_S)


def _directives(value: str) -> dict[str, str]:
    """Directives by lower-case name; of two of one name the first counts (RFC 9111, 4.2.1)."""
    found: dict[str, str] = {}
    for match in _DIRECTIVE.finditer(value[:_MAX_HEADER]):
        found.setdefault(match[1].lower(), match[2] if match[2] is not None else match[3] or "")
    return found


def _seconds(text: str) -> float:
    """A number of seconds; 0 for what is none (RFC 9111, 4.2.1: a wrong one makes the answer stale)."""
    digits = text.strip()[:20]
    return float(digits) if digits.isascii() and digits.isdigit() else 0.0


def _date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text.strip()[:64])
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
