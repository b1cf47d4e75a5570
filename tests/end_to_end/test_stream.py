"""Real headlines of November 2021 through the whole line: HTTP feeds, connect, Kafka, both Beam jobs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dayfeeds import DayFeeds
from kafka import TopicPartition
from service import Process, Topic, wait_for

from config.alerts import load_alerts
from config.settings import load_settings
from deploy.local.installation import environment
from pipeline.extraction.engine import Engine
from pipeline.kafka.client import consumer
from pipeline.records import Alert, Article, Level, decode
from pipeline.records.topics import Topics
from pipeline.replay import replay

pytestmark = pytest.mark.slow
STREAM = Path(__file__).parents[3] / "shared" / "streams" / "world_2021-11.jsonl"


@pytest.mark.skipif(not STREAM.exists(), reason="the streams are not here")
@pytest.mark.timeout(600)
def test_the_crisis_of_2021_raises_an_alert(broker, prism, tmp_path):
    """Day by day the headlines come in; Russia-Ukraine must be raised, and a replay of what came in must agree."""
    base = broker.settings("stream").model_dump()
    changes = {"prism": prism, "runner": "prism", "clock": "records", "data_dir": tmp_path / "data"}
    ports = {f"{name}_metrics_port": 0 for name in ("connect", "extract", "score")}
    settings = load_settings().model_copy(update={**base, **changes, **ports})
    topics = Topics(settings.topic_prefix)
    feeds = DayFeeds(STREAM)
    (tmp_path / "feeds.yaml").write_text(feeds.config(), encoding="utf-8")
    articles, alerts = Topic(settings, topics.articles.name), Topic(settings, topics.alerts.name)
    try:
        with (
            Process(settings, "extract", folder=tmp_path) as extract,
            Process(settings, "score", folder=tmp_path) as score,
        ):
            for day in feeds.days:
                feeds.turn(day)
                poll(settings, tmp_path / "feeds.yaml")
            wait_for(lambda: lag(settings, topics.articles.name, topics.extract_group) == 0, 300, "extract to catch up")
            wait_for(lambda: lag(settings, topics.signals.name, topics.score_group) == 0, 60, "score to catch up")
            assert score.end() == 0, score.said()
            assert extract.end() == 0, extract.said()
        recorded = [decode(m.value, Article) for m in articles.look() if m.value]
        assert len(recorded) > 3500
        assert all(article.flow for article in recorded)
        raised = [decode(m.value, Alert) for m in alerts.look()]
    finally:
        feeds.close()
    for alert in raised:
        print(alert.at.date(), alert.transition, alert.level, alert.summary)
    assert any("RUS" in alert.dyad and "UKR" in alert.dyad for alert in raised)
    # Feeds show a day's headlines newest first, so that live they come late by hours: times of transitions may differ.
    again = replay(recorded, Engine.load(settings), load_alerts(settings.alerts_file))
    assert highest(raised) == highest(again.alerts)


def highest(alerts):
    """The highest level of each dyad under each rule."""
    found = {}
    for alert in alerts:
        before = found.get((alert.rule, alert.dyad), Level.CALM)
        found[alert.rule, alert.dyad] = max(before, alert.level, key=lambda level: level.rank)
    return found


def poll(settings, file):
    """One run of ``brinkwatch connect --once``."""
    command = [sys.executable, "-m", "pipeline.cli.main", "connect", "--once", "--feeds", str(file)]
    env = {**os.environ, **environment(settings)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def lag(settings, topic, group):
    """Messages of the topic that the group has not committed yet."""
    with consumer(settings, "lag", group_id=group) as reader:
        partitions = [TopicPartition(topic, number) for number in reader.partitions_for_topic(topic)]
        ends = reader.end_offsets(partitions)
        return sum(end - (reader.committed(partition) or 0) for partition, end in ends.items())
