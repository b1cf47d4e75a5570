"""``extract`` without Kafka as a command: lines, explanations, pages, and options that do not go together."""

import json

import pytest
from typer.testing import CliRunner

from config.errors import BrinkwatchError
from pipeline.cli.main import app

TEXT = "Chad expelled the Sudanese ambassador. It was a quiet day."


def _run(*arguments, **more):
    return CliRunner().invoke(app, ["extract", *map(str, arguments)], **more)


def test_a_text_given_directly():
    """One text gives one line; with --explain, words instead."""
    line = _run("--text", TEXT, "--published", "2026-03-01")
    assert [s["event_type"] for s in json.loads(line.stdout)["signals"]] == ["rupture"]
    told = _run("--text", TEXT, "--explain")
    assert told.exit_code == 0
    assert "[actor TCD: Chad]" in told.stdout
    assert "rupture × asserted" in told.stdout  # noqa: RUF001 - the sign between type and modality
    assert "no trigger" in told.stdout


def test_explains_a_file_and_writes_answers_besides(tmp_path):
    """--explain and --html together, answers in a file; a bad line is left out and gives exit code 1."""
    source, page, answers = tmp_path / "in.jsonl", tmp_path / "page.html", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": "one", "text": TEXT}) + "\n{\n" + json.dumps({"id": 2, "text": ""}))
    result = _run("--input", source, "--explain", "--html", page, "--output", answers)
    assert result.exit_code == 1
    assert "rupture" in result.stdout
    assert "nothing to read" in result.stdout
    assert [json.loads(line)["id"] for line in answers.read_text().splitlines()] == ["one", 2]
    assert page.read_text().startswith("<!doctype html>")
    assert "2 articles" in page.read_text()


def test_drill_names_where_a_line_says_so(tmp_path):
    """The invented states of the drill are actors in a line that is marked as drill, and nowhere else."""
    text = "Karvenia expelled the Belmoran ambassador."
    lines = [json.dumps({"id": n, "text": text, "drill": bool(n)}) for n in (0, 1)]
    answers = _run("--input", "-", input="\n".join(lines)).stdout.splitlines()
    codes = [[a["code"] for s in json.loads(line)["signals"] for a in s["actors"]] for line in answers]
    assert codes == [[], ["XKV"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--explain",),
        ("--html", "x.html"),
        ("--input", "-", "--text", "x"),
        ("--published", "2026-01-01", "--input", "-"),
        ("--text", "x", "--explain", "--output", "-"),
    ],
)
def test_options_that_do_not_go_together(arguments):
    """Said at once, as usage: exit code 2, and nothing is written."""
    assert _run(*arguments).exit_code == 2


def test_a_page_that_can_not_be_written(tmp_path):
    """Fails with the path, and leaves nothing behind."""
    result = _run("--text", TEXT, "--html", tmp_path / "nowhere" / "page.html")
    assert isinstance(result.exception, BrinkwatchError)
    assert "nowhere" in str(result.exception)
    assert list(tmp_path.iterdir()) == []
