"""Notify killed while it delivers: at least once, first times in order, none lost."""

from __future__ import annotations

import pytest
from hookserver import HookServer, Play
from notified import SECRET, Notified, ids, transitions
from service import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def notified(broker, tmp_path, monkeypatch) -> Notified:
    """An installation."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return Notified(broker, tmp_path)


def test_killed_in_the_middle_nothing_is_lost(notified):
    """A kill -9 between deliveries: every transition comes, first times in order, and repeats are few."""
    with HookServer() as server:
        notified.hook(server.url)
        notified.send(*(each for pair in zip(transitions("a", 20), transitions("b", 20), strict=True) for each in pair))
        with notified.process() as process:
            wait_for(lambda: len(server.got) > 5, 30, "some")
            process.kill()
        killed_at = len(server.got)
        notified.once()
        for name in "ab":
            came = [each for each in server.ids() if each.startswith(name)]
            assert list(dict.fromkeys(came)) == ids(name, 20)
        assert killed_at < len(server.got) <= 40 + killed_at + 4  # what was on its way
    assert notified.dead() == []


def test_another_process_takes_over(notified):
    """Two for one receiver: one works, and when it is killed the other goes on; nothing is lost on the way."""
    with HookServer(then=Play(pause_s=0.05)) as server:
        notified.hook(server.url)
        notified.send(*transitions("a", 30))
        with notified.process() as first:
            wait_for(lambda: server.got, 30, "the first")
            with notified.process() as second:
                wait_for(lambda: len(server.got) > 10, 30, "some")
                first.kill()
                wait_for(lambda: set(server.ids()) == set(ids("a", 30)), 30, "the rest")
                assert second.end() == 0
        assert list(dict.fromkeys(server.ids())) == ids("a", 30)
