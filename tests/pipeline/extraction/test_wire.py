"""Wire-style sentences written for the project, beside the repository; skipped where they are absent."""

import json
from pathlib import Path

import pytest
from extraction_support import codes

from pipeline.extraction.lines import Line, as_article

WIRE = Path(__file__).parents[4] / "shared" / "eval" / "wire_sentences.jsonl"
TYPE_AND_MODALITY, ACTORS, RECIPIENTS = 0.97, 0.93, 0.90

pytestmark = pytest.mark.skipif(not WIRE.exists(), reason="the wire sentences are not beside the repository")


def _parties(signal, gold):
    """How many of actors and recipients are right; of talks and ceasefires all parties count together."""
    if gold["event_type"] in {"talks", "ceasefire"}:
        both = set(codes((*signal.actors, *signal.recipients)).split()) == {*gold["actor"], *gold["recipient"]}
        return both, both
    return set(codes(signal.actors).split()) == set(gold["actor"]), set(codes(signal.recipients).split()) == set(
        gold["recipient"]
    )


def test_wire_sentences(engine):
    """Type and modality, actors, recipients at their floors; every magnitude; silence where gold is silent."""
    rows = [json.loads(line) for line in WIRE.read_text(encoding="utf-8").splitlines()]
    extractions = engine.extract([as_article(Line(id=row["id"], text=row["text"])) for row in rows])
    wanted = matched = actors = recipients = 0
    missing_magnitudes, loud = [], []
    for row, extraction in zip(rows, extractions, strict=True):
        if not row["signals"] and any(signal.active for signal in extraction.signals):
            loud.append(row["id"])
        for gold in (g for g in row["signals"] if not g["optional"]):
            wanted += 1
            fits = [
                s
                for s in extraction.signals
                if s.event_type == gold["event_type"] and s.modality in gold["modality_accepted"]
            ]
            if not fits:
                continue
            best = max(fits, key=lambda s: sum(_parties(s, gold)))
            matched += 1
            actors += _parties(best, gold)[0]
            recipients += _parties(best, gold)[1]
            if gold["magnitude"] is not None and gold["magnitude"] not in {
                m.value or m.comparator for m in best.magnitudes
            }:
                missing_magnitudes.append(row["id"])
    assert matched >= TYPE_AND_MODALITY * wanted
    assert actors >= ACTORS * wanted
    assert recipients >= RECIPIENTS * wanted
    assert missing_magnitudes == []
    assert loud == []
