"""Times as feeds write them: RFC 822, ISO 8601, and what else is beyond doubt."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

MAX_LENGTH = 100
_MAX_OFFSET_H = 15
_HOUR_MIN = 60
_NOON = 12
# Zones that mean one offset to whoever publishes news, in hours: those of RFC 822 first.
_ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7,
    "MDT": -6, "PST": -8, "PDT": -7, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "TRT": 3, "PKT": 5, "WIB": 7, "ICT": 7, "HKT": 8, "SGT": 8, "AWST": 8, "JST": 9, "KST": 9,
    "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
_ZONE = re.compile(r"\s([A-Z]{3,4})$")
_CLOCK = re.compile(
    r"(?<![\d:])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?![\d:])(?:\s?([ap])\.?\s?m(?:\.|(?![^\W\d_])))?",
    re.IGNORECASE,
)
"""Hours, minutes, seconds, and which half of the day."""
_FROM_UTC = re.compile(
    r"(?:(?<![\w/])(?:GMT|UTC?|Z)\s?|(?<![\w/]))([+-])(\d{1,2}?)(?::?(\d{2}))?(?![\d:])", re.IGNORECASE
)
_NAMED = re.compile(r"(?<![\w/+-])[A-Z]{1,4}(?![\w/+-])")
_ASIDE = re.compile(r"\(([^()]*)\)")
_YEAR_LAST = re.compile(r"(?:^|(?<=\s))\d{4}$")
_GLUED = re.compile(r"\s+([+-]\d{4})$")
_HALF = re.compile(r"(?<![^\W_])[ap]\.?\s?m(?![^\W_])", re.IGNORECASE)
_MAY_CHANGE = re.compile(rf"[+-]\s?\d|[^\x00-\x7f]|{_HALF.pattern}", re.IGNORECASE)
"""What stands behind a clock and may change what it says: an offset, a word of another script, half a day."""
_SIMPLE = re.compile(r"(?:[A-Za-z]{1,5}|[+-]\d{2}:?\d{2})?")
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
    text = _one_line(value)
    if found := moment(text):
        return found
    plain = _plain(text)
    if plain is None:
        return None
    return moment(_GLUED.sub(r"\1", plain)) or _rfc_822(plain) or _year_first(plain)


def is_simple(value: str) -> bool:
    """Whether a date's clock is written as most are: any reader knows it, if it knows the names of months."""
    text = _one_line(value)
    clock = _CLOCK.search(text)
    rest = _YEAR_LAST.sub("", text[clock.end() :].strip()).strip() if clock else ""
    return not _HALF.search(text) and bool(_SIMPLE.fullmatch(rest))


def has_words(value: str) -> bool:
    """Whether a date is written with the name of a month or day: figures alone are not for guessing."""
    return bool(_HAS_WORDS.search(value))


def _one_line(value: str) -> str:
    return " ".join(value.split())[:MAX_LENGTH].replace("\N{MINUS SIGN}", "-")


def _plain(text: str) -> str | None:
    """``text`` with its clock in 24 hours, and its zone, where it has one that is known, as ``+0100`` behind it.

    None where what stands behind the clock may change what it says and can't be read. A word that is no zone is let
    pass: the time counts as UTC, as one without a zone does.
    """
    clock = _CLOCK.search(text)
    if _HALF.search(text[: clock.start()] if clock else text):
        return None
    if clock is None:
        return text
    rest = text[clock.end() :].strip()
    year = _YEAR_LAST.search(rest)
    hour, zone = _hour(int(clock[1]), (clock[4] or "").lower()), _zone(rest[: year.start()] if year else rest)
    if hour is None or zone is None:
        return None
    said = f"{text[: clock.start()]}{hour:02}:{clock[2]}:{clock[3] or '00'}"
    return " ".join(filter(None, (said, zone, year[0] if year else "")))


def _hour(hour: int, half: str) -> int | None:
    """The hour in 24, of one of 12 with ``a`` or ``p``; None where these don't go together."""
    if not half or (half == "p" and hour > _NOON):
        return hour
    if hour > _NOON or (half == "p" and not hour):
        return None
    return hour % _NOON + (_NOON if half == "p" else 0)


def _zone(text: str) -> str | None:
    """The offset that is said behind a clock, as ``+0100``; empty for none, None for one that can't be read.

    What stands in brackets counts only where nothing is said outside of them, as after ``GMT+0100 (CET)``.
    """
    said, aside = _ASIDE.sub(" ", text), " ".join(_ASIDE.findall(text))
    for part in (said, aside):
        found = _FROM_UTC.search(part)
        if _MAY_CHANGE.search(part if found is None else part[: found.start()] + part[found.end() :]):
            return None
        if found:
            return _offset(found[1], int(found[2]), int(found[3] or 0))
        names = [part.strip().upper(), *_NAMED.findall(part)]
        if (hours := next((_ZONES[name] for name in names if name in _ZONES), None)) is not None:
            return _offset("-" if hours < 0 else "+", abs(hours))
    return ""


def _offset(sign: str, hours: int, minutes: int = 0) -> str | None:
    return f"{sign}{hours:02}{minutes:02}" if hours <= _MAX_OFFSET_H and minutes < _HOUR_MIN else None


def _rfc_822(text: str) -> datetime | None:
    if not has_words(text):
        return None
    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None
        zone = timezone(timedelta(seconds=parts[9] or _named_s(text)))
        return _in_utc(datetime(*parts[:6], tzinfo=zone))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _named_s(text: str) -> int:
    """Of a clock such as ``10.00.00``."""
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
