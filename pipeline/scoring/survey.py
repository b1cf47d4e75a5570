"""A survey of all dyads at one time: how the ones that matter stand, and counts over them all. Pure."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.records import Level
from pipeline.scoring import day, tracks
from pipeline.scoring.explain import LEVEL
from pipeline.scoring.memory import sources
from pipeline.scoring.tracks import Tracks

MAX_OPEN = 500
"""Dyads with an open alert that are shown, the gravest: who can write articles can open many."""
_CODE = r"[A-Z][A-Z0-9_]{1,15}"
_KEY = re.compile(rf"(\*|{_CODE})-{_CODE}")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which dyads and sources a survey shows.

    Attributes:
        dyads: How many of the highest score.
        always: Keys of those that are shown however they stand, known or not.
        sources: How many of the most cited sources.
    """

    dyads: int
    always: frozenset[str] = frozenset()
    sources: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a dyad stands.

    Attributes:
        dyad: Its key.
        drill: Whether it is of the drill.
        score, baseline: At the survey's time, or the dyad's own if that is later.
        level: Of its gravest open alert, 0 to 3.
        sources: Independent sources that told of it lately: see ``memory.sources``.
        signals: Signals that counted in the last 24 hours, by type of event; types without any are left out.
    """

    dyad: str
    drill: bool = False
    score: float = 0.0
    baseline: float = 0.0
    level: int = 0
    sources: int = 0
    signals: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Survey:
    """All dyads at one time.

    Attributes:
        shown: The dyads that matter, in alphabetical order.
        dyads: How many there are.
        levels: How many stand at each level.
        open_alerts: Open alerts of each level, calm left out.
        sources: Signals of the last 24 hours by source, the most cited; one of two dyads counts for each.
    """

    shown: tuple[Standing, ...]
    dyads: int
    levels: Mapping[Level, int]
    open_alerts: Mapping[Level, int]
    sources: Mapping[str, int]


def survey(held: Mapping[str, Tracks], scope: Scope, at: float | None) -> Survey:
    """Survey the dyads.

    Args:
        held: Every dyad's tracks.
        scope: What to show.
        at: Event time, seconds since 1970; None where it is not known yet: then each dyad's own.
    """
    levels: Counter[int] = Counter()
    alerts: Counter[int] = Counter()
    cited: Counter[str] = Counter()
    scores: list[tuple[float, str]] = []
    raised: list[tuple[int, float, str]] = []
    for dyad, of_rules in held.items():
        first = next(iter(of_rules.values()))
        now = first.at if at is None else max(at, first.at)
        score = first.score(now)
        opened = tracks.levels(of_rules).values()
        alerts.update(opened)
        levels[level := max(opened, default=0)] += 1
        for source, count in day.told(first.day.sources, first.day, now).items():
            cited[source] += count
        if is_shown(dyad):
            scores.append((score, dyad))
            if level:
                raised.append((level, score, dyad))
    chosen = {dyad for _, dyad in heapq.nlargest(scope.dyads, scores)}
    chosen |= {dyad for _, _, dyad in heapq.nlargest(MAX_OPEN, raised)} | scope.always
    return Survey(
        shown=tuple(standing(dyad, held.get(dyad), at) for dyad in sorted(chosen)),
        dyads=len(held),
        levels={level: levels[level.rank] for level in LEVEL},
        open_alerts={level: alerts[level.rank] for level in LEVEL[1:]},
        sources=dict(heapq.nsmallest(scope.sources, cited.items(), key=lambda item: (-item[1], item[0]))),
    )


def standing(dyad: str, of_rules: Tracks | None, at: float | None) -> Standing:
    """How a dyad stands on its first track; all at 0 for one that is not known."""
    if of_rules is None:
        return Standing(dyad)
    first = next(iter(of_rules.values()))
    now = first.at if at is None else max(at, first.at)
    return Standing(
        dyad=dyad,
        drill=first.drill,
        score=first.score(now),
        baseline=first.baseline,
        level=max(tracks.levels(of_rules).values(), default=0),
        sources=sources(first, now),
        signals=day.told(first.day.types.items(), first.day, now),
    )


def is_shown(dyad: str) -> bool:
    """Whether a key is one of two codes, as the gazetteer has them: a message may bear any other."""
    return _KEY.fullmatch(dyad) is not None


def keys(names: Iterable[str]) -> frozenset[str]:
    """Dyads by name, such as ``UKR-RUS``, as keys: the sides in alphabetical order."""
    return frozenset("-".join(sorted(name.split("-", 1))) for name in names)
