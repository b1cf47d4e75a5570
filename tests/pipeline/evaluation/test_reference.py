"""The figures against the scorer that releases are measured by; only figures are compared, no row is shown."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import load_settings
from pipeline.evaluation.count import score
from pipeline.evaluation.report import as_json
from pipeline.evaluation.rows import read_gold, read_predictions
from pipeline.extraction.engine import Engine
from pipeline.extraction.lines import run_file

FOLDER = Path(__file__).parents[4] / "shared" / "eval"
GOLD, SCORER = FOLDER / "sentences.dev.jsonl", FOLDER / "score.py"

pytestmark = pytest.mark.skipif(
    not (GOLD.exists() and SCORER.exists()), reason="the evaluation files are not beside the repository"
)


@pytest.fixture(scope="module")
def predictions(tmp_path_factory) -> Path:
    """What the engine finds in the rows."""
    path = tmp_path_factory.mktemp("predictions") / "found.jsonl"
    with GOLD.open(encoding="utf-8") as source, path.open("w", encoding="utf-8") as sink:
        run_file(source, sink, Engine.load(load_settings()))
    return path


def _reference(predictions: Path) -> tuple[dict, dict]:
    """The scorer's summary, and its F1, P, R and n of each category."""
    command = [sys.executable, str(SCORER), str(GOLD), str(predictions)]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    tables = (line.split() for line in out[:-1])
    return json.loads(out[-1]), {name: (f1, p, r, int(n)) for name, _, f1, _, p, _, r, _, n in tables}


@pytest.mark.parametrize("activity", ["as found", "all active"])
def test_same_figures(predictions, tmp_path, activity):
    """Every figure of the summary and of each category is the same, also where all that is found counts."""
    if activity == "all active":
        text = predictions.read_text(encoding="utf-8").replace('"active":false', '"active":true')
        predictions = tmp_path / "active.jsonl"
        predictions.write_text(text, encoding="utf-8")
    summary, categories = _reference(predictions)
    labelled = read_gold(GOLD)
    figures, _ = score(labelled.rows, read_predictions(predictions), labelled.scheme)
    ours = as_json(figures)
    assert {key: ours[key] for key in summary} == summary
    assert {
        name: (f"{f.f1:.2f}", f"{f.precision:.2f}", f"{f.recall:.2f}", f.rows)
        for name, f in figures.names.items()
        if f.rows
    } == categories
