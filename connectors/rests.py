"""Rests: hosts that asked to be left alone (Retry-After), for all of their feeds. Clocks are given."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec
from yarl import URL

from config.retry_after import MAX_RETRY_AFTER_S

RESTS = "rests"
"""Under which name they are noted."""
MAX_TEXT = 4 * 1024 * 1024


def hostname(url: str) -> str:
    """The host of an address, in ASCII and without a last dot; empty where it has none."""
    try:
        host = urlsplit(url).hostname or ""
        return (host if host.isascii() else URL(url).raw_host or "").rstrip(".")
    except ValueError:
        return ""


class Rests:
    """Until when each host rests.

    ``now`` is seconds of a clock that only goes forward, so that no step of the wall clock lengthens a rest; only what
    outlives the process is told in the time of the wall.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def __bool__(self) -> bool:
        """Whether any host may rest: mostly none does, and a poll need not look."""
        return bool(self._until)

    def restore(self, saved: Iterable[str], wall: float, now: float) -> None:
        """Go on with what was ``saved``, in each of these texts, as far as it is not over."""
        for text in saved:
            for host, left in _left(text, wall).items():
                self.ask(host, left, now)

    def ask(self, host: str, seconds: float, now: float) -> None:
        """Note that ``host`` asks for so many seconds; what it asked for before may be longer."""
        self._until[host] = max(now + min(seconds, MAX_RETRY_AFTER_S), self._until.get(host, now))

    def left_s(self, host: str, now: float) -> float:
        """Seconds for which ``host`` is still to be left alone; 0 where it is not."""
        return max(self._until.get(host, now) - now, 0.0)

    def saved(self, wall: float, now: float) -> str:
        """The rests that are not over, as text."""
        self._until = {host: until for host, until in self._until.items() if until > now}
        return msgspec.json.encode({host: round(wall + until - now) for host, until in self._until.items()}).decode()


def joined(saved: Iterable[str]) -> str:
    """What several had noted, as one text: of a host the longest rest."""
    until: dict[str, float] = {}
    for text in saved:
        until.update({host: max(at, until.get(host, at)) for host, at in _told(text).items()})
    return msgspec.json.encode(until).decode()


def _left(saved: str, wall: float) -> dict[str, float]:
    """Seconds that are left by host, none longer than a host may ask for; nothing from a text that is none of ours."""
    return {host: min(until - wall, MAX_RETRY_AFTER_S) for host, until in _told(saved).items() if until > wall}


def _told(saved: str) -> dict[str, float]:
    """Until when each host rests, by the wall's clock."""
    try:
        return msgspec.json.decode(saved[:MAX_TEXT], type=dict[str, float]) if saved else {}
    except msgspec.DecodeError:
        return {}
