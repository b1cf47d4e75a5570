"""Report: the figures for a person and for a program, and the rows that are wrong for whoever mends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pipeline.evaluation.count import ENOUGH, Figures, Score, Share
from pipeline.evaluation.match import Match
from pipeline.evaluation.rows import Found, Gold, Id
from pipeline.records import Modality

SHORT = 5
"""Letters of a modality at the head of a column."""


def lines(score: Score) -> Iterator[str]:
    """The figures, 80 columns wide."""
    yield f"{score.rows} rows"
    yield ""
    yield f"{f'by {score.scheme}':<24} precision  recall     F1   rows   false"
    yield from (_figures(name, figures) for name, figures in score.names.items())
    yield _figures("all of them (micro)", score.micro)
    large = any(figures.rows >= ENOUGH for figures in score.names.values())
    yield f"{f'mean (macro, {ENOUGH} rows or more)':<44} {f'{score.macro_f1:6.2f}' if large else '  none'}"
    yield _figures("a row has any signal", score.anything)
    yield ""
    yield from _confusion(score)
    yield ""
    yield from (_share(f"alarms: {kind[:60]}", share) for kind, share in score.alarms.items())
    yield _share("leak: negated or historical, but active", score.leak)
    yield from (_share(f"right {part}", share) for part, share in score.parts.items() if share.whole)


def _figures(name: str, figures: Figures) -> str:
    shares = f"{figures.precision:9.2f} {figures.recall:7.2f} {figures.f1:6.2f}"
    return f"{name:<24} {shares} {figures.rows:6} {figures.false:7}"


def _share(name: str, share: Share) -> str:
    return f"{name:<50} {share.value:6.3f}   {share.part} of {share.whole}"


def _confusion(score: Score) -> Iterator[str]:
    """Gold modality down, found across; a point stands for none."""
    yield _share("modality, of events found", score.modality)
    seen = {each for pair in score.confusion for each in pair}
    shown = [modality for modality in Modality if modality in seen]
    if not shown:
        return
    yield "labelled \\ found  " + " ".join(f"{modality[:SHORT]:>6}" for modality in shown)
    for want in shown:
        counts = (score.confusion.get((want, got), 0) for got in shown)
        yield f"  {want:<15} " + " ".join(f"{count or '·':>6}" for count in counts)


def as_json(score: Score) -> dict[str, Any]:
    """The figures, shares to three places."""
    hard, easy = (score.alarms.get(kind, Share(0, 0)) for kind in ("hard_negative_lexical", "easy_negative"))
    return {
        "rows": score.rows,
        "macro_f1": round(score.macro_f1, 3),
        "micro": _object(score.micro),
        "signal_precision": round(score.anything.precision, 3),
        "signal_recall": round(score.anything.recall, 3),
        "modality_accuracy": round(score.modality.value, 3),
        "hard_negative_alarms": round(hard.value, 3),
        "easy_negative_alarms": round(easy.value, 3),
        "negated_historical_leak": round(score.leak.value, 3),
        "names": {name: _object(figures) for name, figures in score.names.items()},
        "modality_confusion": [
            {"labelled": want, "found": got, "events": count} for (want, got), count in sorted(score.confusion.items())
        ],
        "alarms": {kind: _part(share) for kind, share in score.alarms.items()},
        "right": {part: _part(share) for part, share in score.parts.items() if share.whole},
    }


def _object(figures: Figures) -> dict[str, Any]:
    shares = {"precision": figures.precision, "recall": figures.recall, "f1": figures.f1}
    return {name: round(value, 3) for name, value in shares.items()} | {"rows": figures.rows, "false": figures.false}


def _part(share: Share) -> dict[str, Any]:
    return {"share": round(share.value, 3), "part": share.part, "whole": share.whole}


def wrong_rows(wrong: Iterable[tuple[Gold, Match]], found: Mapping[Id, Sequence[Found]]) -> Iterator[bytes]:
    """Each row that is wrong, as a line of JSON: what is wrong, what was expected, what was found."""
    encoder = msgspec.json.Encoder()
    for row, match in wrong:
        yield encoder.encode(
            {
                "id": row.id,
                **({"title": row.title} if row.title else {}),
                "text": row.text,
                "wrong": match.wrong,
                "expected": [_given(event) for event in row.events],
                "found": [_told(signal) for signal in found[row.id]],
            }
        )


def _given(event: Any) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(event).items() if value is not None}


def _told(signal: Found) -> dict[str, Any]:
    return {
        "event_type": signal.event_type,
        "modality": signal.modality,
        "active": signal.active,
        "actors": [party.code for party in signal.actors],
        "recipients": [party.code for party in signal.recipients],
        "magnitudes": [one.comparator if one.value is None else one.value for one in signal.magnitudes],
    }
