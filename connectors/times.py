"""Times as feeds write them in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(value: str) -> datetime | None:
    """An RFC 3339 date; one without a zone counts as UTC, as in the other formats. None where it is no date."""
    text = value.strip()[:40]
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
