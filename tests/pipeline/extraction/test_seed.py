"""The seed article must be understood in full. The texts lie beside the repository; where they are absent, this is skipped."""

# ruff: noqa: E501 - tables of sentences read best one to a line, with plain values and their own marks

import json
from pathlib import Path

import pytest
from extraction_support import codes

from pipeline.extraction.lines import Line, as_article

SHARED = Path(__file__).parents[4] / "shared"
GOLD = SHARED / "eval" / "seed_gold.json"
OUTSIDE_CODEBOOK = {"accusation", "rejection"}
ACTORS_RIGHT = 0.9
MUTUAL = {"talks", "ceasefire"}

pytestmark = pytest.mark.skipif(not GOLD.exists(), reason="the seed article is not beside the repository")


def _as_text():
    text = next((SHARED / "seed").glob("*.txt")).read_text(encoding="utf-8")
    return Line(id="seed", text=text, published="2021-12-18T12:00:00Z")


def _as_line():
    row = json.loads((SHARED / "seed" / "article.jsonl").read_text(encoding="utf-8"))
    return Line(id="seed", text=row["text"], title=row["title"], published=row["published"])


@pytest.fixture(scope="module", params=["text", "line"])
def told(request, engine):
    """Gold sentences with the signals found in each, for the text alone and with its title apart."""
    line = _as_text() if request.param == "text" else _as_line()
    signals = engine.extract([as_article(line)])[0].signals
    gold = json.loads(GOLD.read_text(encoding="utf-8"))["sentences"]
    return [
        (row, [s for s in signals if s.evidence.sentence[:60] in row["text"] or row["text"] in s.evidence.sentence])
        for row in gold
    ]


def _wanted(told, *, optional=False):
    for row, got in told:
        for gold in row["signals"]:
            if gold["event_type"] not in OUTSIDE_CODEBOOK and (optional or not gold["optional"]):
                yield (
                    row,
                    gold,
                    [s for s in got if s.event_type == gold["event_type"] and s.modality in gold["modality_accepted"]],
                )


def test_every_required_signal_is_found(told):
    """Each with its type and an accepted modality, in its sentence."""
    assert [(row["idx"], gold["event_type"]) for row, gold, fits in _wanted(told) if not fits] == []


def test_actors(told):
    """Actors are right in nine of ten; of talks all parties count, for they are mutual."""
    right = [any(_same_actors(s, gold) for s in fits) for _, gold, fits in _wanted(told)]
    assert sum(right) >= ACTORS_RIGHT * len(right)


def _same_actors(signal, gold):
    if gold["event_type"] in MUTUAL:
        return set(codes((*signal.actors, *signal.recipients)).split()) == {
            *(gold["actor"] or ()),
            *(gold["recipient"] or ()),
        }
    return set(codes(signal.actors).split()) == set(gold["actor"] or ())


def test_nothing_else_is_active(told):
    """No active signal where a sentence must be silent, and none of a type that gold does not have as active."""
    wrong = []
    for row, got in told:
        allowed = {gold["event_type"] for gold in row["signals"] if gold["active"]}
        wrong += [
            (row["idx"], str(s.event_type), s.evidence.trigger) for s in got if s.active and s.event_type not in allowed
        ]
    assert wrong == []


def test_magnitudes(told):
    """Troops and battalion tactical groups, both *over*."""
    counted = {
        (m.value, m.comparator, m.unit) for row, got in told if row["idx"] == 7 for s in got for m in s.magnitudes
    }
    assert {(100000.0, "over", "troops"), (50.0, "over", "battalion tactical groups")} <= counted


@pytest.mark.parametrize("number", [4, 10])
def test_conditions(told, number):
    """The condition of the threats, word for word."""
    (gold,) = [g["condition"] for row, _ in told if row["idx"] == number for g in row["signals"] if g["condition"]]
    assert gold in {s.condition for row, got in told if row["idx"] == number for s in got}


def test_speakers(told):
    """Who says so, by code, wherever gold names a speaker."""
    wrong = [
        (row["idx"], gold["attribution"]["code"], [s.attribution and s.attribution.code for s in fits])
        for row, gold, fits in _wanted(told)
        if gold["attribution"]
        and not any(s.attribution and s.attribution.code == gold["attribution"]["code"] for s in fits)
    ]
    assert wrong == []


def test_outlets(told):
    """Who is cited for the quotations."""
    wrong = [
        (row["idx"], gold["reported_by"])
        for row, gold, fits in _wanted(told)
        if gold["reported_by"] and not any(s.reported_by == gold["reported_by"] for s in fits)
    ]
    assert wrong == []
