"""The file of alert rules, ``alerts.yaml``: rules, regions, silences, inhibition, and which outlets have one owner."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

import pydantic

from config.document import Strict, load
from config.rule import LEVELS, Code, Counts, Levels, Region, Rule, Scope, Threshold, some
from config.silences import Inhibition, Matcher, Silence

__all__ = [
    "LEVELS",
    "AlertRules",
    "Counts",
    "Inhibition",
    "Levels",
    "Matcher",
    "Rule",
    "Scope",
    "Silence",
    "Threshold",
    "load_alerts",
]
MAX_RULES = 200
MAX_SILENCES = 1000
Owner = Annotated[str, pydantic.Field(min_length=1, max_length=100)]
Domain = Annotated[str, pydantic.Field(pattern=r"^[a-z0-9.-]{3,253}$")]


class AlertRules(Strict):
    """Every rule. Each one whose scope covers a dyad watches it, on its own; the first is the one that shows its score.

    Attributes:
        rules: The rules.
        regions: Named sets of actor codes, for scopes.
        inhibit: Which open alerts mute which others of the same dyad.
        silences: Alerts that are muted for a time.
        owners: Outlets that are not independent of one another: an owner's name, and the domains that are its.
    """

    rules: Annotated[tuple[Rule, ...], pydantic.AfterValidator(some)] = pydantic.Field(max_length=MAX_RULES)
    regions: dict[Region, tuple[Code, ...]] = pydantic.Field(default={}, max_length=200)
    inhibit: tuple[Inhibition, ...] = pydantic.Field(default=(), max_length=100)
    silences: tuple[Silence, ...] = pydantic.Field(default=(), max_length=MAX_SILENCES)
    owners: dict[Owner, tuple[Domain, ...]] = pydantic.Field(default={}, max_length=10_000)

    @cached_property
    def owner_of(self) -> dict[str, str]:
        """The owner of each domain that shares one."""
        return {domain: owner for owner, domains in self.owners.items() for domain in domains}

    @cached_property
    def codes(self) -> dict[str, frozenset[str]]:
        """The codes of each region."""
        return {region: frozenset(codes) for region, codes in self.regions.items()}

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> AlertRules:
        _once("rule name", [rule.name for rule in self.rules])
        _once("silence", [silence.name for silence in self.silences])
        if repeated := _twice(domain for group in self.owners.values() for domain in group):
            raise ValueError(f"each domain with one owner, but with two: {', '.join(repeated)}")
        names = {rule.name for rule in self.rules}
        matchers = [*(s.match for s in self.silences), *(m for i in self.inhibit for m in (i.source, i.target))]
        if unknown := sorted({name for matcher in matchers for name in matcher.rules} - names):
            raise ValueError(f"names of rules, but there is none called {', '.join(unknown)}")
        if unknown := sorted({name for rule in self.rules for name in rule.scope.regions} - self.regions.keys()):
            raise ValueError(f"names of regions, but there is none called {', '.join(unknown)}")
        return self

    def covering(self, dyad: str, *, drill: bool) -> tuple[Rule, ...]:
        """The rules for ``dyad``, in order; none where no scope covers it: it is scored, and never raises."""
        return tuple(rule for rule in self.rules if rule.scope.covers(dyad, drill=drill, regions=self.codes))

    def muted(self, dyad: str, rule: str, level: int, at: float, others: Mapping[str, int]) -> str | None:
        """Why an alert is muted: ``silence NAME`` or ``inhibited by RULE``; None if it is not.

        Args:
            dyad: The alert's dyad.
            rule: Its rule.
            level: Its level, 1 to 3.
            at: Event time, seconds since 1970.
            others: Levels of the dyad's open alerts by rule.
        """
        for silence in self.silences:
            if silence.start <= at < silence.end and silence.match.fits(dyad, rule, level):
                return f"silence {silence.name}"
        if not self.inhibit:
            return None
        # Of one level the rule that stands first mutes the other: two that mute each other would silence both.
        mine = (-level, self.places[rule])
        over = [(other, rank) for other, rank in others.items() if (-rank, self.places[other]) < mine]
        for inhibition in self.inhibit:
            if (name := inhibition.mutes(dyad, rule, level, over)) is not None:
                return f"inhibited by {name}"
        return None

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each rule stands in the file."""
        return {rule.name: place for place, rule in enumerate(self.rules)}

    @cached_property
    def bounds(self) -> tuple[float, ...]:
        """When silences begin and end, seconds since 1970, in order."""
        return tuple(sorted({at for silence in self.silences for at in (silence.start, silence.end)}))

    def next_bound(self, after: float) -> float:
        """When the next silence begins or ends after a time; infinite if none does."""
        place = bisect_right(self.bounds, after)
        return self.bounds[place] if place < len(self.bounds) else math.inf


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _once(what: str, names: Iterable[str]) -> None:
    if repeated := _twice(names):
        raise ValueError(f"each {what} once, but twice: {', '.join(repeated)}")


def load_alerts(path: Path) -> AlertRules:
    """The rules of ``path``.

    Raises:
        ConfigError: With every fault and its line.
    """
    return load(path).check(AlertRules)
