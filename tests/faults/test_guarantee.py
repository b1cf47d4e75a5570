"""The guarantee under kills, in short; and that the comparison catches what breaks it. In full: ``make faults``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # tests.faults is a package; children get its folder by their own

from config.alerts import load_alerts
from config.settings import load_settings
from pipeline.extraction.engine import Engine
from tests.faults.feeds import Feeds
from tests.faults.line import RULES, Line, written
from tests.faults.oracle import judge
from tests.faults.plan import VICTIMS, Kill, kills
from tests.faults.run import Trial, run, table
from tests.faults.variants import DEATHS, command, deaths
from tests.faults.watch import Killed, Sample, recovery


def test_the_plan_follows_from_the_seed():
    """A run can be repeated: one seed gives one plan, another gives another, and each victim gets its kills."""
    assert kills(3, 20) == kills(3, 20) != kills(4, 20)
    assert {victim: sum(kill.victim == victim for kill in kills(3, 20)) for victim in VICTIMS} == dict.fromkeys(
        VICTIMS, 20
    )


def test_recovery_is_the_first_progress_of_every_stage_that_was_hit():
    """What the victim had sent before it died is not its successor's; a broker is back when all three stages are."""
    samples = [
        Sample(float(at), at + 0.1, connect, extract, score, 0)
        for at, connect, extract, score in [(0, 5, 5, 5), (1, 6, 6, 5), (2, 6, 7, 6), (3, 7, 7, 6), (4, 8, 8, 6)]
    ]
    assert recovery(Killed(Kill("extract", "", 0, early=False), 0.4), samples) == pytest.approx(1.7)
    assert recovery(Killed(Kill("score", "", 0, early=False), 1.5), samples) is None
    assert recovery(Killed(Kill("runner", "extract", 0, early=False), 0.4), samples) == pytest.approx(
        3.7
    )  # its bundle ends
    assert recovery(Killed(Kill("broker", "", 0, early=False), 0.4), samples) == pytest.approx(2.7)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_everything_killed_once(tmp_path):
    """All within seconds, in the order of the seed: nothing is lost, repeated or wrong, and all come back."""
    result = run(Trial(seed=11, rounds=1, minutes=2, early_share=1.0, slow=False), tmp_path, print)
    print(*table(result), sep="\n")
    assert result.verdict.faults == []
    assert result.settled
    assert len(result.killed) == len(VICTIMS)
    assert result.verdict.transitions > 5


def judged(folder, commands):
    """The verdict on a line with faulty jobs, which nobody else kills."""
    with Line(folder, Feeds(5, slow=False), print, {name: command(each) for name, each in commands.items()}) as line:
        assert line.wait(lambda: deaths(line.settings.data_dir) == DEATHS, 120)
        assert line.settle(120)
        found, published = written(line.settings), line.feeds.published
    return judge(found, published, Engine.load(load_settings()), load_alerts(RULES))


@pytest.mark.slow
def test_an_extract_that_commits_first_is_caught(tmp_path):
    """Offsets committed before the writes lose what a kill in between takes along: the comparison must say so."""
    verdict = judged(tmp_path, {"extract": "commits-first"})
    assert any("signal" in fault for fault in verdict.lost)
    assert verdict.repeated == []


@pytest.mark.slow
def test_a_score_that_counts_repeats_is_caught(tmp_path):
    """What a killed extract wrote again must not count again: the comparison must say so if it does."""
    verdict = judged(tmp_path, {"extract": "writes-then-dies", "score": "counts-repeats"})
    assert verdict.copies["signals"] > 0
    assert any("signals counted of" in fault for fault in verdict.repeated)
