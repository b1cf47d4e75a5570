"""Table: dead letters counted by stage and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.deadletters.letter import Letter
from pipeline.deadletters.survey import State

MAX_ROWS = 500
"""Stages and reasons are few; whoever writes others to the topic gets one row together."""
OTHERS = ("others", "others")


@dataclass(frozen=True, slots=True)
class Row:
    """The letters of one stage and reason.

    Attributes:
        stage, reason: Which.
        letters: How many there are: ``waiting`` and ``redriven`` and copies.
        waiting, redriven: How many of them.
        first, last: Times of the oldest and the youngest original message.
    """

    stage: str
    reason: str
    letters: int = 0
    waiting: int = 0
    redriven: int = 0
    first: datetime | None = None
    last: datetime | None = None


class Table:
    """Rows by stage and reason."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}

    def count(self, letter: Letter, state: State) -> None:
        """Count a letter in."""
        key = (letter.failure.stage, letter.failure.reason)
        if key not in self._rows and len(self._rows) >= MAX_ROWS:
            key = OTHERS
        row = self._rows.get(key, Row(*key))
        times = [at for at in (row.first, row.last, letter.at) if at is not None]
        self._rows[key] = replace(
            row,
            letters=row.letters + 1,
            waiting=row.waiting + (state is State.WAITING),
            redriven=row.redriven + (state is State.REDRIVEN),
            first=min(times, default=None),
            last=max(times, default=None),
        )

    @property
    def rows(self) -> tuple[Row, ...]:
        """By stage and reason."""
        rows: Mapping[tuple[str, str], Row] = self._rows
        return tuple(rows[key] for key in sorted(rows))
