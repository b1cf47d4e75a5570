"""Several processes of connect on one list: who polls what, when one comes, and when one is killed."""

from __future__ import annotations

import time
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from service import Process, Topic, wait_for

from deploy.local.process import Port
from pipeline.records.topics import Topics
from tests.faults.press import Press

if TYPE_CHECKING:
    from pathlib import Path

    from brokers import Broker

    from config.settings import Settings

pytestmark = pytest.mark.slow
FEEDS = 40
INTERVAL_S = 2.0
LEAST_S = 0.45 * INTERVAL_S
"""Between two polls of a feed, at least: half the interval after its first, less what a busy machine mixes up."""


class Member:
    """A process of connect, and how many shards it says that it holds."""

    def __init__(self, settings: Settings, listing: Path, folder: Path) -> None:
        with Port() as port:
            self._port = port.number
        told = settings.model_copy(update={"connect_metrics_port": self._port})
        self.process = Process(told, "connect", "--feeds", str(listing), folder=folder)

    def shards(self) -> int:
        """As its metric says; 0 where it does not answer yet."""
        try:
            with urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0
        return next((int(float(line.split()[1])) for line in lines if line.startswith("brinkwatch_connect_shards ")), 0)


def gaps(asked: list[tuple[float, int]], kill: float = -1.0) -> list[float]:
    """Seconds between any two polls of a feed that follow each other, but for those around a kill."""
    moments = defaultdict(list)
    for at, feed in asked:
        moments[feed].append(at)
    return [b - a for each in moments.values() for a, b in pairwise(each) if not a <= kill <= b]


@pytest.fixture
def listing(tmp_path: Path):
    """Feeds that publish, and their list."""
    press = Press(FEEDS, 20.0)
    path = tmp_path / "feeds.yaml"
    path.write_text(press.config(f"{INTERVAL_S:g}s"), encoding="utf-8")
    yield press, path
    press.end()


def test_processes_share_a_list_and_take_over(broker: Broker, listing: tuple[Press, Path], tmp_path: Path):
    """Two share four shards; no feed is polled by both, as one comes or after one was killed; nothing is lost."""
    press, path = listing
    settings = broker.settings("shards").model_copy(update={"connect_shards": 4})
    one = Member(settings, path, tmp_path / "one")
    with one.process:
        press.begin()
        wait_for(lambda: len({feed for _, feed in press.asked}) == FEEDS, 60, f"all polls: {one.process.said()}")
        assert one.shards() == 4
        two = Member(settings, path, tmp_path / "two")
        with two.process:
            wait_for(lambda: (one.shards(), two.shards()) == (2, 2), 60, f"a fair share: {two.process.said()}")
            time.sleep(2 * INTERVAL_S)
            killed = time.monotonic()
            one.process.kill()
            wait_for(lambda: two.shards() == 4, 20, f"the other to take over: {two.process.said()}")
            time.sleep(2 * INTERVAL_S)
            after = {feed for at, feed in press.asked if at > killed}
            assert len(after) == FEEDS
            assert min(gaps(press.asked, killed)) >= LEAST_S
            press.stop()
            topic = Topic(settings, Topics(settings.topic_prefix).articles.name)
            wait_for(lambda: press.ids() <= {(m.key or b"").decode() for m in topic.look()}, 30, "every entry")
            assert press.ids() == {(message.key or b"").decode() for message in topic.messages}
            topic.close()
            assert two.process.end() == 0


def test_pinned_shards_and_another_number(broker: Broker, listing: tuple[Press, Path], tmp_path: Path):
    """Told which shards are its, a process polls these feeds only; started anew as the only one, it polls all of them.

    What it knew is not read anew, though it then lies in another file: nothing comes twice.
    """
    press, path = listing
    press.publish(FEEDS)
    settings = broker.settings("pins").model_copy(update={"connect_shards": 2, "connect_shard": "1"})
    pinned = Member(settings, path, tmp_path / "pinned")
    with pinned.process:
        wait_for(lambda: len(press.asked) > FEEDS, 60, f"polls: {pinned.process.said()}")
        assert pinned.process.end() == 0
    some = {feed for _, feed in press.asked}
    assert 0 < len(some) < FEEDS
    whole = Member(settings.model_copy(update={"connect_shards": 1, "connect_shard": ""}), path, tmp_path / "whole")
    with whole.process:
        wait_for(lambda: len({feed for _, feed in press.asked}) == FEEDS, 60, f"polls: {whole.process.said()}")
        assert whole.process.end() == 0
    topic = Topic(settings, Topics(settings.topic_prefix).articles.name)
    assert len(topic.look()) == FEEDS
    topic.close()
