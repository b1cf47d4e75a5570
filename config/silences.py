"""Silences and inhibition: when an alert is muted, so that nobody is told of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated

import pydantic

from config.document import Strict
from config.rule import LEVELS, LevelName, Pattern, among

RANK = {name: rank for rank, name in enumerate(LEVELS, 1)}


def _said(value: object) -> object:
    if not isinstance(value, str | date):
        raise ValueError("a date or time such as 2026-10-01 or 2026-10-01T06:00:00Z")  # noqa: TRY004  pydantic's own
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999 in UTC") from None


Moment = Annotated[datetime, pydantic.BeforeValidator(_said), pydantic.AfterValidator(_utc)]


class Matcher(Strict):
    """Which alerts: each thing that is given must fit; nothing given fits all.

    Attributes:
        dyads: Dyads or sides, as in a rule's scope.
        rules: Names of rules.
        levels: Levels.
    """

    dyads: tuple[Pattern, ...] = pydantic.Field(default=(), max_length=1000)
    rules: tuple[str, ...] = pydantic.Field(default=(), max_length=200)
    levels: tuple[LevelName, ...] = ()

    def fits(self, dyad: str, rule: str, level: int) -> bool:
        """Whether an alert fits; ``level`` is 1 for watch to 3 for critical."""
        if self.dyads and not among(dyad, self.dyads):
            return False
        if self.rules and rule not in self.rules:
            return False
        return not self.levels or level in {RANK[name] for name in self.levels}


class Silence(Strict):
    """Alerts that nobody wants to hear of for a while.

    Attributes:
        name: What a muted alert names as its reason.
        why: For whoever finds it later.
        from_, until: From when to when (UTC), event time; ``until`` is no longer in it.
        match: Which alerts.
    """

    name: str = pydantic.Field(pattern=r"^[a-z][a-z0-9_-]{0,60}$")
    why: str = pydantic.Field(min_length=1, max_length=1000)
    from_: Moment = pydantic.Field(alias="from")
    until: Moment
    match: Matcher = Matcher()

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Silence:
        if self.until <= self.from_:
            raise ValueError("until after from")
        return self

    @cached_property
    def start(self) -> float:
        """``from_`` in seconds since 1970."""
        return self.from_.timestamp()

    @cached_property
    def end(self) -> float:
        """``until`` in seconds since 1970."""
        return self.until.timestamp()


class Inhibition(Strict):
    """An open alert that mutes others of the same dyad, as long as it is open.

    Attributes:
        source: The alert that mutes.
        target: The alerts that it mutes: lower ones, and of the same level those of rules that stand later in the file.
    """

    source: Matcher
    target: Matcher

    def mutes(self, dyad: str, rule: str, level: int, others: Iterable[tuple[str, int]]) -> str | None:
        """The rule whose open alert mutes one of ``rule`` at ``level``; ``others`` may, by rule and level."""
        if not self.target.fits(dyad, rule, level):
            return None
        return next((name for name, rank in others if self.source.fits(dyad, name, rank)), None)
