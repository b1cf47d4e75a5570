"""``evaluate`` as a command: figures, JSON, the wrong rows, and exit codes."""

import json

import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.evaluation.rows import RowError

ROWS = [
    {"id": 1, "text": "Chad expelled the Sudanese ambassador.",
     "events": [{"event_type": "rupture", "modality": "asserted", "actors": ["TCD"], "recipients": ["SDN"]}]},
    {"id": 2, "text": "It was a quiet day.", "events": [], "negative_type": "easy_negative"},
    {"id": 3, "text": "It was a quiet day too.", "events": [{"event_type": "force", "modality": "asserted"}]},
]  # fmt: skip


@pytest.fixture
def gold(tmp_path):
    """A file of labelled rows, one of which nobody could find."""
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    return path


def _run(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_runs_the_engine(gold, tmp_path):
    """Text for a person; the rows that are wrong, with what was expected and found, in a file."""
    errors = tmp_path / "wrong.jsonl"
    result = _run(gold, "--errors", errors)
    assert result.exit_code == 0
    assert "by event types" in result.stdout
    assert "1 of 3 rows are wrong" in result.stdout
    (row,) = map(json.loads, errors.read_text(encoding="utf-8").splitlines())
    assert (row["id"], row["wrong"], row["found"]) == (3, ["missed: force"], [])
    assert row["expected"] == [{"event_type": "force", "modality": "asserted"}]


def test_predictions_give_the_same(gold, tmp_path):
    """What ``extract`` wrote, scored, gives the same JSON as running the engine."""
    found = tmp_path / "found.jsonl"
    assert CliRunner().invoke(app, ["extract", "--input", str(gold), "--output", str(found)]).exit_code == 0
    ran, scored = _run(gold, "--json"), _run(gold, "--json", "--predictions", found)
    assert ran.exit_code == scored.exit_code == 0
    assert json.loads(ran.stdout) == json.loads(scored.stdout)
    assert json.loads(ran.stdout)["right"]["actors"] == {"share": 1.0, "part": 1, "whole": 1}


def test_bad_rows_fail(gold, tmp_path):
    """A fault of the file is the command's failure, said with its line; a date that is none names its row."""
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": 1}', encoding="utf-8")
    result = _run(bad)
    assert isinstance(result.exception, RowError)
    assert "bad.jsonl:1" in str(result.exception)
    bad.write_text('{"id": 7, "events": [], "published": "soon"}', encoding="utf-8")
    assert "row '7': published" in str(_run(bad).exception)
    assert _run().exit_code == 2
