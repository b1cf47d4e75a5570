"""What docs/extraction.md and the README show is what the commands print."""

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner

from pipeline.cli.main import app

ROOT = Path(__file__).parents[3]
LABELLED = ROOT / "docs" / "examples" / "labelled.jsonl"
ENTRY = "entries:\n- {code: LVF, kind: armed_group, names: [Lethe Valley Front, LVF]}\n"


def _run(*arguments) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_figures_of_the_guide(tmp_path):
    """The table in the guide is the table of today."""
    said = _run("evaluate", LABELLED, "--errors", tmp_path / "wrong.jsonl").replace(str(tmp_path) + "/", "")
    assert said.strip() in (ROOT / "docs" / "extraction.md").read_text(encoding="utf-8")


def test_tuning_as_the_guide_does_it(tmp_path):
    """One more entry in a gazetteer of one's own, and all rows are right."""
    folder = tmp_path / "my-config"
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    assert ENTRY in (ROOT / "docs" / "extraction.md").read_text(encoding="utf-8")
    (folder / "gazetteer" / "my_region.yaml").write_text(ENTRY, encoding="utf-8")
    wrong = tmp_path / "wrong.jsonl"
    _run("evaluate", LABELLED, "--config", folder, "--errors", wrong)
    assert [json.loads(line)["id"] for line in wrong.read_text(encoding="utf-8").splitlines()] == []


def test_the_example_of_the_readme():
    """The explanation in the README is the explanation of today."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    text = readme.split('brinkwatch extract --explain --text "')[1].split('"')[0]
    assert _run("extract", "--explain", "--text", text).strip() in readme
