"""Times as feeds write them: RFC 822, ISO 8601, and what else is beyond doubt."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

MAX_LENGTH = 60
# Zones beyond those of RFC 822 that mean one offset to whoever publishes news, in hours.
_ZONES = {
    "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "TRT": 3,
    "PKT": 5, "WIB": 7, "ICT": 7, "HKT": 8, "SGT": 8, "AWST": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11,
    "NZST": 12, "NZDT": 13,
}  # fmt: skip
_ZONE = re.compile(r"\s([A-Z]{3,4})$")
_YEAR_FIRST = re.compile(
    r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(Z|GMT|UTC|[+-]\d{2}:?\d{2})?"
)
_HAS_WORDS = re.compile(r"[^\W\d_]{3,}")


def moment(value: str) -> datetime | None:
    """An RFC 3339 date in UTC; one without a zone counts as UTC, as in the other formats. None where it is no date."""
    try:
        return _in_utc(datetime.fromisoformat(value.strip()[:MAX_LENGTH]))
    except (ValueError, OverflowError):
        return None


def any_moment(value: str) -> datetime | None:
    """A date in any of the forms that are beyond doubt, in UTC; None for others, which are not guessed at."""
    text = " ".join(value.split())[:MAX_LENGTH]
    return moment(text) or _rfc_822(text) or _year_first(text)


def has_words(value: str) -> bool:
    """Whether a date is written with the name of a month or day: figures alone are not for guessing."""
    return bool(_HAS_WORDS.search(value))


def _rfc_822(text: str) -> datetime | None:
    if not has_words(text):
        return None
    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None
        offset = parts[9] or _offset(text)
        zone = timezone(timedelta(seconds=offset))
        return _in_utc(datetime(*parts[:6], tzinfo=zone))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _offset(text: str) -> int:
    zone = _ZONE.search(text)
    return 3600 * _ZONES.get(zone[1], 0) if zone else 0


def _year_first(text: str) -> datetime | None:
    """``2026/1/10 14:33:00``: figures whose order nobody doubts, because the year comes first."""
    found = _YEAR_FIRST.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    clock = f"{int(hour or 0):02}:{minute or '00'}:{second or '00'}"
    suffix = {"GMT": "+00:00", "UTC": "+00:00", None: ""}.get(zone, zone)
    return moment(f"{year}-{int(month):02}-{int(day):02}T{clock}{suffix}")


def _in_utc(found: datetime) -> datetime:
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
