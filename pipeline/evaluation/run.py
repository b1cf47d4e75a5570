"""Run: the engine over labelled rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pipeline.evaluation.rows import Found, FoundMagnitude, FoundParty, Gold, Id, RowError
from pipeline.extraction.lines import BATCH, as_article

if TYPE_CHECKING:
    from pipeline.extraction.engine import Engine
    from pipeline.records import Article, Signal


def extracted(rows: Sequence[Gold], engine: Engine, advance: Callable[[int], None]) -> dict[Id, tuple[Found, ...]]:
    """What the engine finds in each row, by its id; ``advance`` is told of every few that are done.

    Raises:
        RowError: A row has no usable date, or its text can't be read.
    """
    found: dict[Id, tuple[Found, ...]] = {}
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        articles = [_article(row) for row in some]
        for row, extraction in zip(some, engine.extract(articles), strict=True):
            found[row.id] = tuple(map(_found, extraction.signals))
        advance(len(some))
    return found


def _article(row: Gold) -> Article:
    try:
        return as_article(row)
    except ValueError as error:
        raise RowError(f"reading labelled rows failed: row {str(row.id)[:80]!r}: {error}") from None


def _found(signal: Signal) -> Found:
    return Found(
        event_type=signal.event_type,
        modality=signal.modality,
        active=signal.active,
        actors=tuple(FoundParty(party.code) for party in signal.actors),
        recipients=tuple(FoundParty(party.code) for party in signal.recipients),
        magnitudes=tuple(FoundMagnitude(one.value, one.comparator) for one in signal.magnitudes),
    )
