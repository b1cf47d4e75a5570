"""A rolling upgrade under load: old and new side by side, one after the other told to go."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from service import Process

sys.path.insert(0, str(Path(__file__).parents[2]))

from config.alerts import load_alerts
from config.settings import load_settings
from pipeline.extraction.engine import Engine
from tests.faults.feeds import Feeds
from tests.faults.line import RULES, Line, written
from tests.faults.oracle import judge

DRAIN_S = 30.0
"""What orchestrators give a process before they kill it; it is promised to do with that."""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_rolling_upgrade_loses_and_repeats_nothing(tmp_path):
    """New ones join, old ones drain, connect is replaced: every article has its signals once, every alert one story."""
    with Line(tmp_path, Feeds(21, slow=False), print, score_instance=None) as line:
        assert line.works(120)
        with Process(line.settings, "score", folder=tmp_path / "new") as score:
            assert line.wait(lambda: score.has_said("standing by"), 90)
            with Process(line.settings, "extract", folder=tmp_path / "new") as extract:
                assert line.wait(lambda: extract.has_said("partitions assigned"), 90)
                drained = {name: line.replace(name) for name in ("score", "extract", "connect")}
                assert line.wait(lambda: score.has_said('"active"'), 60)
                assert line.works(60)
                assert extract.end() == 0
            assert line.settle(120)
            found, published = written(line.settings), line.feeds.published
            assert score.end() == 0
    print(drained)
    verdict = judge(found, published, Engine.load(load_settings()), load_alerts(RULES))
    assert verdict.faults == []
    assert verdict.transitions > 0
    assert {name for name, seconds in drained.items() if seconds > DRAIN_S} == set()
