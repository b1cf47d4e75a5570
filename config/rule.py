"""One alert rule: which dyads and signals it is about, and when it raises and clears."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Mapping
from functools import cached_property
from itertools import pairwise
from string import Template
from typing import Annotated, Literal, TypeVar

import pydantic

from config.document import Strict
from config.duration import seconds
from config.lexicon import EventName

LEVELS = ("watch", "warning", "critical")
INACTIVE = frozenset({"speculative", "demanded", "negated", "historical"})
"""Modalities that count for nothing unless a rule asks for them by name."""
TEMPLATED = frozenset(
    ["dyad", "sides", "level", "previous_level", "rule", "score", "baseline", "ratio", "sources", "stories", "leading",
     "evidence"]
)  # fmt: skip
"""What an annotation may ask for, as ``${dyad}``."""
MAX_TEXTS = 20
_Item = TypeVar("_Item")
_PATTERN = re.compile(r"all|(?:\*|[A-Z0-9_]{2,20})(?:-(?:\*|[A-Z0-9_]{2,20}))?")
_LABEL = r"^[a-z_][a-z0-9_]{0,60}$"

ModalityName = Literal[
    "asserted", "planned", "threatened", "conditional", "speculative", "demanded", "negated", "historical"
]
NO_REGIONS: Mapping[str, frozenset[str]] = {}
LevelName = Literal["watch", "warning", "critical"]


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("a duration longer than nothing")
    return value


def _pattern(value: str) -> str:
    if not _PATTERN.fullmatch(value):
        raise ValueError("'all', a dyad such as RUS-UKR, or one side such as RUS ('*' is a side that is not named)")
    return "-".join(sorted(value.split("-")))


def some(values: tuple[_Item, ...]) -> tuple[_Item, ...]:
    """Not ``min_length``: that also complains of a list whose one item was at fault."""
    if not values:
        raise ValueError("at least one")
    return values


def _template(value: str) -> str:
    template = Template(value)
    unknown = sorted(set(template.get_identifiers()) - TEMPLATED) if template.is_valid() else ["$"]
    if unknown:
        raise ValueError(f"a text with $$ for a dollar, and none but these filled in: {', '.join(sorted(TEMPLATED))}")
    return value


Text = Annotated[str, pydantic.Field(max_length=2000), pydantic.AfterValidator(_template)]
Duration = Annotated[float, pydantic.BeforeValidator(seconds)]
Span = Annotated[float, pydantic.BeforeValidator(seconds), pydantic.AfterValidator(_positive)]
Label = Annotated[str, pydantic.Field(pattern=_LABEL)]
Code = Annotated[str, pydantic.Field(pattern=r"^[A-Z0-9_]{2,20}$")]
Region = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_-]{0,60}$")]
Pattern = Annotated[str, pydantic.AfterValidator(_pattern)]


def among(dyad: str, patterns: Collection[str]) -> bool:
    """Whether one of the patterns names the dyad: ``all``, its key, or one of its sides."""
    return not {"all", dyad, *dyad.split("-")}.isdisjoint(patterns)


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
        regions: Names of the file's ``regions``: only dyads of which both named sides lie in one of them.
        exclude: The same as ``dyads``, for what is left out; ``*`` leaves out every dyad with a side that is not named.
        drill: True for the dyads of the drill, and only those.
    """

    dyads: Annotated[tuple[Pattern, ...], pydantic.AfterValidator(some)] = pydantic.Field(
        default=("all",), max_length=1000
    )
    regions: tuple[Region, ...] = pydantic.Field(default=(), max_length=100)
    exclude: tuple[Pattern, ...] = pydantic.Field(default=(), max_length=1000)
    drill: bool = False

    def covers(self, dyad: str, *, drill: bool, regions: Mapping[str, frozenset[str]] = NO_REGIONS) -> bool:
        """Whether ``dyad`` is in it; ``regions`` are the codes of each region."""
        if drill is not self.drill or not among(dyad, self.dyads) or among(dyad, self.exclude):
            return False
        named = set(dyad.split("-")) - {"*"}
        return not self.regions or any(named <= regions.get(region, frozenset()) for region in self.regions)


