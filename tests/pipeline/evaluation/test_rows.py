"""Rows from outside: what is wrong is named with file and line, and nothing unbounded is read."""

import json

import pytest

from pipeline.evaluation import rows
from pipeline.evaluation.labels import Scheme
from pipeline.evaluation.rows import RowError, read_gold, read_predictions

GOOD = {"id": "a", "text": "x", "events": [{"event_type": "force", "modality": "asserted"}]}


def _file(tmp_path, *lines):
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "truncated"),
        ({"id": "b"}, "events"),
        (
            {"id": "b", "events": [{"event_type": "war"}]},
            "no event type or category: 'war'; known: .*ceasefire.*attack",
        ),
        ({"id": "b", "events": [{"category": "force", "event_type": "force"}]}, "one of them"),
        ({"id": "b", "events": [{"modality": "asserted"}]}, "one of them"),
        ({"id": "b", "events": [{"event_type": "force", "modality": "certain"}]}, "certain"),
        ({"id": "b", "events": [{"category": "attack"}]}, "'attack' is not among the event types"),
        ({"id": "a", "events": []}, "stands in line 1 too"),
        ("[" * 100_000, "recursion|expected|Expected"),
    ],
)
def test_faults_have_their_line(tmp_path, line, why):
    """Each kind of fault names file and line; the empty line before it is counted."""
    with pytest.raises(RowError, match=rf"gold\.jsonl:3: .*(?:{why})"):
        read_gold(_file(tmp_path, GOOD, "", line))


def test_schemes(tmp_path):
    """Either key takes either name; names that both have leave it to the others; alone they are types."""
    category = {"id": 1, "events": [{"event_type": "threat_of_force"}, {"category": "incident"}]}
    assert read_gold(_file(tmp_path, category)).scheme is Scheme.CATEGORIES
    assert read_gold(_file(tmp_path, GOOD)).scheme is Scheme.TYPES
    assert read_gold(_file(tmp_path, {"id": 1, "events": [{"category": "incident"}]})).scheme is Scheme.TYPES


def test_bounds(tmp_path, monkeypatch):
    """A line, a file or a number of rows beyond the bound is refused; a missing file is named."""
    monkeypatch.setattr(rows, "MAX_LINE", 100)
    with pytest.raises(RowError, match=":1: longer than 100 bytes"):
        read_gold(_file(tmp_path, "x" * 1000))
    monkeypatch.setattr(rows, "MAX_FILE", 150)
    with pytest.raises(RowError, match=":2: the file is larger"):
        read_gold(_file(tmp_path, GOOD, {**GOOD, "id": "b"}))
    monkeypatch.setattr(rows, "MAX_ROWS", 1)
    monkeypatch.setattr(rows, "MAX_FILE", 1000)
    with pytest.raises(RowError, match="more than 1 rows"):
        read_predictions(_file(tmp_path, {"id": 1, "signals": []}, {"id": 2, "signals": []}))
    with pytest.raises(RowError, match="has none"):
        read_gold(_file(tmp_path, ""))
    with pytest.raises(RowError, match="nowhere"):
        read_gold(tmp_path / "nowhere")
