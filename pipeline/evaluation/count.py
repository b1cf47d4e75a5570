"""Count: the figures over all rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.evaluation.labels import Scheme
from pipeline.evaluation.match import PARTS, Match, match
from pipeline.evaluation.rows import Found, Gold, Id, RowError

ENOUGH = 5
"""Rows that a name must have to count in the macro average: a figure over fewer is chance."""
WITHOUT = "rows without events"
MAX_MISSING = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """Hits, false alarms and misses, and what follows from them."""

    hits: int
    false: int
    missed: int

    @property
    def rows(self) -> int:
        """How many rows should have it."""
        return self.hits + self.missed

    @property
    def precision(self) -> float:
        """Of what was found, the share that is right."""
        return ratio(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float:
        """Of what should be found, the share that was."""
        return ratio(self.hits, self.rows)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * ratio(self.precision * self.recall, self.precision + self.recall)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return ratio(self.part, self.whole)


@dataclass(frozen=True)
class Score:
    """What was counted.

    Attributes:
        scheme: By which names.
        rows: How many rows were counted; the ambiguous are not.
        names: Of each type or category, by rows: a name counts once a row.
        anything: Whether a row has anything at all.
        confusion: How often gold modality (first) was found as (second), over the events that were found.
        alarms: Rows without events where a signal counts, by their ``negative_type``; ``WITHOUT``: all of them.
        leak: Events denied or long past that count all the same.
        parts: Events found whose ``actors``, ``recipients``, ``magnitudes`` are right.
    """

    scheme: Scheme
    rows: int
    names: Mapping[str, Figures]
    anything: Figures
    confusion: Mapping[tuple[str, str], int]
    alarms: Mapping[str, Share]
    leak: Share
    parts: Mapping[str, Share]

    @property
    def micro(self) -> Figures:
        """Over all names."""
        every = self.names.values()
        return Figures(sum(f.hits for f in every), sum(f.false for f in every), sum(f.missed for f in every))

    @property
    def macro_f1(self) -> float:
        """Mean over the names that enough rows have."""
        large = [figures.f1 for figures in self.names.values() if figures.rows >= ENOUGH]
        return ratio(sum(large), len(large))

    @property
    def modality(self) -> Share:
        """Events found, whose modality was found."""
        right = sum(count for (want, got), count in self.confusion.items() if want == got)
        return Share(right, sum(self.confusion.values()))


def ratio(part: float, whole: float) -> float:
    """A share, 0 of nothing."""
    return part / whole if whole else 0.0


@dataclass
class Tally:
    """What is counted, while it is."""

    hits: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    anything: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    alarms: dict[str, Counter[bool]] = field(default_factory=dict)
    leak: Counter[bool] = field(default_factory=Counter)
    parts: dict[str, Counter[bool]] = field(default_factory=lambda: {part: Counter() for part in PARTS})
    rows: int = 0

    def add(self, row: Gold, one: Match) -> None:
        """Count a row."""
        self.rows += 1
        self.hits.update(one.wanted & one.found)
        self.false.update(one.found - one.wanted)
        self.missed.update(one.wanted - one.found)
        self.anything[bool(one.wanted), bool(one.found)] += 1
        if row.negative_type is not None:
            self.alarms.setdefault(row.negative_type, Counter())[one.counts] += 1
        if one.alarmed is not None:
            self.alarms.setdefault(WITHOUT, Counter())[one.alarmed] += 1
        for event in one.events:
            self._event(event.event.modality, event.modalities, event.leaked)
            for part in PARTS:
                right = getattr(event, part)
                if right is not None:
                    self.parts[part][right] += 1

    def _event(self, wanted: str | None, found: Sequence[str], leaked: bool | None) -> None:
        if wanted is not None and found:
            self.confusion[str(wanted), str(wanted if wanted in found else found[0])] += 1
        if leaked is not None:
            self.leak[leaked] += 1

    def score(self, scheme: Scheme) -> Score:
        """What it comes to."""
        names = sorted(self.hits.keys() | self.false.keys() | self.missed.keys())
        both = self.anything
        return Score(
            scheme=scheme,
            rows=self.rows,
            names={name: Figures(self.hits[name], self.false[name], self.missed[name]) for name in names},
            anything=Figures(both[True, True], both[False, True], both[True, False]),
            confusion=dict(self.confusion),
            alarms={kind: _share(counts) for kind, counts in sorted(self.alarms.items())},
            leak=_share(self.leak),
            parts={part: _share(counts) for part, counts in self.parts.items()},
        )


def _share(counts: Counter[bool]) -> Share:
    return Share(counts[True], counts.total())


def score(
    rows: Iterable[Gold], found: Mapping[Id, Sequence[Found]], scheme: Scheme
) -> tuple[Score, list[tuple[Gold, Match]]]:
    """The figures, and the rows that are not as they should be, in order.

    Args:
        rows: Gold rows; those marked ambiguous are left out.
        found: What was found in each, by its id.
        scheme: By which names the rows call events.

    Raises:
        RowError: A row has no prediction.
    """
    rows = tuple(rows)
    missing = [str(row.id)[:80] for row in rows if row.id not in found]
    if missing:
        first = ", ".join(missing[:MAX_MISSING])
        raise RowError(f"evaluating failed: {len(missing)} labelled rows have no prediction, first: {first}")
    tally = Tally()
    wrong: list[tuple[Gold, Match]] = []
    for row in rows:
        if row.ambiguous:
            continue
        one = match(row, found[row.id], scheme)
        tally.add(row, one)
        if one.wrong:
            wrong.append((row, one))
    return tally.score(scheme), wrong
