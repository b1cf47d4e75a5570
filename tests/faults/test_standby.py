"""Two processes of score: one is active, the other stands by and takes over (back again: ``test_fencing``)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from samples import signal
from service import Process, Topic, wait_for

from pipeline.kafka.client import producer
from pipeline.records import Alert, EventType, Transition, decode, encode
from pipeline.records.topics import Topics

pytestmark = pytest.mark.slow
BEGIN = datetime(2021, 5, 6, 12, tzinfo=UTC)


class Line:
    """An installation on the broker: grave news of several dyads in, what score says of them out."""

    def __init__(self, broker, prism, folder) -> None:
        changes = {"prism": prism, "runner": "prism", "clock": "records", "score_metrics_port": 0, "data_dir": folder}
        self.settings = broker.settings("standby").model_copy(update=changes)
        self.topics = Topics(self.settings.topic_prefix)
        self.dyads, self.alerts = self._topic(self.topics.dyads), self._topic(self.topics.alerts)
        self.hour = 0

    def _topic(self, topic) -> Topic:
        return Topic(self.settings, topic.name)

    def news(self) -> datetime:
        """An hour's news: three outlets tell of an attack in each dyad; the time that they were observed."""
        self.hour += 1
        at = BEGIN + timedelta(hours=self.hour)
        with producer(self.settings, "test") as sender:
            for number in range(24):
                key, name = (
                    f"{'ABCDEFGH'[number % 8]}AA-ZZZ",
                    hashlib.blake2b(f"{at} {number}".encode(), digest_size=16).hexdigest(),
                )
                told = signal(
                    signal_id=name, article_id=name, source=f"outlet{number}.example", observed_at=at, published_at=at,
                    event_type=EventType.FORCE, dyads=(key,), story="",
                )  # fmt: skip
                sender.send(self.topics.signals.name, key=key.encode(), value=encode(told))
            sender.flush()
        return at

    def scored(self, at: datetime) -> bool:
        """Whether all eight dyads stand as of ``at`` or later."""
        latest = {m.key: m.value for m in self.dyads.look()}
        return len(latest) == 8 and all(f'"at":"{at:%Y-%m-%dT%H}'.encode() in value for value in latest.values())

    def goes_on(self, what: str) -> None:
        """Send an hour's news, and wait until it is scored."""
        at = self.news()
        wait_for(lambda: self.scored(at), 60, what)

    def opinions(self) -> dict[str, list[Alert]]:
        """The transitions of each alert, as committed."""
        found = defaultdict(list)
        for message in self.alerts.look():
            alert = decode(message.value, Alert)
            found[alert.alert_id].append(alert)
        return found

    def close(self) -> None:
        self.dyads.close()
        self.alerts.close()


@pytest.fixture
def line(broker, prism, tmp_path):
    found = Line(broker, prism, tmp_path)
    yield found
    found.close()


def active(process) -> bool:
    """Whether a process of score has said that it is the active one."""
    return '"active"' in process.said()


def test_another_score_takes_over(line, tmp_path):
    """The active one is killed: the other goes on where it was, and tells nothing twice."""
    with Process(line.settings, "score", folder=tmp_path / "one") as one:
        wait_for(lambda: active(one), 60, "the first to be active")
        with Process(line.settings, "score", folder=tmp_path / "two") as two:
            wait_for(lambda: "standing by" in two.said(), 60, "the second to stand by")
            line.goes_on("the first to score")
            assert not active(two)
            one.kill()
            line.goes_on("the second to score")
            assert two.end() == 0
    told = line.opinions()
    assert len(told) == 8
    for transitions in told.values():
        assert [each.sequence for each in transitions] == list(range(1, len(transitions) + 1))
        assert [each.transition for each in transitions].count(Transition.RAISED) == 1


def test_one_that_stands_by_ends_when_told(line, tmp_path):
    """SIGTERM to the one that waits: it ends with 0, and the active one does not mind."""
    with Process(line.settings, "score", folder=tmp_path / "one") as one:
        wait_for(lambda: active(one), 60, "the first to be active")
        with Process(line.settings, "score", folder=tmp_path / "two") as two:
            wait_for(lambda: "standing by" in two.said(), 60, "the second to stand by")
            assert two.end() == 0
        line.goes_on("the first to score")
        assert one.end() == 0
