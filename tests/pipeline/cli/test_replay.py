"""``replay`` as a command: everything that it writes, with the real engine; the same bytes whatever the order."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.errors import BrinkwatchError, ConfigError
from pipeline.cli.main import app

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
CRISIS, RULES, TRUTH = (EXAMPLES / name for name in ("crisis.jsonl", "crisis-alerts.yaml", "crisis-truth.jsonl"))
OUTPUTS = {
    "--alerts": "alerts.jsonl",
    "--dyads": "dyads.jsonl",
    "--signals": "signals.jsonl",
    "--scores": "scores.jsonl",
    "--truth-out": "truth.json",
}


def arguments(articles: Path, folder: Path) -> list[str]:
    """All options at once."""
    outputs = [part for option, name in OUTPUTS.items() for part in (option, str(folder / name))]
    reports = ["--report", str(folder / "report.html"), "--report", str(folder / "report.png")]
    return ["replay", str(articles), "--rules", str(RULES), "--truth", str(TRUTH), *outputs, *reports, "--step", "6h"]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """The folder with everything that the example gives, and what was printed."""
    folder = tmp_path_factory.mktemp("replay")
    result = CliRunner().invoke(app, arguments(CRISIS, folder))
    assert result.exit_code == 0, result.output
    return folder, result.stdout


def lines(path: Path) -> list[dict]:
    """The objects of a file of lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_scores_over_time(replayed):
    """A line a dyad and step, dyad by dyad and in order; the crisis stands at critical for a while."""
    folder, _ = replayed
    scores = lines(folder / "scores.jsonl")
    assert set(scores[0]) == {"dyad", "at", "score", "baseline", "level"}
    assert scores == sorted(scores, key=lambda each: (each["dyad"], each["at"]))
    assert len({(each["dyad"], each["at"]) for each in scores}) == len(scores)
    assert {each["level"] for each in scores if each["dyad"] == "XBM-XKV"} == {"calm", "watch", "warning", "critical"}
    highest = {each["dyad"]: 0.0 for each in scores}
    for each in scores:
        highest[each["dyad"]] = max(highest[each["dyad"]], each["score"])
    assert min(highest.values()) >= 0.1


def test_alerts_against_events(replayed):
    """What is printed, what is in the file and what is on the page say the same."""
    folder, printed = replayed
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert len(told["events"]) == 5
    assert told["early"] + told["late"] == told["hits"]
    assert f"events hit               {told['hits']} of 5" in printed
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"<b>{told['hits']} of 5</b>events hit" in page
    ids = {alert["alert_id"] for alert in lines(folder / "alerts.jsonl")}
    assert {each["alert_id"] for each in told["events"] if each["alert_id"]} <= ids


def test_same_bytes_in_another_order_and_process(replayed, tmp_path):
    """Lines shuffled and repeated, another process, another seed of hashes: every file is the same to the byte."""
    folder, _ = replayed
    articles = CRISIS.read_bytes().splitlines(keepends=True)
    shuffled = articles + articles[:5]
    random.Random(2).shuffle(shuffled)
    other = tmp_path / "crisis.jsonl"
    other.write_bytes(b"".join(shuffled))
    command = [sys.executable, "-m", "pipeline.cli.main", *arguments(other, tmp_path)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": "7"}, timeout=120)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_faults_before_the_work(tmp_path):
    """A report that can't be made, events that are wrong, durations that are none: told at once, nothing written."""
    alerts = tmp_path / "alerts.jsonl"
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"dyad": "ARV"}\n', encoding="utf-8")

    def run(*more: str):
        return CliRunner().invoke(app, ["replay", str(CRISIS), "--alerts", str(alerts), *more])

    assert isinstance(run("--report", "report.pdf").exception, BrinkwatchError)
    assert isinstance(run("--truth", str(bad)).exception, ConfigError)
    for wrong in (["--step", "often"], ["--step", "10ms"], ["--horizon", "-1d"], ["--truth-out", "x"]):
        assert run(*wrong).exit_code == 2, wrong
    assert not alerts.exists()


def test_without_the_extra_it_says_which(tmp_path):
    """Who installed no matplotlib is told what to install, and can replay without a report."""
    hidden = tmp_path / "matplotlib.py"
    hidden.write_text(
        "raise ModuleNotFoundError(\"No module named 'matplotlib'\", name='matplotlib')\n", encoding="utf-8"
    )
    paths = os.pathsep.join([str(tmp_path), str(EXAMPLES.parents[1])])
    command = [sys.executable, "-m", "pipeline.cli.main", "replay", str(CRISIS), "--alerts", str(tmp_path / "a.jsonl")]
    failed = subprocess.run(
        [*command, "--report", str(tmp_path / "r.html")],
        check=False, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths}, timeout=60,
    )  # fmt: skip
    assert failed.returncode == 1
    assert "matplotlib is missing: pip install 'brinkwatch[report]'" in failed.stderr
    assert "Traceback" not in failed.stderr
