"""Two processes of score: one is active, the other stands by and takes over (back again: ``test_fencing``)."""

from __future__ import annotations

from urllib.request import urlopen

import pytest
from crises import Crisis
from service import Process, wait_for

from deploy.local.process import Port

pytestmark = pytest.mark.slow
DYAD = "brinkwatch_dyad_score{"


@pytest.fixture
def crisis(broker, prism, tmp_path):
    """News of a crisis, scored on Prism."""
    found = Crisis(broker, tmp_path, prism=prism, runner="prism")
    yield found
    found.close()


def active(process) -> bool:
    """Whether a process of score has said that it is the active one."""
    return process.has_said('"active"')


def page(port) -> str:
    """What a process serves at /metrics; nothing before it does."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def test_another_score_takes_over(crisis, tmp_path):
    """The active one is killed: the other goes on, and tells nothing twice; only the active one has dyads' metrics."""
    with Port() as first, Port() as second:
        ports = [first.number, second.number]
    of_one, of_two = ({"BRINKWATCH_SCORE_METRICS_PORT": str(port)} for port in ports)
    with Process(crisis.settings, "score", folder=tmp_path / "one", **of_one) as one:
        wait_for(lambda: active(one), 60, "the first to be active")
        with Process(crisis.settings, "score", folder=tmp_path / "two", **of_two) as two:
            wait_for(lambda: two.has_said("standing by"), 60, "the second to stand by")
            crisis.goes_on("the first to score")
            wait_for(lambda: DYAD in page(ports[0]), 10, "the dyads' metrics")
            assert not active(two)
            waiting = page(ports[1])
            assert "brinkwatch_score_active 0.0" in waiting
            assert 'brinkwatch_runner_up{process="score"} 0.0' in waiting
            assert DYAD not in waiting
            one.kill()
            wait_for(lambda: DYAD in page(ports[1]), 60, "what was restored, before any news")
            crisis.goes_on("the second to score")
            assert two.end() == 0
    assert crisis.one_opinion()


def test_one_that_stands_by_ends_when_told(crisis, tmp_path):
    """SIGTERM to the one that waits: it ends with 0, and the active one does not mind."""
    with Process(crisis.settings, "score", folder=tmp_path / "one") as one:
        wait_for(lambda: active(one), 60, "the first to be active")
        with Process(crisis.settings, "score", folder=tmp_path / "two") as two:
            wait_for(lambda: two.has_said("standing by"), 60, "the second to stand by")
            assert two.end() == 0
        crisis.goes_on("the first to score")
        assert one.end() == 0


def test_more_partitions_lose_no_state(crisis, tmp_path):
    """Dyads move to other partitions of signals: score says that it must start again, and goes on from what was."""
    with Process(crisis.settings, "score", folder=tmp_path / "one") as one:
        crisis.goes_on("score to score")
        crisis.grow(7)
        assert wait_for(one.child.poll, 60, "score to see the new partitions") == 1
        assert "has 7 partitions now" in one.said()[-1000:]
    with Process(crisis.settings, "score", folder=tmp_path / "two") as two:
        crisis.goes_on("score to score from every partition")
        assert two.end() == 0
    assert crisis.one_opinion()
