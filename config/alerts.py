"""Alert rules: which dyads they watch, when they raise and clear, and how they are read from ``alerts.yaml``."""

from __future__ import annotations

import hashlib
import json
import math
import re
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, TypeVar

import pydantic

from config.document import Strict, load
from config.duration import seconds

LEVELS = ("watch", "warning", "critical")
MAX_RULES = 200
_Item = TypeVar("_Item")
_PATTERN = re.compile(r"all|(?:\*|[A-Z0-9_]{2,20})(?:-(?:\*|[A-Z0-9_]{2,20}))?")


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("a duration longer than nothing")
    return value


def _pattern(value: str) -> str:
    if not _PATTERN.fullmatch(value):
        raise ValueError("'all', a dyad such as RUS-UKR, or one side such as RUS ('*' is a side that is not named)")
    return "-".join(sorted(value.split("-")))


def _some(values: tuple[_Item, ...]) -> tuple[_Item, ...]:
    """Not ``min_length``: that also complains of a list whose one item was at fault."""
    if not values:
        raise ValueError("at least one")
    return values


Duration = Annotated[float, pydantic.BeforeValidator(seconds)]
Span = Annotated[float, pydantic.BeforeValidator(seconds), pydantic.AfterValidator(_positive)]
Owner = Annotated[str, pydantic.Field(min_length=1, max_length=100)]
Domain = Annotated[str, pydantic.Field(pattern=r"^[a-z0-9.-]{3,253}$")]
Pattern = Annotated[str, pydantic.AfterValidator(_pattern)]


class Threshold(Strict):
    """Where one level begins and ends: raised at ``raise_at`` or above, cleared below ``clear_at``."""

    raise_at: float = pydantic.Field(gt=0, le=1e6, allow_inf_nan=False)
    clear_at: float = pydantic.Field(gt=0, le=1e6, allow_inf_nan=False)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Threshold:
        if self.clear_at >= self.raise_at:
            raise ValueError("clear_at below raise_at, or the alert would flap")
        return self


class Levels(Strict):
    """The levels of a rule; at least one, and each higher one with higher thresholds."""

    watch: Threshold | None = None
    warning: Threshold | None = None
    critical: Threshold | None = None

    @pydantic.model_validator(mode="after")
    def _ascending(self) -> Levels:
        given = [threshold for threshold in self.thresholds if threshold is not None]
        if not given:
            raise ValueError("at least one of watch, warning and critical")
        for lower, upper in pairwise(given):
            if upper.raise_at <= lower.raise_at or upper.clear_at <= lower.clear_at:
                raise ValueError("raise_at and clear_at that grow from watch to critical")
        return self

    @property
    def thresholds(self) -> tuple[Threshold | None, ...]:
        """In the order of ``LEVELS``."""
        return (self.watch, self.warning, self.critical)


class Scope(Strict):
    """Which dyads a rule is for.

    Attributes:
        dyads: ``all``; a dyad such as ``RUS-UKR``; or one side such as ``RUS``, which is every dyad that has it.
        exclude: The same, for what is left out; ``*`` leaves out every dyad with a side that is not named.
        drill: True for the dyads of the drill, and only those.
    """

    dyads: Annotated[tuple[Pattern, ...], pydantic.AfterValidator(_some)] = pydantic.Field(
        default=("all",), max_length=1000
    )
    exclude: tuple[Pattern, ...] = pydantic.Field(default=(), max_length=1000)
    drill: bool = False

    def covers(self, dyad: str, *, drill: bool) -> bool:
        """Whether ``dyad`` is in it."""
        names = {"all", dyad, *dyad.split("-")}
        return drill is self.drill and not names.isdisjoint(self.dyads) and names.isdisjoint(self.exclude)


class Rule(Strict):
    """One rule. Durations are seconds here and texts such as ``48h`` in the file.

    Attributes:
        name: Part of the alert's id: renaming a rule ends its open alerts.
        description: What it is for.
        scope: Its dyads.
        half_life: In which a signal's weight halves.
        baseline_half_life: In which the trailing baseline forgets half of what it held.
        baseline_ratio: How many times the baseline a score must be.
        min_sources: How many independent sources must have told of it within two half-lives.
        levels: The thresholds.
        hold_for: How long a score must stay above before the level is raised.
        clear_for: How long it must stay below before the level is cleared.
        update_interval: Least time between updates that change no level.
        update_change: Least change of the score, as a share, that makes such an update.
    """

    name: str = pydantic.Field(pattern=r"^[a-z][a-z0-9_-]{0,60}$")
    description: str = pydantic.Field(default="", max_length=1000)
    scope: Scope = Scope()
    half_life: Span = pydantic.Field(default="48h")  # type: ignore[assignment]  # as in the file: validate_default parses it
    baseline_half_life: Span = pydantic.Field(default="14d")  # type: ignore[assignment]  # as above
    baseline_ratio: float = pydantic.Field(default=2.0, ge=0, le=1000, allow_inf_nan=False)
    min_sources: int = pydantic.Field(default=2, ge=1, le=50)
    levels: Levels
    hold_for: Duration = pydantic.Field(default="10m")  # type: ignore[assignment]  # as above
    clear_for: Duration = pydantic.Field(default="24h")  # type: ignore[assignment]  # as above
    update_interval: Span = pydantic.Field(default="24h")  # type: ignore[assignment]  # as above
    update_change: float = pydantic.Field(default=0.2, ge=0.01, le=100, allow_inf_nan=False)

    @cached_property
    def version(self) -> str:
        """12 hex digits that change with anything the rule says, but its description."""
        body = json.dumps(self.model_dump(exclude={"description"}), sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()[:12]

    @cached_property
    def raises(self) -> tuple[float, ...]:
        """Score at which each of ``LEVELS`` is raised; infinite for a level the rule has not."""
        return tuple(math.inf if level is None else level.raise_at for level in self.levels.thresholds)

    @cached_property
    def clears(self) -> tuple[float, ...]:
        """Score below which each of ``LEVELS`` is cleared; infinite for a level the rule has not."""
        return tuple(math.inf if level is None else level.clear_at for level in self.levels.thresholds)


class AlertRules(Strict):
    """Every rule, in order: the first whose scope covers a dyad is that dyad's rule.

    Attributes:
        rules: The rules.
        owners: Outlets that are not independent of one another: an owner's name, and the domains that are its.
    """

    rules: Annotated[tuple[Rule, ...], pydantic.AfterValidator(_some)] = pydantic.Field(max_length=MAX_RULES)
    owners: dict[Owner, tuple[Domain, ...]] = pydantic.Field(default={}, max_length=10_000)

    @cached_property
    def owner_of(self) -> dict[str, str]:
        """The owner of each domain that shares one."""
        return {domain: owner for owner, domains in self.owners.items() for domain in domains}

    @pydantic.model_validator(mode="after")
    def _unique(self) -> AlertRules:
        names = [rule.name for rule in self.rules]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each rule name once, but twice: {', '.join(repeated)}")
        domains = [domain for group in self.owners.values() for domain in group]
        if repeated := sorted({domain for domain in domains if domains.count(domain) > 1}):
            raise ValueError(f"each domain with one owner, but with two: {', '.join(repeated)}")
        return self

    def pick(self, dyad: str, *, drill: bool) -> Rule | None:
        """The rule for ``dyad``, or None where no scope covers it: it is scored, and never raises."""
        return next((rule for rule in self.rules if rule.scope.covers(dyad, drill=drill)), None)


def load_alerts(path: Path) -> AlertRules:
    """The rules of ``path``.

    Raises:
        ConfigError: With every fault and its line.
    """
    return load(path).check(AlertRules)