class Counts(Strict):
    """Which signals a rule weighs: of these types, in these modalities.

    Attributes:
        types: Event types; none for all.
        modalities: Modalities; none for those that are active. An inactive one that is named here counts for this rule
            alone, at its own small severity: what is only feared is no event, but may be worth a rule of its own.
        calming: Whether what calms lowers this rule's score, of whatever type.
    """

    types: tuple[EventName, ...] = ()
    modalities: tuple[ModalityName, ...] = ()
    calming: bool = True

    def weighs(self, event_type: str, modality: str, *, active: bool, calms: bool) -> bool:
        """Whether a signal counts."""
        if calms:
            return active and self.calming
        if self.types and event_type not in self.types:
            return False
        if not self.modalities:
            return active
        return modality in self.modalities and (active or modality in INACTIVE)


class Rule(Strict):
    """One rule. Durations are seconds here and texts such as ``48h`` in the file.

    Attributes:
        name: Part of the alert's id: renaming a rule ends its open alerts.
        description: What it is for.
        scope: Its dyads.
        counts: Its signals.
        half_life: In which a signal's weight halves.
        baseline_half_life: In which the trailing baseline forgets half of what it held.
        baseline_ratio: How many times the baseline a score must be.
        baseline_sigmas: By how many standard deviations it must lie above the baseline; none, for no such demand.
        min_sources: How many independent sources must have told of it within two half-lives; never more than half of
            those that bring news at all, lest a reader of few outlets hear nothing.
        levels: The thresholds.
        hold_for: How long a score must stay above before the level is raised.
        clear_for: How long it must stay below before the level is cleared.
        update_interval: Least time between updates that change no level.
        update_change: Least change of the score, as a share, that makes such an update.
        labels: Put on its alerts, for consumers to route by.
        annotations: Texts for a person, in which ``${dyad}``, ``${score}`` and the like are filled in.
    """

    name: str = pydantic.Field(pattern=r"^[a-z][a-z0-9_-]{0,60}$")
    description: str = pydantic.Field(default="", max_length=1000)
    scope: Scope = Scope()
    counts: Counts = Counts()
    half_life: Span = pydantic.Field(default="48h")  # type: ignore[assignment]  # as in the file: validate_default parses it
    baseline_half_life: Span = pydantic.Field(default="14d")  # type: ignore[assignment]  # as above
    baseline_ratio: float = pydantic.Field(default=2.0, ge=0, le=1000, allow_inf_nan=False)
    baseline_sigmas: float | None = pydantic.Field(default=None, ge=0, le=100, allow_inf_nan=False)
    min_sources: int = pydantic.Field(default=2, ge=1, le=50)
    levels: Levels
    hold_for: Duration = pydantic.Field(default="10m")  # type: ignore[assignment]  # as above
    clear_for: Duration = pydantic.Field(default="24h")  # type: ignore[assignment]  # as above
    update_interval: Span = pydantic.Field(default="24h")  # type: ignore[assignment]  # as above
    update_change: float = pydantic.Field(default=0.2, ge=0.01, le=100, allow_inf_nan=False)
    labels: dict[Label, Annotated[str, pydantic.Field(max_length=200)]] = pydantic.Field(
        default={}, max_length=MAX_TEXTS
    )
    annotations: dict[Label, Text] = pydantic.Field(default={}, max_length=MAX_TEXTS)

    @cached_property
    def version(self) -> str:
        """12 hex digits that change with anything the rule decides by; not with its words for people."""
        body = json.dumps(self.model_dump(exclude={"description", "labels", "annotations"}), sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()[:12]

    @cached_property
    def raises(self) -> tuple[float, ...]:
        """Score at which each of ``LEVELS`` is raised; infinite for a level the rule has not."""
        return tuple(math.inf if level is None else level.raise_at for level in self.levels.thresholds)

    @cached_property
    def clears(self) -> tuple[float, ...]:
        """Score below which each of ``LEVELS`` is cleared; infinite for a level the rule has not."""
        return tuple(math.inf if level is None else level.clear_at for level in self.levels.thresholds)
